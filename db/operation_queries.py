"""Questions of the Operation and Inbox pages: what came in, how much is stored, what ended badly last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, exists, func, select, text
from sqlalchemy.orm import aliased

from db.models import Artifact, Audit, Benchmark, Boot, Capture, Host, Measurement, Revision, Run, TestCase, Upload
from db.models import TimeSeries as Series


@dataclass(frozen=True, slots=True)
class UploadRow:
    """One upload with what came of it."""

    received_at: datetime
    origin: str
    captures: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of the database, of the raw outputs in it, and of these as they were before compression."""

    database: int
    packed: int
    raw: int


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the audit trail."""

    at: datetime
    actor: str
    action: str
    subject: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a test case ended on a host at the revision that was measured last there, where that was no pass.

    `run_id` is the newest such run; `passed_before` says that the case passed there at another revision.
    """

    host: str
    benchmark: str
    params: Mapping[str, str | int | float | bool]
    revision_id: int
    status: str
    runs: int
    run_id: int
    passed_before: bool


@dataclass(frozen=True, slots=True)
class Arrived:
    """A revision with its runs, the one with the newest run first."""

    revision_id: int
    runs: int
    newest: int


def uploads(connection: Connection, limit: int = 200) -> tuple[UploadRow, ...]:
    """The newest uploads first."""
    newest = select(Upload.id, Upload.received_at, Upload.origin).order_by(Upload.id.desc()).limit(limit).subquery()
    quarantined = func.sum(case((Capture.quarantined != "", 1), else_=0))
    wanted = (
        select(newest.c.received_at, newest.c.origin, func.count(Capture.id), quarantined)
        .join(Capture, Capture.upload_id == newest.c.id, isouter=True)
        .group_by(newest.c.id, newest.c.received_at, newest.c.origin)
        .order_by(newest.c.id.desc())
    )
    return tuple(UploadRow(row[0], row[1], row[2], int(row[3] or 0)) for row in connection.execute(wanted))


def amounts(connection: Connection) -> dict[str, int]:
    """How many rows of each kind are stored."""
    kinds: dict[str, ColumnElement[int]] = {
        "hosts": func.count(Host.id),
        "boots": func.count(Boot.id),
        "revisions": func.count(Revision.id),
        "time series": func.count(Series.id),
        "captures": func.count(Capture.id),
        "runs": func.count(Run.id),
        "measurements": func.count(Measurement.run_id),
    }
    return {name: connection.execute(select(kind)).scalar_one() for name, kind in kinds.items()}


def sizes(connection: Connection) -> Sizes:
    """How much room it takes."""
    if connection.dialect.name == "postgresql":
        whole = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    else:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        whole = pages * connection.execute(text("PRAGMA page_size")).scalar_one()
    stored = select(
        func.coalesce(func.sum(func.length(Artifact.content)), 0), func.coalesce(func.sum(Artifact.size), 0)
    )
    packed, raw = connection.execute(stored).one()
    return Sizes(int(whole), int(packed), int(raw))


def acts(connection: Connection, limit: int = 100) -> tuple[Act, ...]:
    """The newest lines of the audit trail first."""
    wanted = select(Audit.at, Audit.actor, Audit.action, Audit.subject).order_by(Audit.id.desc()).limit(limit)
    return tuple(Act(*row) for row in connection.execute(wanted))


def ended_badly(connection: Connection) -> tuple[Ended, ...]:
    """Test cases that did not pass at the revision that was measured last on their host, the newest first."""
    other = aliased(Run)
    same = (other.test_case_id == Run.test_case_id) & (other.host_id == Run.host_id) & other.reported.is_(False)
    last = select(other.revision_id).where(same).order_by(other.id.desc()).limit(1).correlate(Run).scalar_subquery()
    passed = exists().where(same, other.status == "pass", other.revision_id != Run.revision_id).correlate(Run)
    newest = func.max(Run.id)
    wanted = (
        select(
            Host.name,
            Benchmark.name,
            TestCase.params,
            Run.revision_id,
            Run.status,
            func.count(),
            newest,
            func.max(case((passed, 1), else_=0)),
        )
        .join(Host, Run.host_id == Host.id)
        .join(TestCase, Run.test_case_id == TestCase.id)
        .join(Benchmark, TestCase.benchmark_id == Benchmark.id)
        .where(Run.status != "pass", Run.reported.is_(False), Run.revision_id == last)
        .group_by(Host.name, Benchmark.name, TestCase.id, Run.revision_id, Run.status)
        .order_by(newest.desc())
    )
    return tuple(
        Ended(host, benchmark, params, revision, status, runs, run, bool(passes))
        for host, benchmark, params, revision, status, runs, run, passes in connection.execute(wanted)
    )


def arrived(connection: Connection, limit: int = 20) -> tuple[Arrived, ...]:
    """The revisions that runs came in for last."""
    newest = func.max(Run.id)
    wanted = select(Run.revision_id, func.count(), newest).group_by(Run.revision_id).order_by(newest.desc())
    return tuple(Arrived(*row) for row in connection.execute(wanted.limit(limit)))
