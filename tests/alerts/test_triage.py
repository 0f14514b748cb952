from datetime import UTC, datetime, timedelta

import pytest

from alerts.triage import Action, Said, possible, triage
from db import alert_queries, alert_writes
from db import engine as engines
from db.errors import UserError

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def connection(tmp_path):
    engine = engines.connect(f"sqlite:///{tmp_path / 'a.db'}", create=True)
    with engines.writing(engine) as opened:
        yield opened


@pytest.fixture
def alert(connection):
    columns = {"kind": "failing test", "evidence": "confirmed", "opened_at": NOW, "announced_at": NOW}
    return alert_writes.add_group(connection, columns)


def told(connection, alert):
    return [(one.actor, one.action) for one in alert_queries.events(connection, alert)]


def test_an_alert_is_acknowledged_closed_and_reopened_with_a_trail(connection, alert):
    triage(connection, alert, Action.ACKNOWLEDGE, "ann", at=NOW)
    expected = triage(connection, alert, Action.EXPECT, "bob", Said("the fix costs that"), at=NOW)
    reopened = triage(connection, alert, Action.REOPEN, "ann", at=NOW)

    assert (expected.triage, expected.is_open, expected.note) == ("expected", False, "the fix costs that")
    assert (reopened.triage, reopened.is_open) == ("reopened", True)
    assert told(connection, alert) == [("ann", "acknowledge"), ("bob", "expect"), ("ann", "reopen")]


def test_undo_puts_back_what_stood_there_act_by_act(connection, alert):
    triage(connection, alert, Action.ASSIGN, "ann", Said("bob"), at=NOW)
    triage(connection, alert, Action.FIX, "ann", Said("commit abc"), at=NOW)

    once = triage(connection, alert, Action.UNDO, "ann", at=NOW)
    twice = triage(connection, alert, Action.UNDO, "ann", at=NOW)

    assert (once.triage, once.is_open, once.note, once.owner) == ("new", True, "", "bob")
    assert twice.owner == ""
    with pytest.raises(UserError, match="nothing to undo"):
        triage(connection, alert, Action.UNDO, "ann", at=NOW)


def test_a_mute_needs_a_day_to_come_and_a_reason_and_ends_by_itself(connection, alert):
    until = NOW + timedelta(days=7)
    for said in (Said("moved"), Said("moved", NOW), Said(" ", until)):
        with pytest.raises(UserError):
            triage(connection, alert, Action.MUTE, "ann", said, at=NOW)

    muted = triage(connection, alert, Action.MUTE, "ann", Said("host is moved", until), at=NOW)

    assert muted.is_muted(NOW)
    assert not muted.is_muted(until)
    assert triage(connection, alert, Action.UNDO, "ann", at=NOW).muted_until is None


@pytest.mark.parametrize(
    ("action", "said", "match"),
    [
        (Action.REOPEN, Said(), "it is open"),
        (Action.LINK, Said("javascript:alert(1)"), "no link"),
        (Action.ASSIGN, Said("a\nb"), "one line"),
    ],
)
def test_acts_without_sense_are_refused_and_leave_no_trail(connection, alert, action, said, match):
    with pytest.raises(UserError, match=match):
        triage(connection, alert, action, "ann", said, at=NOW)

    assert told(connection, alert) == []


def test_what_is_possible_is_what_is_not_refused(connection, alert):
    group = triage(connection, alert, Action.INVALIDATE, "ann", at=NOW)

    assert Action.REOPEN in possible(group, NOW)
    assert not {Action.ACKNOWLEDGE, Action.INVALIDATE, Action.MUTE} & set(possible(group, NOW))


def test_an_alert_that_is_not_there_is_named(connection):
    with pytest.raises(UserError, match="alert 99"):
        triage(connection, 99, Action.FIX, "ann")
