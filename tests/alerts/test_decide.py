from dataclasses import replace
from types import SimpleNamespace

from nightly import START
from stepped import step

from alerts.decide import Closed, Context, decide
from alerts.rules import Rules
from db.alert_queries import Group
from db.detection import Place
from db.words import AlertKind, Evidence

BACK = 1 / 1.1 - 1


def decided(*steps):
    by_series = {}
    for one in sorted(steps, key=lambda one: one.head):
        by_series.setdefault(one.series.id, []).append(one)
    series = {one.series.id: one.series for one in steps}
    places = {i: Place("", i, START, str(i)) for i in range(60)}
    return decide((), by_series, series, Context(START, Rules(), places, 200))


def test_a_reversal_takes_back_what_moved_the_same_time_series():
    everything = [step(i, 20, case=i) for i in range(1, 7)]
    one_of_them = step(1, 25)
    all_back = [step(i, 30, BACK, case=i) for i in range(1, 7)]

    cause, other, revert = decided(*everything, one_of_them, *all_back)

    assert (cause.closed_because, revert.closed_because) == (Closed.RECOVERED, Closed.REVERT)
    assert (revert.kind, revert.reverts) == (AlertKind.IMPROVEMENT, 0)
    assert other.closed_because == ""


def test_of_two_changes_alike_the_nearer_one_is_taken_back():
    first, second, revert = decided(step(1, 20), step(1, 25), step(1, 30, BACK))

    assert (first.closed_because, second.closed_because) == ("", Closed.RECOVERED)
    assert revert.reverts == 1


def test_what_came_back_long_ago_is_not_taken_back_again():
    slow = [step(i, 2, host=f"bm{i}") for i in range(1, 6)]
    most_back = [step(i, 10, BACK, host=f"bm{i}") for i in range(1, 5)]
    slow_again = [step(i, 14, host=f"bm{i}", case=2) for i in range(11, 13)]
    much_later = [step(i, 58, BACK, host=f"bm{i}") for i in range(1, 6)]

    cause, revert, _, later = decided(*slow, *most_back, *slow_again, *much_later)

    assert cause.closed_because == Closed.RECOVERED
    assert (revert.reverts, later.reverts) == (0, None)


def stored(number, wanted, reverts_id=None):
    head = SimpleNamespace(id=wanted.head, name="")
    return Group(
        id=number, kind=wanted.kind.value, evidence=wanted.evidence.value, line=wanted.line, subject="", base=head,
        head=head, detail={}, opened_at=START, announced_at=START, closed_at=None, closed_because=wanted.closed_because,
        reverts_id=reverts_id, reverted_by=(), triage="new", owner="", note="", link="", muted_until=None,
        mute_reason="", members=wanted.members,
    )  # fmt: skip


def test_a_revert_stays_linked_to_a_recovered_cause_that_later_data_call_a_burst():
    out, back = step(1, 20), step(1, 30, BACK)
    cause, revert = decided(out, back)
    known = [stored(1, cause), stored(2, revert, 1)]
    burst = replace(out, evidence=Evidence.NOISY)
    context = Context(START, Rules(), {i: Place("", i, START, str(i)) for i in range(60)}, 200)

    again = decide(known, {1: [burst, back]}, {1: out.series}, context)

    assert [one.closed_because for one in again] == [Closed.RECOVERED, Closed.REVERT]
    assert again[1].reverts == 0
