"""Questions of the Run page: one run with its context, the runs beside it, the newest runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select

from db.models import Artifact, Benchmark, Boot, Capture, Host, HostState, Run, TestCase, Upload

_MOST = 500  # runs beside one


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run with everything known about where it came from. `position` is its place among the runs of its capture."""

    id: int
    capture_id: int
    position: int
    benchmark: str
    test_case_id: int
    params: Mapping[str, str | int | float | bool]
    host_id: int
    host: str
    boot_id: int | None
    boot: str
    revision_id: int
    status: str
    exit_status: int | None
    command: str
    source: str
    started_at: datetime | None
    ended_at: datetime | None
    received_at: datetime
    origin: str
    format: str
    format_version: int
    warnings: tuple[str, ...]
    labels: Mapping[str, str]
    tags: Mapping[str, str]
    reported: bool
    state: Mapping[str, str]
    facts: str


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in a list."""

    id: int
    revision_id: int
    benchmark: str
    params: Mapping[str, str | int | float | bool]
    host: str
    boot: str
    status: str
    started_at: datetime | None
    source: str


def facts(connection: Connection, run_id: int) -> tuple[RunFacts, ...]:
    """The run with this id, or nothing. `facts` is the SHA-256 of the host facts it came with, or empty."""
    wanted = (
        select(
            Run.id,
            Run.capture_id,
            Run.position,
            Benchmark.name.label("benchmark"),
            Run.test_case_id,
            TestCase.params,
            Run.host_id,
            Host.name.label("host"),
            Run.boot_id,
            Boot.boot_id.label("boot"),
            Run.revision_id,
            Run.status,
            Capture.exit_status,
            Capture.command,
            Capture.source,
            Run.started_at,
            Capture.ended_at,
            Upload.received_at,
            Upload.origin,
            Run.format,
            Run.format_version,
            Run.warnings,
            Run.labels,
            Capture.tags,
            Run.reported,
            HostState.fields.label("state"),
            Artifact.sha256.label("facts"),
        )
        .join(Capture, Run.capture_id == Capture.id)
        .join(Upload, Capture.upload_id == Upload.id)
        .join(TestCase, Run.test_case_id == TestCase.id)
        .join(Benchmark, TestCase.benchmark_id == Benchmark.id)
        .join(Host, Run.host_id == Host.id)
        .join(Boot, Run.boot_id == Boot.id, isouter=True)
        .join(HostState, Run.host_state_id == HostState.id, isouter=True)
        .join(Artifact, Capture.facts_id == Artifact.id, isouter=True)
        .where(Run.id == run_id, Capture.deleted_at.is_(None))
    )
    return tuple(_facts(row) for row in connection.execute(wanted).mappings())


def beside(connection: Connection, run: RunFacts, limit: int = _MOST) -> tuple[RunLine, ...]:
    """The runs of the same boot, this one too, in the order in which they were made; none where the boot is unknown."""
    if run.boot_id is None:
        return ()
    wanted = _LINES.where(Run.host_id == run.host_id, Run.boot_id == run.boot_id)
    return _lines(connection, wanted.order_by(Run.started_at, Run.id).limit(limit))


def same_point(connection: Connection, run: RunFacts, limit: int = _MOST) -> tuple[RunLine, ...]:
    """The runs that a point of a trend is made of: this revision, test case and host, over all boots."""
    wanted = _LINES.where(
        Run.revision_id == run.revision_id, Run.test_case_id == run.test_case_id, Run.host_id == run.host_id
    )
    return _lines(connection, wanted.order_by(Run.started_at, Run.id).limit(limit))


def newest(connection: Connection, status: str = "", limit: int = 200) -> tuple[RunLine, ...]:
    """The runs stored last, newest first. `status`: a status, `not pass`, or empty for all."""
    wanted = _LINES.order_by(Run.id.desc()).limit(limit)
    if status == "not pass":
        wanted = wanted.where(Run.status != "pass")
    elif status:
        wanted = wanted.where(Run.status == status)
    return _lines(connection, wanted)


def longest(connection: Connection) -> tuple[tuple[str, int, int, int], ...]:
    """Each test case with how far its history reaches: (benchmark, test case, revisions, runs), passed runs only."""
    counted = (
        select(Run.test_case_id, func.count(Run.revision_id.distinct()).label("revisions"), func.count().label("runs"))
        .where(Run.status == "pass", Run.reported.is_(False))
        .group_by(Run.test_case_id)
        .subquery()
    )
    wanted = (
        select(Benchmark.name, TestCase.id, counted.c.revisions, counted.c.runs)
        .join(TestCase, TestCase.id == counted.c.test_case_id)
        .join(Benchmark, TestCase.benchmark_id == Benchmark.id)
    )
    return tuple((row[0], row[1], row[2], row[3]) for row in connection.execute(wanted))


_LINES = (
    select(
        Run.id,
        Run.revision_id,
        Benchmark.name.label("benchmark"),
        TestCase.params,
        Host.name.label("host"),
        Boot.boot_id.label("boot"),
        Run.status,
        Run.started_at,
        Capture.source,
    )
    .join(Capture, Run.capture_id == Capture.id)
    .join(TestCase, Run.test_case_id == TestCase.id)
    .join(Benchmark, TestCase.benchmark_id == Benchmark.id)
    .join(Host, Run.host_id == Host.id)
    .join(Boot, Run.boot_id == Boot.id, isouter=True)
    .where(Capture.deleted_at.is_(None))
)


def _lines(connection: Connection, wanted: Select[*tuple[Any, ...]]) -> tuple[RunLine, ...]:  # Any: as _LINES
    rows = connection.execute(wanted).mappings()
    return tuple(RunLine(**{**row, "boot": row["boot"] or ""}) for row in rows)


def _facts(row: RowMapping) -> RunFacts:
    told = dict(row)
    empty = {"boot": "", "command": "", "state": {}, "facts": ""}
    told |= {name: value for name, value in empty.items() if told[name] is None}
    return RunFacts(**{**told, "warnings": tuple(told["warnings"])})
