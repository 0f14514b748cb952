"""Sends what is in the outbox, at least once: claim, deliver, mark, each in a transaction of its own.

Nothing is sent inside a transaction. A sender that is killed between sending and marking sends again after the lease,
with the same Message-ID and the same idempotency key: the reader sees it once.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from alerts.notices import files, mail, webhook
from alerts.notices.delivery import DeliveryError, Letter
from alerts.notices.notice import from_json
from alerts.notices.planning import Tell, plan
from alerts.notices.settings import FileSink, MailSink, Settings, Sink, WebhookSink
from db import outbox
from db.engine import reading, writing
from db.outbox import QueuedRow

log = logging.getLogger("kvmperf.notify")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one try may take, how long to wait between tries, and how many there are: about a day of them."""

    lease: timedelta = timedelta(minutes=15)
    first_wait: timedelta = timedelta(seconds=30)
    longest_wait: timedelta = timedelta(hours=6)
    tries: int = 14

    def wait(self, attempts: int) -> timedelta:
        """The pause after so many failed tries: twice as long each time."""
        doublings = min(max(attempts - 1, 0), 20)
        return min(self.first_wait * (1 << doublings), self.longest_wait)


@dataclass(slots=True)
class Tally:
    """What one pass did; `failures` are lines for people."""

    sent: int = 0
    postponed: int = 0
    dead: int = 0
    failures: list[str] = field(default_factory=list)


def now_utc() -> datetime:
    """The clock of senders."""
    return datetime.now(UTC)


def hand_over(engine: Engine, settings: Settings, tell: Tell, now: datetime) -> int:
    """Put what is to be told by now into the outbox, one message a sink; how many are new."""
    with writing(engine) as connection:
        outbox.lock_planning(connection)
        found = plan(connection, settings, tell, now)
        return outbox.hand_over(connection, found.done, found.messages, now)


def send_due(
    engine: Engine,
    settings: Settings,
    patience: Patience | None = None,
    clock: Callable[[], datetime] = now_utc,
    is_over: Callable[[], bool] = lambda: False,
) -> Tally:
    """Send every message that is due, until none is or `is_over` says so between two of them.

    A sink that fails is left alone for the rest of the pass: one dead server must not hold up the others.
    """
    patience = patience or Patience()
    tally = Tally()
    sinks = {one.name: one for one in settings.sinks}
    while sinks and not is_over():
        with writing(engine) as connection:
            row = outbox.claim(connection, sorted(sinks), clock(), patience.lease)
        if row is None:
            break
        with reading(engine) as connection:
            letter = letter_of(connection, row)
        try:
            remark = deliver(letter, sinks[row.sink], is_repeat=row.attempts > 1)
        except DeliveryError as error:
            _failed(engine, row, error, patience, clock(), tally)
            sinks.pop(row.sink if not error.for_good else "", None)
        else:
            _arrived(engine, row, remark, clock(), tally)
    return tally


def letter_of(connection: Connection, row: QueuedRow) -> Letter:
    """The message of a row, with what it answers: the cover letter, and the first message about its group."""
    told = json.loads(row.payload)
    notices = tuple(from_json(one) for one in told["notices"])
    period = told.get("period", "")
    first = outbox.thread(connection, row) if row.group_id is not None else ""
    answers = () if period else tuple(one for one in (notices[0].cover, first) if one)
    at = datetime.fromisoformat(told["end"]) if period else notices[0].at
    return Letter(row.key, row.message_id, at, notices, answers, period, told.get("dashboard", ""))


def deliver(letter: Letter, sink: Sink, *, is_repeat: bool = False) -> str:
    """Hand a message to its sink; a remark for people, mostly empty. DeliveryError where it was not taken."""
    if isinstance(sink, MailSink):
        return mail.send(letter, sink)
    if isinstance(sink, WebhookSink):
        return webhook.send(letter, sink)
    assert isinstance(sink, FileSink)  # noqa: S101 (the settings know three kinds)
    return files.send(letter, sink, is_repeat=is_repeat)


def _arrived(engine: Engine, row: QueuedRow, remark: str, now: datetime, tally: Tally) -> None:
    with writing(engine) as connection:
        is_ours = outbox.mark_sent(connection, row, now, remark)
    tally.sent += 1
    if remark:
        tally.failures.append(f"message {row.id} to {row.sink}: sent, but {remark}")
    late = "" if is_ours else " (the lease had ended: another sender may have sent it too)"
    log.info("sent message %d to %s: %s%s", row.id, row.sink, row.key, late)


def _failed(
    engine: Engine, row: QueuedRow, error: DeliveryError, patience: Patience, now: datetime, tally: Tally
) -> None:
    is_last = error.for_good or row.attempts >= patience.tries
    until = now + max(patience.wait(row.attempts), timedelta(seconds=error.wait_s))
    with writing(engine) as connection:
        if is_last:
            outbox.bury(connection, row, str(error))
        else:
            outbox.postpone(connection, row, until, str(error))
    tally.dead += is_last
    tally.postponed += not is_last
    fate = "given up" if is_last else f"again after {until:%H:%M} UTC"
    tally.failures.append(f"message {row.id} to {row.sink}: {error}; {fate}")
    log.warning("did not send message %d to %s (try %d): %s; %s", row.id, row.sink, row.attempts, error, fate)
