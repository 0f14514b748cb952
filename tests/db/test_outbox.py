import threading
from datetime import UTC, datetime, timedelta

import pytest

from db import outbox
from db.engine import connect, reading, writing
from db.outbox import NewMessage

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEASE = timedelta(minutes=10)
LATER = NOW + LEASE + timedelta(seconds=1)


@pytest.fixture
def engine(database):
    engine = connect(database)
    yield engine
    engine.dispose()


def message(key, sink="list", group=None):
    return NewMessage(key, sink, "opened", group, "{}", f"{key}@example.org")


def put(engine, *messages, at=NOW):
    with writing(engine) as connection:
        return outbox.hand_over(connection, (), messages, at)


def claim(engine, now=NOW, sinks=("list",)):
    with writing(engine) as connection:
        return outbox.claim(connection, sinks, now, LEASE)


def settle(engine, act, *given):
    with writing(engine) as connection:
        return act(connection, *given)


def test_the_same_news_is_kept_once(engine):
    with writing(engine) as connection:
        told = [outbox.enqueue(connection, "g1 opened", "opened", {"n": n}, at=NOW) for n in (1, 2)]

    with reading(engine) as connection:
        (row,) = outbox.news(connection)
    assert told == [True, False]
    assert row.payload == '{"n": 1}'


def test_news_of_a_decision_that_rolls_back_is_not_told(engine):
    def decide():
        with writing(engine) as connection:
            outbox.enqueue(connection, "g1 opened", "opened", {}, at=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        decide()

    with reading(engine) as connection:
        assert outbox.news(connection) == ()


def test_news_is_handed_over_once(engine):
    with writing(engine) as connection:
        outbox.enqueue(connection, "g1", "opened", {}, at=NOW)
        (row,) = outbox.news(connection)
        first = outbox.hand_over(connection, [row.id], [message("g1 to list")], NOW)
        again = outbox.hand_over(connection, [row.id], [message("g1 to list")], NOW)

    with reading(engine) as connection:
        assert outbox.news(connection) == ()
        assert outbox.counts(connection) == {("", "sent"): 1, ("list", "pending"): 1}
    assert (first, again) == (1, 0)


def test_a_claimed_message_comes_again_only_when_its_lease_has_ended(engine):
    put(engine, message("a"))

    first = claim(engine)

    assert first is not None
    assert first.attempts == 1
    assert claim(engine, NOW + LEASE - timedelta(seconds=1)) is None
    again = claim(engine, LATER)
    assert again is not None
    assert (again.id, again.attempts, again.message_id) == (first.id, 2, "a@example.org")


def test_who_lost_its_lease_decides_nothing(engine):
    put(engine, message("a"))
    slow, fast = claim(engine), claim(engine, LATER)

    assert settle(engine, outbox.mark_sent, fast, LATER) is True
    assert settle(engine, outbox.bury, slow, "too late") is False
    assert settle(engine, outbox.postpone, slow, LATER, "too late") is False

    with reading(engine) as connection:
        assert outbox.counts(connection) == {("list", "sent"): 1}


def test_only_configured_sinks_are_served(engine):
    put(engine, message("a", "gone"))

    assert claim(engine) is None
    assert claim(engine, sinks=("gone",)) is not None


def test_news_of_one_group_leaves_in_order(engine):
    from sqlalchemy import insert

    from db.alert_models import AlertGroup

    with writing(engine) as connection:
        row = {"kind": "regression", "evidence": "confirmed", "opened_at": NOW, "detail": {}}
        connection.execute(insert(AlertGroup), [{"id": n, **row} for n in (1, 2)])
    put(engine, message("opened", group=1), message("recovered", group=1), message("other", group=2))
    opened = claim(engine)
    settle(engine, outbox.postpone, opened, LATER, "busy")

    other = claim(engine)

    assert other is not None
    assert (opened.key, other.key) == ("opened", "other")
    assert claim(engine) is None
    settle(engine, outbox.mark_sent, other, NOW)
    settle(engine, outbox.mark_sent, claim(engine, LATER), LATER)
    last = claim(engine, LATER)
    with reading(engine) as connection:
        assert outbox.thread(connection, last) == "opened@example.org"
        assert outbox.thread(connection, opened) == ""


def test_dead_letters_are_seen_and_come_to_life(engine):
    put(engine, message("a"), message("b"))
    dead = claim(engine)
    settle(engine, outbox.bury, dead, "550 no such user")

    with reading(engine) as connection:
        rows = outbox.unsent(connection)
    assert [(one.key, one.state, one.last_error) for one in rows] == [
        ("a", "dead", "550 no such user"),
        ("b", "pending", ""),
    ]
    assert settle(engine, outbox.revive, [dead.id], LATER) == 1
    again = claim(engine, LATER)
    assert (again.key, again.attempts) == ("b", 1)
    assert claim(engine, LATER).key == "a"


def test_two_senders_at_once_never_get_the_same_message(engine):
    put(engine, *(message(f"m{n}") for n in range(40)))
    got, barrier = [], threading.Barrier(2)

    def work():
        barrier.wait()
        while row := claim(engine):
            got.append(row.key)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert sorted(got) == sorted(f"m{n}" for n in range(40))


def test_a_digest_finds_the_news_of_its_time(engine):
    with writing(engine) as connection:
        for hours in (0, 24, 48):
            outbox.enqueue(connection, f"n{hours}", "opened", {}, at=NOW + timedelta(hours=hours))

    with reading(engine) as connection:
        found = outbox.news_between(connection, NOW, NOW + timedelta(hours=24))
    assert [one.key for one in found] == ["n24"]
