"""Change points of planted series: what is found, what is set aside, and what is neither."""

import importlib.util
import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.changepoints import Limits, State, compiled, detect, detect_many, limits, partition, steps


def noise(n, *, seed=1, sd=0.01):
    return 100.0 * np.exp(sd * np.random.default_rng(seed).normal(size=n))


def with_steps(n, *steps, seed=1, sd=0.01):
    values = noise(n, seed=seed, sd=sd)
    for at, factor in steps:
        values[at:] *= factor
    return values


def indices(values, **options):
    return [change.index for change in detect(values, **options).changes]


def test_a_step_is_found_where_it_is():
    (change,) = detect(with_steps(80, (50, 1.05))).changes

    assert (change.index, change.end, change.points, change.state) == (50, 80, 30, State.CONFIRMED)
    assert change.effect == pytest.approx(0.05, abs=0.01)
    assert change.before == pytest.approx(100, rel=0.01)
    assert change.after == pytest.approx(105, rel=0.01)
    assert 0.007 < change.noise < 0.013
    assert change.p < 1e-6


def test_steps_up_and_down_are_found_in_order():
    assert indices(with_steps(160, (40, 1.08), (80, 0.9), (120, 1.1))) == [40, 80, 120]


def test_noise_has_no_changes():
    flagged = sum(bool(detect(noise(150, seed=seed)).changes) for seed in range(100))

    assert flagged <= 2


def test_a_ramp_is_a_change_between_its_ends():
    values = noise(120)
    values[50:] *= np.exp(0.2 * np.minimum(np.arange(70) / 20, 1.0))

    found = indices(values)

    assert found
    assert all(48 <= index <= 72 for index in found)


def test_short_series_keep_their_steps():
    assert indices(with_steps(30, (15, 1.2))) == [15]
    assert indices(with_steps(30, (10, 1.2), (20, 1.2))) == [10, 20]


@pytest.mark.parametrize(("before", "after"), [(10, 5), (10, 3), (6, 5), (6, 6), (7, 7)])
def test_one_step_is_not_taken_for_the_noise_of_a_short_series(before, after):
    assert indices(with_steps(before + after, (before, 1.1))) == [before]


def test_a_slow_drift_is_no_change():
    assert indices(noise(200) * np.exp(np.linspace(0, 0.1, 200))) == []


def test_a_random_walk_is_not_cut_into_stairs():
    rng = np.random.default_rng(3)

    found = [len(indices(np.exp(0.01 * rng.normal(size=200).cumsum()))) for _ in range(20)]

    assert np.mean(found) < 2


def test_correlated_noise_is_no_change():
    flagged = 0
    for seed in range(30):
        shocks = np.random.default_rng(seed).normal(size=200)
        wander = np.zeros(200)
        for t in range(1, 200):
            wander[t] = 0.6 * wander[t - 1] + shocks[t]
        flagged += bool(indices(100 * np.exp(0.01 * wander)))

    assert flagged <= 1


def test_outliers_are_no_changes_and_hide_none():
    values = with_steps(100, (60, 1.06))
    values[[10, 30, 31, 75, 90]] *= 1.5

    assert indices(values) == [60]


def test_bursts_that_recur_are_set_aside_as_noisy():
    values = noise(160)
    for start in (20, 50, 85, 120):
        values[start : start + 6] *= 1.2

    found = detect(values)

    assert found.changes == ()
    assert {run.state for run in found.set_aside} == {State.NOISY}
    assert [(run.index, run.end) for run in found.set_aside] == [(20, 26), (50, 56), (85, 91), (120, 126)]
    assert all("by itself" in run.why for run in found.set_aside)


def test_a_short_run_that_came_back_is_transient():
    values = noise(100, seed=5)
    values[40:44] *= 1.1

    found = detect(values)

    assert found.changes == ()
    (run,) = found.set_aside
    assert (run.index, run.end, run.state) == (40, 44, State.TRANSIENT)
    assert run.effect == pytest.approx(0.1, abs=0.02)
    assert run.why.endswith("for 4 points, then back")


