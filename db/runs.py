"""Questions about single runs: lists of them, and one with everything it measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from db.models import Artifact, Benchmark, Boot, Capture, CaptureFile, Host, Measurement, Metric, Run, TestCase
from db.models import TimeSeries as Series
from db.types import Floats

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RunFilters:
    """Which runs are asked for; exact names, empty: all. `benchmark` is `suite/program` or the program alone."""

    benchmark: str = ""
    host: str = ""
    boot: str = ""
    revision_id: int | None = None
    status: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run with the context of its capture."""

    id: int
    capture_id: int
    benchmark: str
    params: Mapping[str, str | int | float | bool]
    host: str
    boot: str
    revision_id: int
    status: str
    started_at: datetime | None
    format: str
    format_version: int
    warnings: tuple[str, ...]
    labels: Mapping[str, str]
    reported: bool
    source: str
    command: str


@dataclass(frozen=True, slots=True)
class Measured:
    """The values of one metric in one run, the first `warmup` of them never judged."""

    series_id: int
    metric: str
    unit: str
    better: str
    warmup: int
    values: Floats


def runs(connection: Connection, filters: RunFilters, after: int = 0, limit: int = 100) -> tuple[RunRow, ...]:
    """Runs in the order in which they were stored, those with a larger id than `after`."""
    wanted = _filtered(_RUNS, filters).where(Run.id > after).order_by(Run.id).limit(limit)
    return tuple(_row(row) for row in connection.execute(wanted))


def run(connection: Connection, run_id: int) -> tuple[RunRow, ...]:
    """The run with this id, or nothing."""
    return tuple(_row(row) for row in connection.execute(_RUNS.where(Run.id == run_id)))


def measured(connection: Connection, run_id: int) -> tuple[Measured, ...]:
    """What a run measured, by metric."""
    wanted = (
        select(Series.id, Metric.name, Metric.unit, Metric.better, Measurement.warmup, Measurement.values)
        .join(Series, Measurement.time_series_id == Series.id)
        .join(Metric, Series.metric_id == Metric.id)
        .where(Measurement.run_id == run_id)
        .order_by(Metric.name, Metric.id)
    )
    return tuple(Measured(*row) for row in connection.execute(wanted))


def files(connection: Connection, capture_id: int) -> dict[str, str]:
    """The raw files of a capture: name to SHA-256."""
    wanted = (
        select(CaptureFile.name, Artifact.sha256)
        .join(Artifact, CaptureFile.artifact_id == Artifact.id)
        .where(CaptureFile.capture_id == capture_id)
        .order_by(CaptureFile.name)
    )
    return {row.name: row.sha256 for row in connection.execute(wanted)}


_RUNS = (
    select(
        Run.id,
        Run.capture_id,
        Benchmark.name.label("benchmark"),
        TestCase.params,
        Host.name.label("host"),
        Boot.boot_id.label("boot"),
        Run.revision_id,
        Run.status,
        Run.started_at,
        Run.format,
        Run.format_version,
        Run.warnings,
        Run.labels,
        Run.reported,
        Capture.source,
        Capture.command,
    )
    .join(TestCase, Run.test_case_id == TestCase.id)
    .join(Benchmark, TestCase.benchmark_id == Benchmark.id)
    .join(Host, Run.host_id == Host.id)
    .join(Capture, Run.capture_id == Capture.id)
    .join(Boot, Run.boot_id == Boot.id, isouter=True)
    .where(Capture.deleted_at.is_(None))
)


def _filtered(wanted: Select[*tuple[Any, ...]], filters: RunFilters) -> Select[*tuple[Any, ...]]:  # Any: as _RUNS
    conditions = (
        (filters.benchmark, (Benchmark.name == filters.benchmark) | Benchmark.name.endswith(f"/{filters.benchmark}")),
        (filters.host, Host.name == filters.host),
        (filters.boot, Boot.boot_id == filters.boot),
        (filters.revision_id is not None, Run.revision_id == filters.revision_id),
        (filters.status, Run.status == filters.status),
        (filters.since is not None, Run.started_at >= (filters.since or _EVER)),
    )
    return wanted.where(*(condition for given, condition in conditions if given))


def _row(row: Row[Any]) -> RunRow:  # Any: the columns of _RUNS
    told = row._asdict()
    return RunRow(
        **{
            **told,
            "boot": told["boot"] or "",
            "command": told["command"] or "",
            "warnings": tuple(told["warnings"]),
        }
    )
