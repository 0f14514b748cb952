from dataclasses import replace

import pytest
from stepped import by_series, step

from alerts.evidence import LONE, is_clear
from alerts.witness import any_agree, vouched
from db.words import Evidence


def aside(*given, evidence=Evidence.NOISY, **named):
    return replace(step(*given, **named), evidence=evidence)


def shown(steps):
    return sorted(one.series.id for ofseries in vouched(by_series(steps)).values() for one in ofseries if one.is_shown)


@pytest.mark.parametrize("evidence", [Evidence.NOISY, Evidence.TRANSIENT])
def test_a_run_that_another_host_saw_too_is_a_change(evidence):
    here, there = (aside(i, host=f"bm{i}", evidence=evidence) for i in (1, 2))

    assert shown([here, there]) == [1, 2]
    assert shown([here]) == []


def test_a_confirmed_step_of_another_host_vouches_for_a_run():
    assert shown([aside(1, host="bm1"), step(2, host="bm2")]) == [1, 2]


@pytest.mark.parametrize(
    "other",
    [
        aside(2, host="bm1"),  # the same host has one bad day
        aside(2, host="bm2", case=2),  # another test case
        aside(2, head=21, host="bm2"),  # another day
        aside(2, effect=0.2, host="bm2"),  # twice the size
        aside(2, effect=-0.1, host="bm2"),
        aside(2, points=2, host="bm2"),  # a day or two
        aside(2, z=4.0, host="bm2"),
        aside(2, at_host=1.0, host="bm2"),
    ],
)
def test_what_is_not_the_same_elsewhere_vouches_for_nothing(other):
    assert shown([aside(1, host="bm1"), other]) == []


def test_bad_days_of_two_hosts_alert_nobody_where_they_differ_in_size():
    here, alike, other = (
        step(i, effect=effect, points=2, host=f"bm{i}") for i, effect in ((1, 0.1), (2, 0.11), (3, 0.2))
    )

    assert any_agree([here, alike])
    assert is_clear([here, alike], 200)
    assert not is_clear([here, other], 200)


def test_three_points_of_one_host_wait_for_a_fourth():
    assert not is_clear([step(z=LONE + 9, points=3)], 200)
    assert not is_clear([step(1, z=LONE, points=3), step(2, z=LONE, case=2, points=3)], 200)
    assert is_clear([step(z=LONE, points=4)], 200)


def test_a_step_behind_a_run_taken_for_a_change_starts_where_the_run_was():
    # 10.0, a dip to 9.0 that each host alone takes for a burst, then 10.8
    dips = [aside(i, 20, -0.1, host=f"bm{i}") for i in (1, 2)]
    ups = [step(i, 25, 0.08, host=f"bm{i}") for i in (1, 2)]

    dip, up = vouched(by_series([*dips, *ups]))[1]

    assert dip.is_shown
    assert up.row.before == dip.row.after == 9.0
    assert up.row.effect == pytest.approx(0.2)
    assert up.error == pytest.approx(ups[0].error)
    assert up.row.low < 0.2 < up.row.high


def test_a_step_behind_a_run_that_stays_aside_starts_where_it_did():
    dip, up = aside(1, 20, -0.1), step(1, 25, 0.08)
    elsewhere = [aside(i, 20, -0.1, host=f"bm{i}", case=9) for i in (2, 3)]

    found = vouched(by_series([dip, up, *elsewhere]))

    assert found[2][0].is_shown
    assert found[1] == [dip, up]


def test_runs_of_other_series_do_not_change_a_step():
    twice = [step(1, 20), step(1, 25)]
    elsewhere = [aside(i, 20, -0.1, host=f"bm{i}", case=9) for i in (2, 3)]

    assert vouched(by_series([*twice, *elsewhere]))[1] == twice


def test_a_step_that_starts_where_the_one_before_ended_is_left_alone():
    dips = [aside(i, 20, -0.1, host=f"bm{i}") for i in (1, 2)]
    up = step(1, 25, 0.08).measured_from(9.0)

    assert vouched(by_series([*dips, up]))[1][1] == up


def test_from_another_level_a_step_may_go_the_other_way():
    slower = step(effect=0.05)

    faster = slower.measured_from(12.0)

    assert (slower.worse, faster.worse) == (True, False)
    assert faster.row.effect == pytest.approx(10.5 / 12 - 1)
    assert slower.measured_from(10.0).row.z == pytest.approx(slower.row.z)