def test_a_revert_after_two_weeks_is_two_changes():
    assert indices(with_steps(100, (40, 1.1), (54, 1 / 1.1))) == [40, 54]


def test_a_short_level_is_told_by_its_own_values():
    up, down = detect(with_steps(100, (40, 1.1), (45, 1 / 1.1))).changes

    assert up.effect == pytest.approx(0.1, abs=0.02)
    assert up.after == down.before == pytest.approx(110, abs=2)


def test_a_change_must_be_clearer_where_values_nearby_are_far_out():
    y = np.zeros(400)
    pulled = y.copy()
    pulled[:40:5] = -1.0  # eight values that were pulled in, all near the start

    needed = steps.clear_enough(y, pulled, 3.4)

    assert needed[0] > needed[60] > needed[399] > needed[200] > 3.4
    assert needed[0] == pytest.approx(3.4 + limits.STRAY_PRICE * (8 + limits.STRAYS_UNSEEN) / limits.NEAR)


def test_two_modes_are_no_changes():
    rng = np.random.default_rng(5)
    flagged = sum(bool(indices(noise(150, seed=s) * np.where(rng.random(150) < 0.4, 1.2, 1.0))) for s in range(20))

    assert flagged <= 1


def test_a_louder_stretch_is_no_change():
    flagged = 0
    for seed in range(20):
        spread = np.where((np.arange(150) > 60) & (np.arange(150) < 110), 0.03, 0.01)
        flagged += bool(indices(100 * np.exp(spread * np.random.default_rng(seed).normal(size=150))))

    assert flagged <= 1


@pytest.mark.parametrize("points", [1, 2, 3, 4])
def test_a_fresh_step_is_a_candidate_until_it_has_three_points(points):
    changes = detect(with_steps(60 + points, (60, 1.15))).changes

    expected = {1: None, 2: State.CANDIDATE}.get(points, State.CONFIRMED)
    assert [change.state for change in changes] == ([expected] if expected else [])


def test_a_fresh_step_waits_longer_where_bursts_are_common():
    values = with_steps(103, (100, 1.2))
    for start in (15, 30, 52, 70):
        values[start : start + 3] *= 1.2

    assert indices(values) == []
    assert indices(np.concatenate((values, 1.2 * noise(20, seed=9)))) == [100]


def test_small_steps_are_no_changes_however_certain():
    values = with_steps(200, (100, 1.004), sd=0.0002)

    assert indices(values) == []
    assert indices(values, limits=Limits(min_effect=0.001)) == [100]


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e-300, 1e140])
def test_constants_have_no_changes(value):
    assert detect(np.full(50, value)) == detect(np.full(50, value))
    assert detect(np.full(50, value)).changes == ()


def test_exact_metrics_change_where_their_value_does():
    (change,) = detect([3.0] * 20 + [4.0] * 10).changes

    assert (change.index, change.before, change.after) == (20, pytest.approx(3), pytest.approx(4))


def test_zero_and_negative_values_are_compared_as_they_are():
    values = np.random.default_rng(2).normal(size=80)
    values[40:] += 10

    (change,) = detect(values).changes

    assert change.index == 40
    assert change.after - change.before == pytest.approx(10, abs=0.7)


def test_mostly_zero_is_no_trouble():
    assert indices([0.0] * 30 + [1.0] + [0.0] * 30) == []
    assert indices([0.0] * 30 + [5.0] * 30) == [30]


@pytest.mark.parametrize("n", range(4))
def test_fewer_than_four_points_have_no_changes(n):
    found = detect(np.array([1.0, 100.0, 1.0])[:n])

    assert (found.n, found.changes, found.set_aside) == (n, (), ())


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, 1e200])
def test_values_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match="value 2 is"):
        detect([1.0, 2.0, wrong, 4.0, 5.0])


