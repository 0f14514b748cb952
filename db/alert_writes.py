"""Writes alerts: groups, their members, their history. Callers own the transaction and decide what is written."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from db.alert_models import AlertEvent, AlertGroup, AlertMember
from db.bulk import add_all

Columns = Mapping[str, Any]  # Any: column values

_EMPTY: Columns = {
    "line": "",
    "subject": "",
    "base_revision_id": None,
    "head_revision_id": None,
    "detail": {},
    "announced_at": None,
    "closed_at": None,
    "closed_because": "",
    "reverts_id": None,
    "triage": "new",
    "owner": "",
    "note": "",
    "link": "",
    "muted_until": None,
    "mute_reason": "",
}


def add_group(connection: Connection, columns: Columns) -> int:
    """Store a group; its id. `kind`, `evidence` and `opened_at` must be there, the rest may."""
    row = {**_EMPTY, **columns}
    done = connection.execute(insert(AlertGroup).values(row).returning(AlertGroup.id))
    return done.scalar_one()


def change_group(connection: Connection, group_id: int, columns: Columns) -> None:
    """Change columns of a group."""
    connection.execute(update(AlertGroup).where(AlertGroup.id == group_id).values(dict(columns)))


def set_members(connection: Connection, group_id: int, members: Sequence[Columns]) -> None:
    """Make these the members of a group."""
    connection.execute(delete(AlertMember).where(AlertMember.group_id == group_id))
    add_all(connection, AlertMember, [{"group_id": group_id, **one} for one in members])


def add_event(connection: Connection, group_id: int, at: datetime, act: tuple[str, str], detail: Columns) -> int:
    """Write one line of a group's history, `act` being actor and action; its id."""
    actor, action = act
    row = {"group_id": group_id, "at": at, "actor": actor[:200], "action": action, "detail": dict(detail)}
    done = connection.execute(insert(AlertEvent).values(row).returning(AlertEvent.id))
    return done.scalar_one()
