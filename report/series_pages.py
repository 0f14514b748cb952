"""A patch series as pages show it: versions side by side, and what happened between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import Connection

from db import queries
from db.errors import UserError
from db.series import PatchSeriesRow, known_series
from db.values import RevisionRow
from report import comparison
from report.comparison import Request
from report.following import Fate
from report.series import MeasuredVersion, Result, SeriesReport, SeriesRequest, build

FATES: Mapping[Fate, str] = {
    Fate.SAME: "= same",
    Fate.MOVED: "~ moved",
    Fate.CHANGED: "! changed",
    Fate.NEW: "+ new",
    Fate.DROPPED: "- dropped",
}


@dataclass(frozen=True, slots=True)
class Known:
    """A series with the revisions that were measured of it, in the order of versions and patches."""

    series: PatchSeriesRow
    revisions: tuple[RevisionRow, ...]

    def measured(self, version: int) -> tuple[RevisionRow, ...]:
        """The measured states of a version."""
        return tuple(one for one in self.revisions if one.version == version)

    def patches(self, version: int) -> int:
        """How many patches a version has: as posted, else as far as they were measured."""
        posted = next((len(one.patches) for one in self.series.versions if one.version == version), 0)
        return posted or max((one.patch or 0 for one in self.measured(version)), default=0)


def known(connection: Connection) -> tuple[Known, ...]:
    """Every series, the one measured last first."""
    revisions = queries.revisions(connection)
    found = [Known(one, tuple(r for r in revisions if r.series == one.name)) for one in known_series(connection)]
    return tuple(sorted(found, key=lambda one: max((r.id for r in one.revisions), default=0), reverse=True))


def version(connection: Connection, request: SeriesRequest) -> SeriesReport:
    """One version of a series, attributed patch by patch."""
    return build(connection, request)


def between_versions(connection: Connection, one: Known, vary: Sequence[str]) -> tuple[str, ...]:
    """Sentences on what the versions did against each other (`v3 lost what v2 gained`), or why there are none."""
    names = [f"{one.series.name}@v{v.version}" for v in one.series.versions if one.measured(v.version)]
    if len(names) < 2:
        return ()
    try:
        report = comparison.build(connection, Request(names[0], tuple(names[1:]), vary=tuple(vary)))
    except UserError as error:
        return (f"The versions cannot be compared: {error}.",)
    return tuple(getattr(report, "told", ()))


def lore(message_id: str, archive: str) -> str:
    """The address of a mail in an archive."""
    return archive + quote(message_id.strip("<>"), safe="@+-._=~")


def interesting(version: MeasuredVersion, host: str, metric: str) -> list[Result]:
    """The results on a host whose metric contains a text: those with a culprit first, then those with suspects."""
    found = [
        one
        for one in version.results
        if host in ("", one.series.host) and metric.casefold() in one.series.metric.casefold()
    ]
    return sorted(found, key=lambda one: (not one.attribution.culprits, not one.attribution.suspects))
