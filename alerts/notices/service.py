"""What `kvmperf notify` does: a round of planning and sending, a rehearsal, a look at the outbox."""

import json
import signal
from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import datetime
from threading import Event

from sqlalchemy import Engine

from alerts.notices import files, mail, planning, sending, webhook
from alerts.notices.delivery import DeliveryError, Letter
from alerts.notices.notice import Kind, Moved, Notice
from alerts.notices.planning import Tell
from alerts.notices.settings import FileSink, MailSink, Settings, Sink, WebhookSink
from alerts.notices.telling import teller
from alerts.why import why
from db import outbox
from db.engine import reading, writing
from db.errors import UserError
from db.outbox import NewMessage, QueuedRow

Say = Callable[[str], None]


class UndeliveredError(UserError):
    """Something did not arrive; it stays in the outbox."""

    exit_code = 3


def run(engine: Engine, settings: Settings, period: str, every_s: float | None, say: Say) -> None:
    """One round, or rounds until a signal says stop. A message on its way is finished first.

    Raises UndeliveredError after a single round in which something did not arrive.
    """
    stop = Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
    try:
        _rounds(engine, settings, period, (every_s, stop), say)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _rounds(engine: Engine, settings: Settings, period: str, pace: tuple[float | None, Event], say: Say) -> None:
    every_s, stop = pace
    while not stop.is_set():
        told = _round(engine, settings, period, stop)
        for line in told.failures:
            say(f"kvmperf notify: {line}")
        if told.sent or every_s is None:
            say(f"kvmperf notify: {told.sent} sent, {told.postponed} to be sent again, {told.dead} given up")
        if every_s is None:
            if told.postponed or told.dead:
                raise UndeliveredError("not everything arrived", "kvmperf notify outbox lists it")
            return
        period = ""
        stop.wait(every_s)


def _round(engine: Engine, settings: Settings, period: str, stop: Event) -> sending.Tally:
    now = sending.now_utc()
    tell = teller(settings.dashboard, why, now)
    if period:
        with writing(engine) as connection:
            outbox.lock_planning(connection)
            made = _digests(engine, settings, period, tell, now)
            outbox.hand_over(connection, (), made, now)
    sending.hand_over(engine, settings, tell, now)
    return sending.send_due(engine, settings, is_over=stop.is_set)


def _digests(engine: Engine, settings: Settings, period: str, tell: Tell, now: datetime) -> list[NewMessage]:
    """Digests up to this minute, of the sinks that take such digests."""
    sinks = [one for one in settings.sinks if one.choice.when == period]
    if not sinks:
        raise UserError(f"no sink takes a {period} digest", f'when = "{period}" in a [[sink]]')
    end = now.replace(second=0, microsecond=0)
    with reading(engine) as connection:
        return [one for sink in sinks for one in planning.digest(connection, sink, settings, tell, end)]


def rehearse(engine: Engine, settings: Settings, period: str) -> str:
    """Everything that a round would send, as each sink would get it. Changes nothing."""
    now = sending.now_utc()
    tell = teller(settings.dashboard, why, now)
    with reading(engine) as connection:
        made = list(planning.plan(connection, settings, tell, now).messages)
        waiting = [one for one in outbox.unsent(connection, state="pending") if (one.next_attempt or now) <= now]
    if period:
        made += _digests(engine, settings, period, tell, now)
    rows = [*waiting, *(_as_row(one, now) for one in made)]
    shown = [_shown(engine, row, sink) for row in rows if (sink := settings.sink(row.sink))]
    return "".join(shown) or "nothing to send\n"


def _as_row(message: NewMessage, now: datetime) -> QueuedRow:
    """A message that is not in the outbox, as if it were its last row."""
    return QueuedRow(
        2**62, message.key, message.sink, message.kind, message.group_id, message.payload, now, "pending", 0, now, "",
        None, message.message_id,
    )  # fmt: skip


