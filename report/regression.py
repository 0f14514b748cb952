"""What a mail about a regression says, gathered: the changed metrics, how to run them again, what to answer to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from db import queries
from db.errors import UserError
from db.hoststate import summary_line
from db.reproduce import command_of
from db.series import PatchSeriesRow, VersionRow, known_series
from db.values import RevisionRow, SeriesRow
from report.comparison import Report, Row
from report.pairs import Kind
from report.selection import Chosen
from report.series import SeriesRequest, build
from report.words import case_line, counted, percent
from stats.policy import Verdict
from stats.units import scaled

LORE = "https://lore.kernel.org/r/"


@dataclass(frozen=True, slots=True)
class Changed:
    """One metric that changed. The spreads are standard deviations of runs relative to their mean; None for one run."""

    series: SeriesRow
    verdict: Verdict
    base: float
    base_spread: float | None
    head: float
    head_spread: float | None
    effect: float | None  # None from a base of 0: there is no ratio
    ci: tuple[float, float] | None

    @property
    def size(self) -> str:
        """How much it moved, in front of a word: `39.2% `; empty from a base of 0."""
        return "" if self.effect is None else f"{abs(self.effect):.1%} "

    @property
    def moved(self) -> str:
        """From where to where, with the unit: what is told where there is no ratio."""
        (base, head), unit = scaled((self.base, self.head), self.series.unit)
        return f"{base} to {head} {unit}"


@dataclass(frozen=True, slots=True)
class Regression:
    """Everything in a mail about a regression. `rows` begin with the one that names it."""

    base: str
    head: str
    what: str
    rows: tuple[Changed, ...]
    test: str
    host: str
    replication: str
    command: str
    links: tuple[str, ...] = ()
    in_reply_to: str = ""
    culprits: tuple[str, ...] = ()  # the patches of a measured series that made it, with their effects
    notes: tuple[str, ...] = ()  # what the reader should beware of, and where else it shows

    @property
    def title(self) -> str:
        """The subject of the mail."""
        first = self.rows[0]
        word = "regression" if first.verdict is Verdict.REGRESSION else "improvement"
        name = f"{first.series.benchmark.rsplit('/', 1)[-1]}.{first.series.metric}"
        return f"[kvmperf] {first.size}{word} of {name} on {self.head}"


def regression(connection: Connection, report: Report, *, lore: str = LORE) -> Regression:
    """The largest regression of a comparison with what else changed in its test case.

    Raises UserError where nothing regressed.
    """
    found = [row for row in report.rows if row.result.verdict is Verdict.REGRESSION and row.kind is Kind.HEAD]
    if not found:
        raise UserError("nothing regressed: there is nothing to report", "kvmperf compare prints what was judged")
    worst = max(found, key=_size)
    pair = next(pair for pair in report.pairs if (pair.base.name, pair.head.name) == (worst.base, worst.head))
    same = [row for row in report.rows if _is_beside(row, worst)]
    changed = sorted(same, key=lambda row: row is not worst)
    state = report.hosts.get(worst.series.host, {})
    posting = _posting(pair.head, known_series(connection))
    return Regression(
        base=_described(pair.base, ()),
        head=pair.head.name,
        what=_described(pair.head, posting),
        rows=tuple(_changed(connection, row, pair.base, pair.head) for row in changed),
        test=case_line(worst.series.benchmark, sorted(worst.series.params.items())),
        host=f"{worst.series.host} ({summary_line(state)})" if state else worst.series.host,
        replication="; ".join(f"{counted(n.boots, 'boot')}, {counted(n.runs, 'run')}" for n in worst.result.n),
        command=command_of(connection, pair.head.id, worst.series.test_case_id),
        links=tuple(lore + version.message_id for _, version in posting if version.message_id),
        in_reply_to=next((version.message_id for _, version in posting if version.message_id), ""),
        culprits=_culprits(connection, report, worst, pair.head),
        notes=(*worst.result.warnings, *_elsewhere(found, worst)),
    )


def _elsewhere(found: Sequence[Row], worst: Row) -> tuple[str, ...]:
    """The other hosts on which the same metric of the same test case regressed between the same revisions."""
    key = (worst.series.test_case_id, worst.series.metric, worst.base, worst.head)
    return tuple(
        f"also on {row.series.host}" + ("" if row.result.effect is None else f": {percent(row.result.effect)}")
        for row in found
        if row.series.host != worst.series.host
        and (row.series.test_case_id, row.series.metric, row.base, row.head) == key
    )


def _size(row: Row) -> float:
    """How large a change is, as a ratio either way; what came out of nothing is larger than any."""
    effect = row.result.effect
    return np.inf if effect is None else abs(float(np.log1p(max(effect, -0.999))))


def _culprits(connection: Connection, report: Report, worst: Row, head: RevisionRow) -> tuple[str, ...]:
    """The patches up to this one that changed the metric, where the states between were measured."""
    if not head.series or head.version is None or head.patch == 0:
        return ()
    filters = Chosen(boot=report.request.filters.boot, ids=frozenset({worst.series.id}))
    asked = SeriesRequest(head.series, head.version, filters, report.request.vary, report.request.policy)
    (version,) = build(connection, asked).versions
    return tuple(
        f"patch {k}/{len(version.patches)}{_quoted(version.patches[k - 1].subject)}: {percent(effect.effect or 0.0)}"
        for result in version.results
        for k in result.attribution.culprits
        for effect in [result.attribution.patches[k - 1]]
        if head.patch is None or k <= head.patch
    )


def _quoted(subject: str) -> str:
    return f' "{subject}"' if subject else ""


def _is_beside(row: Row, worst: Row) -> bool:
    return (
        row.result.verdict in (Verdict.REGRESSION, Verdict.IMPROVEMENT)
        and (row.base, row.head) == (worst.base, worst.head)
        and (row.series.test_case_id, row.series.host) == (worst.series.test_case_id, worst.series.host)
    )


_Posting = tuple[tuple[PatchSeriesRow, VersionRow], ...]


def _posting(head: RevisionRow, known: tuple[PatchSeriesRow, ...]) -> _Posting:
    """The series and version that a revision belongs to, if any."""
    return tuple(
        (series, version)
        for series in known
        for version in series.versions
        if (series.name, version.version) == (head.series, head.version)
    )


def _described(revision: RevisionRow, posting: _Posting) -> str:
    for series, version in posting:
        patch = next((p for p in version.patches if p.k == revision.patch), None)
        count = len(version.patches)
        if patch and patch.k < count:
            return f'{series.name} v{version.version}, patch {patch.k}/{count} "{patch.subject}"'
        return f'{series.name} v{version.version} "{series.subject}"' if series.subject else revision.name
    told = ", ".join(text for text in (revision.commit[:12], revision.kernel, revision.subject) if text)
    return f"{revision.name} ({told})" if told and told != revision.name else revision.name


def _changed(connection: Connection, row: Row, base: RevisionRow, head: RevisionRow) -> Changed:
    table = queries.samples(connection, [row.series.id], [base.id, head.id])
    medians = np.array([np.median(part) for part in np.split(table.values, np.cumsum(table.counts)[:-1])])
    result = row.result
    return Changed(
        series=row.series,
        verdict=result.verdict,
        base=result.base or 0.0,
        base_spread=_spread(medians[table.revision == base.id]),
        head=result.head or 0.0,
        head_spread=_spread(medians[table.revision == head.id]),
        effect=result.effect,
        ci=result.ci,
    )


def _spread(values: np.ndarray) -> float | None:
    return float(values.std(ddof=1) / abs(values.mean())) if values.size > 1 and values.mean() else None
