"""Questions of the Hosts page: when a host last said something, and the states that it was measured in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from db.models import Boot, Capture, Host, Run, Upload


@dataclass(frozen=True, slots=True)
class HostRow:
    """A host with what is stored of it. `first` and `last` are starts of runs, `received` its last upload."""

    id: int
    name: str
    runs: int
    boots: int
    first: datetime | None
    last: datetime | None
    received: datetime | None
    state_id: int | None


@dataclass(frozen=True, slots=True)
class InState:
    """The runs of one boot in one host state; an unknown boot is empty, an unknown state None."""

    boot: str
    state_id: int | None
    runs: int
    first: datetime | None
    last: datetime | None


def hosts(connection: Connection) -> tuple[HostRow, ...]:
    """Every host by name. `state_id` is the state of its newest run."""
    counted = select(
        Run.host_id,
        func.count().label("runs"),
        func.count(Run.boot_id.distinct()).label("boots"),
        func.min(Run.started_at).label("first"),
        func.max(Run.started_at).label("last"),
        func.max(Run.id).label("newest"),
    ).group_by(Run.host_id)
    summary = counted.subquery()
    wanted = (
        select(
            Host.id,
            Host.name,
            summary.c.runs,
            summary.c.boots,
            summary.c.first,
            summary.c.last,
            Upload.received_at,
            Run.host_state_id,
        )
        .join(summary, summary.c.host_id == Host.id, isouter=True)
        .join(Run, Run.id == summary.c.newest, isouter=True)
        .join(Capture, Capture.id == Run.capture_id, isouter=True)
        .join(Upload, Upload.id == Capture.upload_id, isouter=True)
        .order_by(Host.name)
    )
    return tuple(HostRow(row[0], row[1], row[2] or 0, row[3] or 0, *row[4:]) for row in connection.execute(wanted))


def in_states(connection: Connection, host_id: int) -> tuple[InState, ...]:
    """The boots and states of a host in the order of their first runs (of storing, where no start is known)."""
    first = func.min(Run.started_at)
    wanted = (
        select(Boot.boot_id, Run.host_state_id, func.count(), first, func.max(Run.started_at))
        .join(Boot, Run.boot_id == Boot.id, isouter=True)
        .where(Run.host_id == host_id)
        .group_by(Boot.boot_id, Run.host_state_id)
        .order_by(first, func.min(Run.id))
    )
    return tuple(InState(row[0] or "", *row[1:]) for row in connection.execute(wanted))