def _shown(engine: Engine, row: QueuedRow, sink: Sink) -> str:
    with reading(engine) as connection:
        letter = sending.letter_of(connection, row)
    return f"==> {sink.name}: {row.key}\n{written(letter, sink)}\n"


def written(letter: Letter, sink: Sink) -> str:
    """A message in the form of its sink, for people to look at."""
    if isinstance(sink, MailSink):
        return mail.write(letter, sink).as_bytes().decode("ascii").replace("\r\n", "\n")
    if isinstance(sink, WebhookSink):
        return f"POST {sink.shown}\n{json.dumps(webhook.document(letter), indent=1, sort_keys=True)}\n"
    assert isinstance(sink, FileSink)  # noqa: S101 (the settings know three kinds)
    return files.write(letter, sink).decode()


def attempt(settings: Settings, name: str) -> str:
    """Send one made-up notice at once; a line that says it was taken. UndeliveredError otherwise."""
    sink = settings.sink(name)
    if sink is None:
        raise UserError(f"no sink is named {name!r}", f"known: {', '.join(one.name for one in settings.sinks)}")
    now = sending.now_utc()
    key = f"try {now.isoformat()} to {name}"
    letter = Letter(key, planning.message_id(key, sink), now, (_made_up(now, settings.dashboard),))
    try:
        remark = sending.deliver(letter, sink)
    except DeliveryError as error:
        raise UndeliveredError(f"{name}: {error}", "nothing is kept of this try") from error
    return f"{name}: taken{f', but {remark}' if remark else ''}"


def _made_up(now: datetime, dashboard: str) -> Notice:
    moved = Moved(
        "a_benchmark", "a_benchmark vcpus=4", "a_metric", "s", "lower", "a-host", 1.0, 1.25, 0.25, (0.22, 0.28)
    )
    return Notice(
        kind=Kind.OPENED,
        group=0,
        at=now,
        title="a made-up regression: does this arrive?",
        why="Somebody ran `kvmperf notify try`. Nothing was measured.",
        base="a-revision",
        head="the-next-one",
        moved=(moved,),
        hosts=("a-host",),
        link=dashboard,
    )


def revive(engine: Engine, words: Collection[str]) -> int:
    """Make messages due now, by number, or all that have not arrived; how many."""
    with writing(engine) as connection:
        waiting = {one.id for one in outbox.unsent(connection, most=100_000)}
        wrong = [word for word in words if word != "all" and not (word.isdecimal() and int(word) in waiting)]
        if wrong:
            raise UserError(f"{wrong[0]!r} is no message that waits", "kvmperf notify outbox lists them")
        ids = waiting if "all" in words else {int(word) for word in words}
        return outbox.revive(connection, ids, sending.now_utc())


def as_rows(engine: Engine) -> list[str]:
    """Messages that have not arrived, as lines of JSON. Their texts are left out."""
    with reading(engine) as connection:
        found = outbox.unsent(connection)
    rows = [{name: value for name, value in asdict(one).items() if name != "payload"} for one in found]
    return [json.dumps(row, default=str) + "\n" for row in rows]


def as_text(engine: Engine) -> str:
    """The same for people, under a line of counts."""
    with reading(engine) as connection:
        found, counts = outbox.unsent(connection), outbox.counts(connection)
    total = {state: sum(n for (sink, s), n in counts.items() if sink and s == state) for state in _STATES}
    news = counts.get(("", "pending"), 0)
    lines = [", ".join(f"{count} {state}" for state, count in total.items()) + f"; {news} news not yet handed to sinks"]
    for one in found:
        due = f"due {one.next_attempt:%Y-%m-%d %H:%M}" if one.next_attempt else "given up"
        said = f"  {one.last_error}" if one.last_error else ""
        lines.append(f"{one.id:>6}  {one.state:<7}  {one.attempts:>2} tries  {due:<20}  {one.sink}: {one.key}{said}")
    return "".join(f"{line}\n" for line in lines)


_STATES = ("dead", "pending", "sent")
