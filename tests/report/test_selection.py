from datetime import UTC, datetime

from db.values import RevisionRow, RunCount, SeriesRow
from report.selection import Chosen, first_pair, scaling_family

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _revision(number):
    return RevisionRow(number, "", "", f"r{number}", "", NOW, NOW)


def _count(revision, case=1, host="h", status="pass", runs=3):
    return RunCount(revision, host, "suite/b", case, {}, status, runs)


def _series(number, metric="time", host="h", **params):
    return SeriesRow(number, host, "suite/b", number, params, metric, "s", "lower")


def test_the_first_pair_is_the_newest_with_a_test_case_in_common():
    revisions = [_revision(n) for n in (1, 2, 3)]

    assert first_pair(revisions, [_count(1), _count(2, case=2), _count(3)]) == (1, 3)
    assert first_pair(revisions, [_count(1), _count(3, host="other")]) == ()
    assert first_pair(revisions, [_count(1), _count(2, status="fail")]) == ()


def test_exactly_the_chosen_series_pass():
    assert Chosen(ids=frozenset({2})).takes(_series(2, metric="[*]"))
    assert not Chosen(ids=frozenset({2})).takes(_series(1))


def test_a_scaling_family_differs_in_one_parameter_only():
    one, two = _series(1, vcpus=1, mode="a"), _series(2, vcpus=2, mode="a")
    others = [two, one, _series(3, vcpus=4, mode="b"), _series(4, metric="rate", vcpus=8, mode="a")]

    assert scaling_family(one, others) == ("vcpus", (one, two))
    assert scaling_family(_series(5, mode="a"), [_series(5, mode="a")]) == ("", ())
