import numpy as np
import pytest
from nightly import START, levels

from alerts.judge import effect_from, judge
from db.detection import Place, PointRow

CONFIRMED = 1


def table(values, states=None):
    columns = [np.arange(len(values)), values, np.zeros(len(values)) if states is None else states]
    return np.column_stack([*columns, *np.ones((2, len(values)))])


def places(count, line=lambda _i: ""):
    return {i: Place(line(i), i, START, str(i)) for i in range(count)}


def steps_of(values, states=None, line=lambda _i: ""):
    (found,) = judge([table(values, states)], places(len(values), line), lambda one, other: one != other)
    return found


def test_a_step_has_its_revisions_and_an_interval_around_its_size():
    (step,) = steps_of(levels(40, 1, steps=[(30, 0.1)]))

    assert (step[0], step[1]) == (29, 30)
    assert step[5] < 0.1 < step[6]
    assert step[11] == CONFIRMED


def test_a_step_where_the_host_state_changes_or_settles_is_the_hosts():
    states = np.r_[np.zeros(25), np.ones(25)]

    for day in (25, 28):
        assert steps_of(levels(50, 1, steps=[(day, 0.2)]), states)[:, 12].all()
    assert not steps_of(levels(50, 1, steps=[(35, 0.2)]), states)[:, 12].any()


def test_lines_of_revisions_are_judged_apart():
    mixed = np.where(np.arange(60) % 2, levels(60, 1), levels(60, 2, base=13.0))

    assert len(steps_of(mixed, line=lambda i: str(i % 2))) == 0


def test_tables_are_judged_each_by_itself_and_empty_ones_have_nothing():
    many = [table(levels(40, 1, steps=[(30, 0.1)])), np.zeros((0, len(PointRow._fields))), table(levels(40, 2))]

    together = judge(many, places(40), lambda _a, _b: False)

    assert [len(one) for one in together] == [1, 0, 0]


def test_a_run_that_lasted_is_a_change_and_its_reversal():
    out, back = steps_of(levels(70, 1, noise=0.002, steps=[(40, 0.1), (46, 1 / 1.1 - 1)]))

    assert (out[1], back[1]) == (40, 46)
    assert (out[9], back[9]) == (6, 24)
    assert out[4] > 0 > back[4]
    assert (out[11], back[11]) == (CONFIRMED, CONFIRMED)


def test_a_bad_day_or_two_stay_noise_without_standard_errors():
    found = steps_of(levels(70, 1, noise=0.002, steps=[(40, 0.1), (42, 1 / 1.1 - 1)]))

    assert [(row[1], row[7]) for row in found if row[11] != CONFIRMED] == [(row[1], 0.0) for row in found]


def test_what_follows_such_a_run_starts_where_it_ended():
    out, up = steps_of(levels(90, 1, noise=0.003, steps=[(60, -0.1), (66, 1.08 / 0.9 - 1)])[:76])

    assert (out[1], up[1]) == (60, 66)
    assert up[2] == pytest.approx(out[3])
    assert up[4] == pytest.approx(0.2, abs=0.01)
    assert up[5] < 0.2 < up[6]


@pytest.mark.parametrize(("bursts", "is_change"), [((35, 60), True), ((20, 35, 50, 65), False)])
def test_a_run_of_four_is_a_change_where_less_than_one_like_it_is_expected(bursts, is_change):
    values = levels(81, 1, noise=0.002, steps=[(77, 1 / 1.05 - 1)])
    for day in bursts:
        values[day : day + 3] *= 1.06

    assert bool([row for row in steps_of(values) if row[1] == 77 and row[11] == CONFIRMED]) is is_change


def test_what_only_the_newest_point_shows_is_not_confirmed_yet():
    values = levels(60, 3, noise=0.004)
    values[56:58] *= 1.12
    values[58] *= 1.05

    (step,) = steps_of(values[:59])

    assert (step[1], step[9]) == (56, 3)
    assert step[11] != CONFIRMED


def test_no_place_has_two_measured_steps_however_the_runs_around_it_are_cut():
    rng = np.random.default_rng(9)
    for seed in range(40):
        bursts = [(int(day), int(rng.integers(2, 6)), rng.uniform(0.05, 0.25)) for day in rng.integers(20, 110, 5)]
        edges = [edge for day, length, size in bursts for edge in ((day, size), (day + length, 1 / (1 + size) - 1))]
        found = steps_of(levels(120, seed, noise=0.004, steps=[*edges, (90, 0.09)]))

        heads = [row[1] for row in found if row[7] > 0]
        assert sorted(set(heads)) == sorted(heads)


@pytest.mark.parametrize(
    ("level", "ends", "effect", "told"),
    [
        (12.0, (10.0, 15.0), 0.5, 0.25),
        (-2.0, (-4.0, 6.0), 10.0, 8.0),
        (2.0, (-4.0, 6.0), 10.0, 2.0),
        (6.0, (10.0, 6.0), -0.4, 0.0),
        (7.0, (6.0, 6.0), 0.0, 0.0),
    ],
)
def test_an_effect_from_another_level_is_a_ratio_where_both_levels_are_positive(level, ends, effect, told):
    found, z = effect_from(level, ends, effect, 9.0)

    assert found == pytest.approx(told)
    assert (z == 0) is (level == ends[1])