def test_only_series_are_taken():
    with pytest.raises(ValueError, match="one dimension"):
        detect(np.ones((3, 3)))


@pytest.mark.parametrize("wrong", [{"min_z": 0.0}, {"min_effect": -1.0}, {"confirmed_after": 0}])
def test_limits_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="mean nothing"):
        Limits(**wrong)


def test_a_step_where_the_host_state_changes_is_labelled():
    states = np.repeat([1, 2, 1], [40, 30, 30])
    values = with_steps(100, (40, 1.2), (55, 1.1), (70, 1 / 1.32))

    found = detect(values, host_states=states).changes

    assert [(change.index, change.host_changed) for change in found] == [(40, True), (55, False), (70, True)]
    assert "host state" in found[0].why


def test_a_host_change_without_a_step_is_nothing():
    assert indices(noise(80), host_states=np.repeat([1, 2], 40)) == []


def test_host_states_must_fit():
    with pytest.raises(ValueError, match="3 host states for 10 values"):
        detect(noise(10), host_states=np.zeros(3))


def test_every_change_says_why():
    (confirmed,) = detect(with_steps(80, (50, 1.05))).changes
    (candidate,) = detect(with_steps(62, (60, 1.15))).changes

    assert confirmed.why.startswith("+4.")
    assert "standard errors" in confirmed.why
    assert confirmed.why.endswith("30 points at the new level")
    assert candidate.why.endswith("2 points so far")


