"""Questions to the database, one function each. Frozen values out, in a stated order; callers own the connection."""

import gzip
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
from sqlalchemy import Connection, Row, func, select

from db.models import (
    Artifact,
    Benchmark,
    Boot,
    Capture,
    CaptureFile,
    Host,
    HostState,
    Measurement,
    Metric,
    PatchSeries,
    Revision,
    Run,
    SeriesVersion,
    TestCase,
    TimeSeries,
    Upload,
)
from db.types import Floats
from db.values import BootRow, IntArray, Quarantined, RevisionRow, RunCount, SampleTable, SeriesRow

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
        program = series.benchmark.rsplit("/", 1)[-1]
        return (
            _matches(self.benchmark, series.benchmark, program)
            and _matches(self.metric, series.metric, series.metric.split(".", 1)[0])
            and _matches(self.host, series.host)
        )


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
        RevisionRow(
            id=row.id,
            kernel=row.kernel,
            commit=row.commit,
            label=row.label,
            subject=row.subject,
            committed_at=row.committed_at,
            first_seen_at=row.first_seen_at,
            series=row.name or "",
            version=row.version,
            patch=row.patch_k,
        )
        for row in connection.execute(wanted)
    ]
    return tuple(sorted(found, key=lambda revision: revision.order))


def series(connection: Connection, filters: Filters = Filters()) -> tuple[SeriesRow, ...]:
    """The time series that pass the filters, ordered by benchmark, test case, host, metric."""
    wanted = (
        select(
            TimeSeries.id,
            Host.name.label("host"),
            Benchmark.name.label("benchmark"),
            TestCase.id.label("case_id"),
            TestCase.params,
            Metric.name.label("metric"),
            Metric.unit,
            Metric.better,
        )
        .join(Host, TimeSeries.host_id == Host.id)
        .join(TestCase, TimeSeries.test_case_id == TestCase.id)
        .join(Metric, TimeSeries.metric_id == Metric.id)
        .join(Benchmark, TestCase.benchmark_id == Benchmark.id)
        .order_by(Benchmark.name, TestCase.id, Host.name, Metric.id)
    )
    rows = (
        SeriesRow(row.id, row.host, row.benchmark, row.case_id, row.params, row.metric, row.unit, row.better)
        for row in connection.execute(wanted)
    )
    return tuple(row for row in rows if filters.takes(row))


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


def samples(
    connection: Connection,
    series_ids: Collection[int],
    revision_ids: Collection[int] | None = None,
    boot_ids: Collection[int] | None = None,
    *,
    reported: bool = False,
) -> SampleTable:
    """The measurements of these time series at these revisions (None: all) in these boots (None: all).

    Measured runs only, or with `reported` those taken from mails only: the two never mix.
    """
    wanted = (
        select(
            Measurement.time_series_id,
            Measurement.run_id,
            Run.revision_id,
            Run.boot_id,
            Run.host_state_id,
            Run.started_at,
            Measurement.n,
            Measurement.warmup,
            Measurement.values,
        )
        .join(Run, Measurement.run_id == Run.id)
        .join(Capture, Run.capture_id == Capture.id)
        .where(Run.reported.is_(reported), Capture.deleted_at.is_(None))
    )
    if revision_ids is not None:
        wanted = wanted.where(Run.revision_id.in_(sorted(revision_ids)))
    rows: list[Row[*tuple[object, ...]]] = []
    for part in _chunks(sorted(series_ids)):
        rows += connection.execute(wanted.where(Measurement.time_series_id.in_(part))).all()
    if boot_ids is not None:
        rows = [row for row in rows if row.boot_id in boot_ids]
    return _columns(rows)


def _columns(rows: Sequence[Row[*tuple[object, ...]]]) -> SampleTable:
    def column(name: str) -> IntArray:
        return np.array([-1 if (value := getattr(row, name)) is None else value for row in rows], dtype=np.int64)

    ordered = np.lexsort((column("run_id"), column("boot_id"), column("revision_id"), column("time_series_id")))
    rows = [rows[i] for i in ordered]
    judged = [row.values[row.warmup :] for row in rows]
    return SampleTable(
        series=column("time_series_id"),
        run=column("run_id"),
        revision=column("revision_id"),
        boot=column("boot_id"),
        state=column("host_state_id"),
        started=np.array([row.started_at.timestamp() if row.started_at else np.nan for row in rows], dtype=np.float64),
        counts=np.array([len(values) for values in judged], dtype=np.int64),
        values=_joined(judged),
    )


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.empty(0)


def run_counts(
    connection: Connection, revision_ids: Collection[int], filters: Filters, boot_ids: Collection[int] | None = None
) -> tuple[RunCount, ...]:
    """How runs ended, per revision, host, test case and status: what failed and what is missing."""
    wanted = (
        select(
            Run.revision_id,
            Host.name.label("host"),
            Benchmark.name.label("benchmark"),
            TestCase.id.label("case_id"),
            TestCase.params,
            Run.status,
            func.count().label("runs"),
        )
        .join(Host, Run.host_id == Host.id)
        .join(TestCase, Run.test_case_id == TestCase.id)
        .join(Benchmark, TestCase.benchmark_id == Benchmark.id)
        .where(Run.revision_id.in_(sorted(revision_ids)), Run.reported.is_(False))
        .group_by(Run.revision_id, Host.name, Benchmark.name, TestCase.id, Run.status)
        .order_by(Benchmark.name, TestCase.id, Host.name, Run.revision_id, Run.status)
    )
    if boot_ids is not None:
        wanted = wanted.where(Run.boot_id.in_(sorted(boot_ids)))
    program = filters.benchmark
    return tuple(
        RunCount(*row)
        for row in connection.execute(wanted)
        if _matches(program, row.benchmark, row.benchmark.rsplit("/", 1)[-1]) and _matches(filters.host, row.host)
    )


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
    """A short text, equal as long as nothing was stored, re-parsed or deleted: the key of caches. Cheap."""
    newest = [connection.execute(select(func.max(kind.id))).scalar() or 0 for kind in (Upload, Capture, Run)]
    deleted = connection.execute(
        select(func.count(), func.max(Capture.deleted_at)).where(Capture.deleted_at.is_not(None))
    ).one()
    return "-".join(str(part) for part in (*newest, deleted[0], deleted[1] or ""))


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[i : i + _CHUNK] for i in range(0, len(ids), _CHUNK))
