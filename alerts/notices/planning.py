"""Hands news to sinks: which message goes where, at once or in a digest. Decides nothing about alerts."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr

from sqlalchemy import Connection

from alerts.notices.notice import Kind, Notice, to_json
from alerts.notices.settings import MailSink, Settings, Sink
from db import outbox
from db.outbox import NewMessage, QueuedRow

_STALE = timedelta(days=7)
_GRACE = timedelta(minutes=15)  # a decision may be dated before the end of a day and committed after it
_DAYS = {"daily": 1, "weekly": 7}

# What a piece of news says now; nothing where it is not to be told (muted meanwhile, gone).
Tell = Callable[[Connection, QueuedRow], tuple[Notice, ...]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Messages to put into the outbox, and the news (row ids) that is told by them or to nobody."""

    messages: tuple[NewMessage, ...]
    done: tuple[int, ...]


def plan(connection: Connection, settings: Settings, tell: Tell, now: datetime) -> Plan:
    """What is to be sent by now: news that came in, and digests whose time is over.

    News older than a week goes to nobody at once: a sink that is set up today must not tell the past.
    """
    messages: list[NewMessage] = []
    found = outbox.news(connection)
    for row in found:
        if now - row.created <= _STALE:
            for notice in tell(connection, row):
                messages += [_message(row, notice, sink) for sink in settings.sinks if _at_once(sink, notice)]
    for sink in settings.sinks:
        if sink.choice.when in _DAYS:
            messages += digest(connection, sink, settings, tell, boundary(now - _GRACE, sink.choice.when))
    return Plan(tuple(messages), tuple(row.id for row in found))


def digest(connection: Connection, sink: Sink, settings: Settings, tell: Tell, end: datetime) -> tuple[NewMessage, ...]:
    """The digest of a sink from the end of its last one up to `end`; none where there is nothing to tell."""
    period = sink.choice.when
    last = outbox.last_key(connection, sink.name, Kind.DIGEST.value)
    start = datetime.fromisoformat(json.loads(last.payload)["end"]) if last else end - timedelta(days=_DAYS[period])
    if start >= end:
        return ()
    newest: dict[object, Notice] = {}
    for row in outbox.news_between(connection, start, end):
        for notice in tell(connection, row):
            newest[row.group_id or row.key] = notice
    notices = [one for one in newest.values() if sink.choice.takes(one)]
    if not notices:
        return ()
    key = f"digest {period} {end:%Y-%m-%dT%H:%MZ} to {sink.name}"
    payload = _payload(notices, period=period, end=end.isoformat(), dashboard=settings.dashboard)
    return (NewMessage(key, sink.name, Kind.DIGEST.value, None, payload, message_id(key, sink)),)


def boundary(now: datetime, period: str) -> datetime:
    """The end of the last whole day, or of the last week (Monday, midnight UTC)."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday()) if period == "weekly" else midnight


def message_id(key: str, sink: Sink) -> str:
    """The Message-ID of a message, without brackets: the same key has the same one."""
    address = parseaddr(sink.sender)[1] if isinstance(sink, MailSink) else ""
    domain = address.rpartition("@")[2] or "kvmperf.invalid"
    return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}"


def _at_once(sink: Sink, notice: Notice) -> bool:
    return sink.choice.when == "now" and sink.choice.takes(notice)


def _message(row: QueuedRow, notice: Notice, sink: Sink) -> NewMessage:
    """One message; the time of the decision is in its Message-ID, so that two databases do not share one."""
    key = f"{row.key} to {sink.name}"
    name = message_id(f"{key} {row.created.isoformat()}", sink)
    return NewMessage(key, sink.name, notice.kind.value, row.group_id, _payload([notice]), name)


def _payload(notices: Sequence[Notice], **more: str) -> str:
    return json.dumps({"notices": [to_json(one) for one in notices], **more}, sort_keys=True, allow_nan=False)
