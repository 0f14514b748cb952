"""The outbox: news written in the transaction that decides it; messages to sinks, sent after it, at least once.

A claim is a lease: a sender that dies leaves a message that is due again when the lease ends. `attempts` fences: who
comes back after its lease has ended can no longer say what became of the message.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from db.alert_models import Notification
from db.bulk import table_of
from db.words import Delivery

_PLANNING_LOCK = 5386011


@dataclass(frozen=True, slots=True)
class QueuedRow:
    """One row of the outbox. `sink` is empty for news; `payload` is JSON; `next_attempt` of a dead one is None."""

    id: int
    key: str
    sink: str
    kind: str
    group_id: int | None
    payload: str
    created: datetime
    state: str
    attempts: int
    next_attempt: datetime | None
    last_error: str
    sent: datetime | None
    message_id: str


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message for one sink, to be put into the outbox."""

    key: str
    sink: str
    kind: str
    group_id: int | None
    payload: str
    message_id: str


def enqueue(
    connection: Connection,
    key: str,
    kind: str,
    payload: Mapping[str, Any],
    *,
    at: datetime,
    group_id: int | None = None,
) -> bool:
    """Put one piece of news into the outbox, for no sink yet; false where news with this key is there already."""
    told = json.dumps(payload, sort_keys=True, allow_nan=False)
    return _add(connection, NewMessage(key, "", kind, group_id, told, ""), at)


def news(connection: Connection) -> tuple[QueuedRow, ...]:
    """News that has not been handed to the sinks yet, oldest first."""
    return _rows(connection, _COLUMNS.where(_N.sink == "", _N.state == Delivery.PENDING).order_by(_N.id))


def news_between(connection: Connection, start: datetime, end: datetime) -> tuple[QueuedRow, ...]:
    """All news decided after `start` up to `end`, handed over or not, oldest first: what a digest tells."""
    return _rows(
        connection, _COLUMNS.where(_N.sink == "", _N.created > start, _N.created <= end).order_by(_N.created, _N.id)
    )