def test_many_series_have_the_changes_of_each():
    series = [with_steps(n, (n // 2, 1.1), seed=n) for n in (0, 3, 20, 60, 700)]

    assert detect_many(series) == [detect(one) for one in series]
    assert detect_many([]) == []


def test_long_series_keep_their_changes_across_windows():
    at = [300, 511, 513, 900, 1400, 1407, 2040]
    values = with_steps(2100, *((index, 1.3 if k % 2 else 1 / 1.3) for k, index in enumerate(at)))

    found = indices(values)

    assert {300, 900, 2040} <= set(found)
    assert len(found) == len(set(found)) <= len(at)
    assert all(min(abs(index - true) for true in at) <= 2 for index in found)


def test_compiled_code_gives_the_same_changes(monkeypatch):
    rng = np.random.default_rng(11)
    series = [with_steps(n, (n // 3, 1.05), (n // 2, 0.97), seed=n) for n in (5, 17, 60, 151, 600)]
    series += [rng.normal(size=90), rng.integers(0, 3, size=80).astype(float), np.exp(rng.normal(size=120).cumsum())]
    plain = detect_many(series)

    monkeypatch.setattr(compiled, "MANY", 1)
    fast = detect_many(series)

    assert [[c.index for c in one.changes] for one in fast] == [[c.index for c in one.changes] for one in plain]
    assert [c.z for one in fast for c in one.changes] == pytest.approx([c.z for one in plain for c in one.changes])
    assert [(c.index, c.state) for one in fast for c in one.set_aside] == [
        (c.index, c.state) for one in plain for c in one.set_aside
    ]


def cost(y, cuts, penalty):
    edges = [0, *cuts, len(y)]
    return sum(((y[a:b] - y[a:b].mean()) ** 2).sum() + penalty for a, b in pairwise(edges))


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=9), st.floats(0.3, 20))
def test_the_partition_is_the_cheapest_of_all(values, penalty):
    y = np.array(values, dtype=float)

    cuts = partition.partition(y, penalty).tolist()

    everything = [[k + 1 for k in range(y.size - 1) if mask >> k & 1] for mask in range(2 ** (y.size - 1))]
    assert cost(y, cuts, penalty) == pytest.approx(min(cost(y, other, penalty) for other in everything))


finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(finite, max_size=60))
def test_any_series_has_an_answer(values):
    found = detect(values)

    places = [change.index for change in found.changes]
    assert places == sorted(set(places))
    assert all(0 < place < len(values) for place in places)
    assert all(math.isfinite(change.effect) and 0 <= change.p <= 1 for change in (*found.changes, *found.set_aside))
    assert all(0 <= run.index < run.end <= len(values) for run in found.set_aside)


@st.composite
def stairs(draw):
    pieces = draw(st.lists(st.tuples(st.integers(5, 30), st.floats(-0.3, 0.3)), min_size=1, max_size=4))
    levels = np.concatenate([np.full(length, level) for length, level in pieces])
    return np.exp(levels + 0.01 * np.random.default_rng(draw(st.integers(0, 99))).normal(size=levels.size))


@given(stairs(), st.integers(-40, 40))
def test_the_unit_does_not_matter(values, power):
    found = detect(values * 2.0**power)

    assert [c.index for c in found.changes] == indices(values)
    assert [c.effect for c in found.changes] == pytest.approx([c.effect for c in detect(values).changes])


@given(stairs())
def test_what_is_slower_on_one_scale_is_faster_on_its_inverse(values):
    assert [c.index for c in detect(1 / values).changes] == indices(values)


@given(st.integers(25, 60), st.integers(25, 60), st.integers(0, 99))
def test_a_series_read_backwards_has_its_step_at_the_same_place(before, after, seed):
    values = with_steps(before + after, (before, 1.2), seed=seed)

    assert before in indices(values)  # and now and then another: two in a thousand of these noises make one
    assert after in indices(values[::-1])


def test_the_goals_are_reached_on_the_labelled_sets(shared):
    from report.series_csv import read_csv

    spec = importlib.util.spec_from_file_location("score_detect", shared / "tools" / "score_detect.py")
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    root = shared / "corpus" / "changepoints"

    tcpd = [
        (scorer.tcpd_f1(label["annotations"], places), scorer.tcpd_cover(label["annotations"], places, n))
        for label, places, n in labelled(root / "tcpd", read_csv)
    ]
    scores = {name: f1_and_false_alarms(root / name, read_csv, scorer) for name in ("synth", "semireal", "real")}

    assert np.mean([f1 for f1, _ in tcpd]) >= 0.75
    assert np.mean([cover for _, cover in tcpd]) >= 0.70
    assert scores["synth"][0] >= 0.72
    assert scores["synth"][1] <= 0.25
    assert scores["semireal"][0] >= 0.76
    assert scores["semireal"][1] <= 1.1
    assert scores["real"][0] >= 0.90


def labelled(folder, read_csv):
    labels = json.loads((folder / "labels.json").read_text())
    series = read_csv(folder / "series.csv")
    found = detect_many([one.values for one in series])
    return [
        (labels[one.name], [change.index for change in answer.changes], one.values.size)
        for one, answer in zip(series, found, strict=True)
    ]


def f1_and_false_alarms(folder, read_csv, scorer):
    hits = truths = false = points = 0
    for label, places, n in labelled(folder, read_csv):
        got, rest = scorer.match(label["truth"], places, n)
        false += sum(all(abs(p - o) > scorer.MARGIN for o in label.get("optional", [])) for p in rest)
        hits, truths, points = hits + len(got), truths + len(label["truth"]), points + n
    return 2 * hits / (hits + false + truths), 1000 * false / points


def test_a_change_that_is_taken_back_is_seen_before_its_run_is_as_long_again():
    values = with_steps(172, (150, 1.086), (166, 1 / 1.086), sd=0.003)

    assert indices(values) == [150, 166]


@pytest.mark.skipif(not compiled.is_compiler_there(), reason="numba is not installed")
def test_code_that_is_being_compiled_is_handed_out_when_it_is_finished(monkeypatch):
    handed_out = []
    build = compiled._build
    compiled._compile_all.cache_clear()

    def watched():
        handed_out.append(compiled.runner("scan", 10) is compiled.PLAIN["scan"])
        return build()

    monkeypatch.setattr(compiled, "_build", watched)
    compiled.prepare()

    assert handed_out == [True, True]
    assert compiled.runner("scan", 10) is not compiled.PLAIN["scan"]
