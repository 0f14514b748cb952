"""Questions to the database, one function each. Frozen values out, in a stated order; callers own the connection."""

import gzip
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import attrgetter

from sqlalchemy import Connection, func, select

from db.models import (
    Artifact,
    Audit,
    Benchmark,
    Boot,
    Capture,
    CaptureFile,
    Host,
    HostState,
    Measurement,
    Metric,
    Patch,
    PatchSeries,
    Revision,
    Run,
    SeriesVersion,
    TestCase,
    TimeSeries,
    Upload,
)
from db.samples import samples as samples  # noqa: PLC0414 (a question like the others, in a file of its own)
from db.samples import without_collection
from db.values import BootRow, Quarantined, RevisionRow, RunCount, SeriesRow

_CHUNK = 500  # ids in one IN list


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the database is asked for. Shell globs; an empty one lets everything through.

    A metric glob matches a metric with or without its phase: `dirty_memory_time` finds `dirty_memory_time.round2`.
    """

    benchmark: str = ""
    metric: str = ""
    host: str = ""
    boot: str = ""

    def takes(self, series: SeriesRow) -> bool:
        """Whether a time series passes."""
        return self.takes_case(series.benchmark, series.host) and _matches(
            self.metric, series.metric, series.metric.split(".", 1)[0]
        )

    def only(self) -> Collection[int] | None:
        """The only ids of time series that can pass, where they are known beforehand."""
        return None

    def takes_case(self, benchmark: str, host: str) -> bool:
        """Whether a benchmark on a host passes."""
        return _matches(self.benchmark, benchmark, benchmark.rsplit("/", 1)[-1]) and _matches(self.host, host)


@lru_cache(maxsize=1 << 14)
def _matches(glob: str, *names: str) -> bool:
    return not glob or any(fnmatchcase(name, glob) for name in names)


def revisions(connection: Connection) -> tuple[RevisionRow, ...]:
    """All revisions, in their order in time (patch series first, patch by patch)."""
    wanted = (
        select(
            Revision.id,
            Revision.kernel,
            Revision.commit,
            Revision.label,
            Revision.subject,
            Revision.committed_at,
            Revision.first_seen_at,
            PatchSeries.name,
            SeriesVersion.version,
            Revision.patch_k,
        )
        .join(SeriesVersion, Revision.series_version_id == SeriesVersion.id, isouter=True)
        .join(PatchSeries, SeriesVersion.series_id == PatchSeries.id, isouter=True)
    )
    found = [
        RevisionRow(number, kernel, commit, label, subject, committed, seen, series or "", version, patch)
        for number, kernel, commit, label, subject, committed, seen, series, version, patch in connection.execute(
            wanted
        )
    ]
    return tuple(sorted(found, key=lambda revision: revision.order))


@without_collection()
def series(connection: Connection, filters: Filters = Filters()) -> tuple[SeriesRow, ...]:
    """The time series that pass the filters, ordered by benchmark, test case, host, metric.

    Names and parameters are read once each and shared: of 50,000 time series, a hundred test cases were decoded
    50,000 times.
    """
    hosts = _hosts(connection)
    metrics = {row.id: row for row in connection.execute(select(Metric.id, Metric.name, Metric.unit, Metric.better))}
    wanted = select(TimeSeries.id, TimeSeries.host_id, TimeSeries.test_case_id, TimeSeries.metric_id)
    if filters.host:
        wanted = wanted.where(TimeSeries.host_id.in_(_named(hosts, filters.host)))
    if (only := filters.only()) is not None and len(only) <= _CHUNK:
        wanted = wanted.where(TimeSeries.id.in_(sorted(only)))
    stored = connection.execute(wanted).all()
    cases = _cases(connection, {row.test_case_id for row in stored})
    found = sorted((cases[case][0], case, hosts[host], metric, number) for number, host, case, metric in stored)
    rows = (
        SeriesRow(number, host, benchmark, case, cases[case][1], about.name, about.unit, about.better)
        for benchmark, case, host, metric, number in found
        for about in (metrics[metric],)
    )
    return tuple(row for row in rows if filters.takes(row))


def stored_names(connection: Connection) -> dict[str, tuple[str, ...]]:
    """The names of all benchmarks, metrics and hosts: what a filter can be picked from."""
    kinds = {"benchmark": Benchmark.name, "metric": Metric.name, "host": Host.name}
    return {
        kind: tuple(row[0] for row in connection.execute(select(column).distinct().order_by(column)))
        for kind, column in kinds.items()
    }


def host_names(connection: Connection) -> tuple[str, ...]:
    """The names of all hosts, in order."""
    return tuple(connection.scalars(select(Host.name).order_by(Host.name)))


def state_fields(connection: Connection) -> tuple[str, ...]:
    """The fields that any stored host state has, in order."""
    return tuple(sorted({field for fields in connection.scalars(select(HostState.fields)) for field in fields}))


def _hosts(connection: Connection) -> dict[int, str]:
    return {row.id: row.name for row in connection.execute(select(Host.id, Host.name))}


def _named(names: Mapping[int, str], glob: str) -> list[int]:
    return [number for number, name in names.items() if _matches(glob, name)]


def _cases(
    connection: Connection, ids: Collection[int]
) -> dict[int, tuple[str, Mapping[str, str | int | float | bool]]]:
    """Benchmark and parameters of these test cases."""
    wanted = select(TestCase.id, Benchmark.name, TestCase.params).join(Benchmark)
    if len(ids) <= _CHUNK:  # to decode the parameters of all costs more than a line of a trend
        wanted = wanted.where(TestCase.id.in_(sorted(ids)))
    return {row.id: (row.name, row.params) for row in connection.execute(wanted)}


def boots(connection: Connection, glob: str = "") -> tuple[BootRow, ...]:
    """The boots whose id matches the glob, ordered by host and id."""
    wanted = select(Boot.id, Host.name, Boot.boot_id).join(Host).order_by(Host.name, Boot.boot_id)
    return tuple(BootRow(*row) for row in connection.execute(wanted) if _matches(glob, row.boot_id))


def host_states(connection: Connection, ids: Collection[int]) -> dict[int, Mapping[str, str]]:
    """The fields of the host states with these ids."""
    found: dict[int, Mapping[str, str]] = {}
    for part in _chunks(sorted(ids)):
        rows = connection.execute(select(HostState.id, HostState.fields).where(HostState.id.in_(part)))
        found |= {row.id: row.fields for row in rows}
    return found


def run_counts(
    connection: Connection, revision_ids: Collection[int], filters: Filters, boot_ids: Collection[int] | None = None
) -> tuple[RunCount, ...]:
    """How runs ended, per revision, host, test case and status: what failed and what is missing.

    Ordered by benchmark, test case, host, revision, status.
    """
    hosts = _hosts(connection)
    columns = (Run.revision_id, Run.host_id, Run.test_case_id, Run.status)
    wanted = (
        select(*columns, func.count())
        .where(Run.revision_id.in_(sorted(revision_ids)), Run.reported.is_(False))
        .group_by(*columns)
    )
    if boot_ids is not None:
        wanted = wanted.where(Run.boot_id.in_(sorted(boot_ids)))
    if filters.host:
        wanted = wanted.where(Run.host_id.in_(_named(hosts, filters.host)))
    stored = connection.execute(wanted).all()
    cases = _cases(connection, {row.test_case_id for row in stored})
    rows = (
        RunCount(revision, hosts[host], cases[case][0], case, cases[case][1], status, runs)
        for revision, host, case, status, runs in stored
    )
    kept = (row for row in rows if filters.takes_case(row.benchmark, row.host))
    return tuple(sorted(kept, key=attrgetter("benchmark", "test_case_id", "host", "revision_id", "status")))


def quarantine(connection: Connection) -> tuple[Quarantined, ...]:
    """What could not be parsed, newest first."""
    size = (
        select(func.coalesce(func.sum(Artifact.size), 0))
        .join(CaptureFile, CaptureFile.artifact_id == Artifact.id)
        .where(CaptureFile.capture_id == Capture.id)
        .scalar_subquery()
    )
    wanted = (
        select(Capture.id, Capture.source, Host.name, Upload.received_at, Capture.quarantined, size)
        .join(Host, Capture.host_id == Host.id)
        .join(Upload, Capture.upload_id == Upload.id)
        .where(Capture.quarantined != "", Capture.deleted_at.is_(None))
        .order_by(Capture.id.desc())
    )
    return tuple(Quarantined(*row) for row in connection.execute(wanted))


def artifact(connection: Connection, sha256: str) -> bytes:
    """The raw bytes with this digest; empty where there are none."""
    packed = connection.execute(select(Artifact.content).where(Artifact.sha256 == sha256)).scalar()
    return gzip.decompress(packed) if packed else b""


def counts(connection: Connection) -> dict[str, int]:
    """How much is stored, by kind."""
    kinds = {"hosts": Host, "boots": Boot, "revisions": Revision, "time series": TimeSeries, "runs": Run}
    found = {
        name: connection.execute(select(func.count()).select_from(kind)).scalar_one() for name, kind in kinds.items()
    }
    found["values"] = connection.execute(select(func.coalesce(func.sum(Measurement.n), 0))).scalar_one()
    return found


def freshness(connection: Connection) -> str:
    """A short text, equal as long as nothing was stored, re-parsed, deleted or registered: the key of caches.

    Asked on every run of a page, so it looks at the ends of indexes only. What happens without new rows (deleting,
    restoring, parsing anew) leaves a line in the audit trail.
    """
    kinds = (Upload, Capture, Run, Audit, SeriesVersion, Patch)
    newest = (select(func.max(kind.id)).scalar_subquery() for kind in kinds)
    return "-".join(str(part or 0) for part in connection.execute(select(*newest)).one())


def series_freshness(connection: Connection) -> str:
    """A short text, equal as long as the same time series are stored: most uploads bring no new ones."""
    columns = (TimeSeries.id, TimeSeries.test_case_id, TimeSeries.metric_id, TimeSeries.host_id)
    told = connection.execute(select(func.count(), func.max(TimeSeries.id), *map(func.sum, columns))).one()
    return "-".join(str(part or 0) for part in told)


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[i : i + _CHUNK] for i in range(0, len(ids), _CHUNK))