def lock_planning(connection: Connection) -> None:
    """Let no second planner in until this transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _PLANNING_LOCK})


def hand_over(connection: Connection, done: Collection[int], messages: Sequence[NewMessage], at: datetime) -> int:
    """Put messages into the outbox and mark the news that they tell; the number of messages that are new."""
    added = sum(_add(connection, one, at) for one in messages)
    for row_id in done:
        connection.execute(update(Notification).where(_N.id == row_id).values(state=Delivery.SENT.value, sent=at))
    return added


def last_key(connection: Connection, sink: str, kind: str) -> QueuedRow | None:
    """The newest message of a kind to a sink; None where there is none."""
    rows = _rows(connection, _COLUMNS.where(_N.sink == sink, _N.kind == kind).order_by(_N.id.desc()).limit(1))
    return rows[0] if rows else None


def thread(connection: Connection, row: QueuedRow) -> str:
    """The Message-ID of the first message about the same group to the same sink; empty for the first itself."""
    first = connection.execute(
        select(_N.message_id)
        .where(_N.sink == row.sink, _N.group_id == row.group_id, _N.id < row.id, _N.state != Delivery.DEAD)
        .order_by(_N.id)
        .limit(1)
    ).scalar()
    return first or ""


def claim(connection: Connection, sinks: Collection[str], now: datetime, lease: timedelta) -> QueuedRow | None:
    """The next message that is due, leased to the caller; None where nothing is.

    Messages about one group leave in their order: a later one waits while an earlier one is pending. Two senders at
    once get different messages: only one finds the row as it was.
    """
    earlier = aliased(Notification)
    waits = exists().where(
        earlier.sink == _N.sink,
        earlier.group_id == _N.group_id,
        earlier.id < _N.id,
        earlier.state == Delivery.PENDING,
    )
    due = _COLUMNS.where(
        _N.state == Delivery.PENDING, _N.next_attempt <= now, _N.sink.in_(sinks), _N.sink != "", ~waits
    )
    for row in _rows(connection, due.order_by(_N.next_attempt, _N.id).limit(20)):
        taken = connection.execute(
            update(Notification)
            .where(_is_still(row.id, row.attempts))
            .values(attempts=row.attempts + 1, next_attempt=now + lease)
        )
        if taken.rowcount:
            return QueuedRow(**{**_told(row), "attempts": row.attempts + 1, "next_attempt": now + lease})
    return None


def mark_sent(connection: Connection, row: QueuedRow, at: datetime, remark: str = "") -> bool:
    """Write down that a claimed message has arrived; false where the lease had ended and another sender has it."""
    return _settle(connection, row, state=Delivery.SENT.value, sent=at, next_attempt=None, last_error=remark)


def postpone(connection: Connection, row: QueuedRow, until: datetime, said: str) -> bool:
    """Give a claimed message back, due again at a later time."""
    return _settle(connection, row, next_attempt=until, last_error=said)


def bury(connection: Connection, row: QueuedRow, said: str) -> bool:
    """Give a claimed message up: a dead letter, shown until somebody sends it again or drops it."""
    return _settle(connection, row, state=Delivery.DEAD.value, next_attempt=None, last_error=said)


def revive(connection: Connection, ids: Collection[int], now: datetime) -> int:
    """Make dead or waiting messages due now, with all their attempts before them; how many."""
    unsent = _N.state.in_((Delivery.DEAD, Delivery.PENDING))
    done = connection.execute(
        update(Notification)
        .where(_N.id.in_(ids), _N.sink != "", unsent)
        .values(state=Delivery.PENDING.value, attempts=0, next_attempt=now)
    )
    return done.rowcount


def unsent(connection: Connection, *, state: str = "", most: int = 1000) -> tuple[QueuedRow, ...]:
    """Messages that have not arrived: dead ones first, then pending ones by the time they are due."""
    states = (state,) if state else (Delivery.DEAD.value, Delivery.PENDING.value)
    found = _COLUMNS.where(_N.sink != "", _N.state.in_(states)).order_by(_N.state, _N.next_attempt, _N.id)
    return _rows(connection, found.limit(most))


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many messages there are, per sink and state; news under an empty sink."""
    found = connection.execute(
        select(_N.sink, _N.state, func.count()).group_by(_N.sink, _N.state).order_by(_N.sink, _N.state)
    )
    return {(sink, state): count for sink, state, count in found}


_N = Notification
_COLUMNS = select(*(getattr(Notification, name) for name in QueuedRow.__slots__))


def _rows(connection: Connection, query: Select[Any]) -> tuple[QueuedRow, ...]:  # Any: the columns of QueuedRow
    return tuple(QueuedRow(*row) for row in connection.execute(query))


def _told(row: QueuedRow) -> dict[str, Any]:  # Any: each field has a type of its own
    return {name: getattr(row, name) for name in QueuedRow.__slots__}


def _is_still(row_id: int, attempts: int) -> Any:  # Any: SQLAlchemy's condition
    return (_N.id == row_id) & (_N.state == Delivery.PENDING) & (_N.attempts == attempts)


def _settle(connection: Connection, row: QueuedRow, **values: object) -> bool:
    done = connection.execute(update(Notification).where(_is_still(row.id, row.attempts)).values(values))
    return bool(done.rowcount)


def _add(connection: Connection, message: NewMessage, at: datetime) -> bool:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {
        **{name: getattr(message, name) for name in NewMessage.__slots__},
        "created": at,
        "next_attempt": at,
        "last_error": "",
        "state": Delivery.PENDING.value,
        "attempts": 0,
    }
    table = table_of(Notification)
    done = connection.execute(dialect.insert(table).values(row).on_conflict_do_nothing().returning(table.c.id))
    return done.first() is not None
