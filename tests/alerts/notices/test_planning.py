import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sample_notices import OPENED, RECOVERED, SILENT

from alerts.notices import planning, sending
from alerts.notices.notice import Kind
from alerts.notices.settings import Choice, FileSink, Settings
from db import outbox
from db.engine import reading, writing

TOLD = {"g17 opened": OPENED, "g17 recovered": RECOVERED, "g18 opened": SILENT}
NOW = FileSink("now", Choice(), 10, "-")
DAILY = FileSink("daily", Choice("daily"), 10, "-")
WEEKLY = FileSink("weekly", Choice("weekly"), 10, "-")
TUESDAY = datetime(2026, 3, 3, 12, tzinfo=UTC)


def tell(_connection, row):
    return (TOLD[row.key],) if row.key in TOLD else ()


def news(box, key, at):
    with writing(box.engine) as connection:
        outbox.enqueue(connection, key, "opened", {}, at=at)


def hand_over(box, now, *sinks):
    """The keys of new messages."""
    before = {one.key for one in box.unsent()}
    sending.hand_over(box.engine, Settings(sinks, "https://h"), tell, now)
    return sorted({one.key for one in box.unsent()} - before)


def told(box, key):
    with reading(box.engine) as connection:
        row = next(one for one in outbox.unsent(connection) if one.key == key)
        return sending.letter_of(connection, row)


def test_news_goes_to_each_sink_once(box):
    news(box, "g17 opened", TUESDAY)
    other = replace(NOW, name="other", choice=Choice(only=(Kind.MISSING,)))

    first = hand_over(box, TUESDAY, NOW, other)
    again = hand_over(box, TUESDAY, NOW, other)

    assert first == ["g17 opened to now"]
    assert again == []
    assert told(box, "g17 opened to now").notices == (OPENED,)


def test_a_new_sink_is_not_told_the_past(box):
    news(box, "g17 opened", TUESDAY - timedelta(days=8))

    assert hand_over(box, TUESDAY, NOW) == []
    assert box.counts() == {("", "sent"): 1}


def test_what_says_nothing_is_told_to_nobody(box):
    news(box, "a muted one", TUESDAY)

    assert hand_over(box, TUESDAY, NOW) == []
    assert hand_over(box, TUESDAY, NOW) == []


def test_a_daily_digest_comes_after_midnight_once(box):
    news(box, "g17 opened", TUESDAY)
    news(box, "g18 opened", TUESDAY)
    midnight = datetime(2026, 3, 4, tzinfo=UTC)

    assert hand_over(box, midnight - timedelta(seconds=1), DAILY) == []
    assert hand_over(box, midnight + timedelta(minutes=14), DAILY) == []  # a decision may be committed late
    (key,) = hand_over(box, midnight + timedelta(minutes=16), DAILY)
    assert hand_over(box, midnight + timedelta(hours=20), DAILY) == []

    letter = told(box, key)
    assert key == "digest daily 2026-03-04T00:00Z to daily"
    assert letter.notices == (OPENED, SILENT)
    assert (letter.period, letter.at, letter.dashboard) == ("daily", midnight, "https://h")


def test_of_one_alert_a_digest_tells_the_newest(box):
    news(box, "g17 opened", TUESDAY)
    news(box, "g17 recovered", TUESDAY + timedelta(hours=1))
    rows = box.engine
    from sqlalchemy import insert, update

    from db.alert_models import AlertGroup, Notification

    with writing(rows) as connection:
        given = {"id": 17, "kind": "regression", "evidence": "confirmed", "opened_at": TUESDAY, "detail": {}}
        connection.execute(insert(AlertGroup), [given])
        connection.execute(update(Notification).values(group_id=17))

    (key,) = hand_over(box, TUESDAY + timedelta(days=1), DAILY)

    assert told(box, key).notices == (RECOVERED,)


def test_a_digest_after_days_of_silence_leaves_nothing_out(box):
    news(box, "g17 opened", TUESDAY)
    first = hand_over(box, TUESDAY + timedelta(days=1), DAILY)
    news(box, "g18 opened", TUESDAY + timedelta(days=1, hours=1))

    late = hand_over(box, TUESDAY + timedelta(days=6), DAILY)

    assert first == ["digest daily 2026-03-04T00:00Z to daily"]
    assert late == ["digest daily 2026-03-09T00:00Z to daily"]
    assert told(box, late[0]).notices == (SILENT,)


def test_a_digest_without_news_is_not_sent(box):
    assert hand_over(box, TUESDAY, DAILY, WEEKLY) == []


@pytest.mark.parametrize(
    ("now", "day", "week"),
    [
        ("2026-03-02T00:00", "2026-03-02", "2026-03-02"),  # a Monday
        ("2026-03-01T23:59", "2026-03-01", "2026-02-23"),
        ("2026-03-08T12:00", "2026-03-08", "2026-03-02"),
    ],
)
def test_days_and_weeks_end_at_midnight_utc(now, day, week):
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)

    found = [f"{planning.boundary(at, period):%Y-%m-%d %H:%M}" for period in ("daily", "weekly")]

    assert found == [f"{day} 00:00", f"{week} 00:00"]


def test_the_same_key_has_the_same_message_id_and_another_another():
    ids = {planning.message_id(key, NOW) for key in ("a", "a", "b")}

    assert len(ids) == 2
    assert all(json.dumps(one).isascii() and one.endswith("@kvmperf.invalid") for one in ids)
