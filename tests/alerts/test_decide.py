from nightly import START
from stepped import step

from alerts.decide import Closed, Context, decide
from alerts.rules import Rules
from db.detection import Place
from db.words import AlertKind

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
