"""Properties of the comparison, planted effects, and agreement with SciPy where it computes the same."""

import dataclasses

import numpy as np
import pytest
import scipy.stats as sps
from hypothesis import given, settings
from hypothesis import strategies as st

from stats.compare import Comparison, History, Policy, RunSamples, Samples, Verdict, compare

SHAPE = (20, 2, 4, 3, 3)
FLAGS = {Verdict.REGRESSION, Verdict.IMPROVEMENT}
seeds = st.integers(0, 2**31)


def judge(samples: Samples, metrics: int, **limits) -> tuple[Comparison, ...]:
    return compare(samples, metrics=metrics, better=np.full(metrics, -1), policy=Policy(**limits))


def take(samples: Samples, rows) -> Samples:
    columns = (getattr(samples, name) for name in ("metric", "side", "boot", "run", "value"))
    return Samples(*(column[rows] for column in columns))


@settings(max_examples=25, deadline=None)
@given(seed=seeds, shared=st.booleans(), known=st.booleans())
def test_swapping_the_sides_keeps_p_and_mirrors_the_effect(make_samples, make_noise, seed, shared, known):
    samples = make_samples(make_noise(seed, SHAPE), shared_boots=shared, known_boots=known)
    swapped = dataclasses.replace(samples, side=1 - samples.side)

    there, back = judge(samples, 20), judge(swapped, 20)

    assert np.allclose([a.p for a in there], [b.p for b in back], rtol=1e-6)
    assert np.allclose([(1 + a.effect) * (1 + b.effect) for a, b in zip(there, back, strict=True)], 1)
    assert np.allclose([1 + a.ci[0] for a in there], [1 / (1 + b.ci[1]) for b in back], rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, exponent=st.integers(-40, 40))
def test_scaling_the_unit_by_a_power_of_two_changes_only_levels(make_samples, make_noise, seed, exponent):
    samples = make_samples(make_noise(seed, SHAPE))
    scaled = dataclasses.replace(samples, value=samples.value * 2.0**exponent)

    one, other = judge(samples, 20), judge(scaled, 20)

    assert [a.verdict for a in one] == [b.verdict for b in other]
    assert np.allclose([a.p for a in one], [b.p for b in other], rtol=1e-6)
    assert np.allclose([a.effect for a in one], [b.effect for b in other], atol=1e-9)
    assert np.allclose([a.base * 2.0**exponent for a in one], [b.base for b in other])


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_the_order_of_rows_and_the_names_of_runs_mean_nothing(make_samples, make_noise, seed):
    samples = make_samples(make_noise(seed, SHAPE))
    rng = np.random.default_rng(seed)
    renamed = dataclasses.replace(samples, run=rng.permutation(samples.run.max() + 1)[samples.run])
    shuffled = take(renamed, rng.permutation(samples.value.size))

    one, other = judge(samples, 20), judge(shuffled, 20)

    assert np.allclose([a.p for a in one], [b.p for b in other], rtol=1e-6)
    assert [a.n for a in one] == [b.n for b in other]


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_a_constant_metric_changes_nothing_for_the_others(make_samples, make_noise, seed):
    logs = make_noise(seed, SHAPE)
    logs[3, 1] += 0.05
    samples, extended = make_samples(logs), make_samples(np.concatenate([logs, np.ones_like(logs[:1])]))

    without, with_constant = judge(samples, 20), judge(extended, 21)

    assert without == with_constant[:20]
    assert (with_constant[20].verdict, with_constant[20].p) == (Verdict.EQUIVALENT, 1.0)


def test_planted_effects_are_found_and_nothing_else(make_samples, make_noise):
    logs = make_noise(1, (100, 2, 4, 5, 5))
    logs[:5, 1] += np.log1p(0.06)
    logs[5:10, 1] -= np.log1p(0.06)

    found = judge(make_samples(logs), 100)

    assert {a.verdict for a in found[:5]} == {Verdict.REGRESSION}
    assert {a.verdict for a in found[5:10]} == {Verdict.IMPROVEMENT}
    assert sum(a.verdict in FLAGS for a in found[10:]) <= 1


def test_higher_is_better_turns_the_verdict(make_samples, make_noise):
    logs = make_noise(2, (30, 2, 4, 5, 5))
    logs[0, 1] += 0.2
    samples = make_samples(logs)

    found = compare(samples, metrics=30, better=np.ones(30, dtype=np.int64), policy=Policy())

    assert found[0].verdict is Verdict.IMPROVEMENT


def test_p_falls_as_the_effect_grows(make_samples, make_noise):
    logs = make_noise(3, SHAPE)
    ps = []
    for effect in (0.0, 0.02, 0.04, 0.08, 0.16):
        moved = logs.copy()
        moved[:, 1] += effect - (logs[:, 1].mean((1, 2, 3)) - logs[:, 0].mean((1, 2, 3)))[:, None, None, None]
        ps.append([a.p for a in judge(make_samples(moved), 20, robust=False)])

    assert (np.diff(ps, axis=0) < 0).all()


def test_power_grows_with_boots(make_samples, make_noise):
    found = []
    for boots in (3, 5, 8):
        logs = make_noise(4, (200, 2, boots, 3, 3))
        logs[:40, 1] += 0.04
        found.append(sum(a.verdict is Verdict.REGRESSION for a in judge(make_samples(logs), 200)[:40]))

    assert found == sorted(found)
    assert found[0] < found[2]


def test_without_moderation_it_is_welchs_test_on_boot_means(make_samples, make_noise):
    logs = make_noise(5, (30, 2, 5, 4, 3))
    samples = make_samples(logs)
    ragged = take(samples, np.flatnonzero((samples.side == 0) | (samples.boot != samples.boot.max())))
    means = logs.mean(axis=(3, 4))
    expected = sps.ttest_ind(means[:, 1, :-1], means[:, 0], axis=1, equal_var=False)

    found = judge(ragged, 30, moderate=False, robust=False)

    assert np.allclose([a.p for a in found], expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert np.allclose([a.ci for a in found], np.expm1(np.stack([interval.low, interval.high], axis=1)))


def test_without_moderation_paired_blocks_are_the_paired_test(make_samples, make_noise):
    logs = make_noise(6, (30, 2, 6, 1, 1))
    expected = sps.ttest_rel(logs[:, 1, :, 0, 0], logs[:, 0, :, 0, 0], axis=1).pvalue

    found = judge(make_samples(logs, shared_boots=True), 30, moderate=False, robust=False)

    assert np.allclose([a.p for a in found], expected)
    assert {a.design for a in found} == {"blocked"}


@pytest.mark.parametrize("metrics", [1, 3, 10, 30, 200])
@pytest.mark.parametrize("boots", [2, 3, 8])
def test_null_p_values_hold_their_level_whatever_the_number_of_metrics(make_samples, make_noise, metrics, boots):
    ps = []
    for seed in range(max(2, 400 // metrics)):
        found = judge(make_samples(make_noise(seed, (metrics, 2, boots, 2, 2))), metrics)
        ps += [a.p for a in found]

    share = np.mean(np.array(ps) < 0.05)

    assert share < 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / len(ps))


def test_intervals_cover_under_noise_of_unlike_kinds(make_samples, make_noise):
    covered = []
    for seed in range(10):
        logs = make_noise(seed, (100, 2, 5, 3, 3))
        logs[:50] += 0.06 * (np.random.default_rng(seed).random((50, 2, 5, 1, 1)) < 0.3)
        covered += [a.ci[0] <= 0 <= a.ci[1] for a in judge(make_samples(logs), 100)]

    assert np.mean(covered) > 0.93


def test_boot_levels_cancel_inside_shared_boots(make_samples, make_noise):
    logs = make_noise(7, (50, 2, 3, 6, 3), (0.0, 0.01, 0.01))
    logs += np.random.default_rng(1).normal(0, 0.5, (50, 1, 3, 1, 1))
    logs[0, 1] += 0.05

    found = judge(make_samples(logs, shared_boots=True), 50)

    assert found[0].verdict is Verdict.REGRESSION
    assert found[0].design == "blocked"
    assert sum(a.verdict in FLAGS for a in found[1:]) == 0


def test_a_noisy_boot_weighs_less_than_a_quiet_one(make_samples, make_noise):
    logs = make_noise(8, (40, 2, 2, 8, 1), (0.0, 0.005, 0.0))
    logs[:, :, 1] += np.random.default_rng(2).normal(0, 0.3, logs[:, :, 1].shape)
    logs[:, 1] += 0.05

    found = judge(make_samples(logs, shared_boots=True), 40)

    assert np.median([abs(a.effect - 0.0513) for a in found]) < 0.01
    assert sum(a.verdict is Verdict.REGRESSION for a in found) > 25


def test_an_effect_that_differs_between_boots_widens_the_interval_and_says_so(make_samples, make_noise):
    logs = make_noise(9, (30, 2, 3, 6, 2), (0.0, 0.005, 0.005))
    logs[0, 1, 0] += 0.3

    found = judge(make_samples(logs, shared_boots=True), 30)

    assert found[0].verdict is Verdict.INCONCLUSIVE
    assert any("differs between boots" in text for text in found[0].warnings)
    assert found[0].ci[1] - found[0].ci[0] > 5 * (found[1].ci[1] - found[1].ci[0])


def test_shared_boots_are_the_blocks_and_the_others_are_named(make_samples, make_noise):
    samples = make_samples(make_noise(10, (5, 2, 3, 4, 2)), shared_boots=True)
    kept = take(samples, np.flatnonzero((samples.side == 0) | (samples.boot != 2)))

    found = judge(kept, 5)

    assert {a.design for a in found} == {"blocked"}
    assert all("4 runs left out: their boots measured one side only" in a.warnings for a in found)


def test_a_single_outlying_run_does_not_hide_a_change(make_samples, make_noise):
    logs = make_noise(11, (20, 2, 2, 4, 1), (0.0, 0.001, 0.0))
    logs[0, 1] += 0.05
    logs[0, 0, 1, 2] += 3.0

    found = judge(make_samples(logs, shared_boots=True), 20)

    assert found[0].verdict is Verdict.REGRESSION
    assert found[0].effect == pytest.approx(0.05, abs=0.01)


def test_an_outlying_iteration_hardly_moves_its_run(make_samples, make_noise):
    logs = make_noise(12, (20, 2, 3, 3, 7))
    spoilt = logs.copy()
    spoilt[:, 0, :, :, 0] += 5.0

    clean, dirty = judge(make_samples(logs), 20), judge(make_samples(spoilt), 20)

    assert np.allclose([a.effect for a in clean], [b.effect for b in dirty], atol=0.03)


def test_a_noisier_side_gets_a_wider_interval(make_samples):
    rng = np.random.default_rng(13)
    logs = np.zeros((200, 2, 12, 1, 1))
    logs[:, 0, :3] = rng.normal(0, 0.05, (200, 3, 1, 1))
    logs[:, 1] = rng.normal(0, 0.01, (200, 12, 1, 1))
    samples = make_samples(logs)
    few_and_noisy = take(samples, np.flatnonzero((samples.side == 1) | (samples.boot < 3)))

    ps = np.array([a.p for a in judge(few_and_noisy, 200)])

    assert np.mean(ps < 0.05) < 0.1


def test_few_noisy_boots_do_not_borrow_the_quiet_of_many(judge_one):
    rng = np.random.default_rng(17)

    answers = [
        judge_one([[one] for one in np.exp(rng.normal(0, 0.01, 8))], [[one] for one in np.exp(rng.normal(0, 0.03, 2))])
        for _ in range(400)
    ]

    assert np.mean([one.verdict in FLAGS for one in answers]) < 0.15


def test_history_judges_single_boots_also_where_all_their_values_are_equal():
    samples = Samples(*(np.array(column) for column in ([0, 0], [0, 1], [0, 1], [0, 1])), np.array([1.0, 1.05]))
    history = History(np.array([1e-4**2]), np.array([11.0]))

    (found,) = compare(samples, metrics=1, better=np.array([-1]), policy=Policy(), history=history)

    assert found.verdict is Verdict.REGRESSION


@pytest.mark.parametrize("scale", [1e-310, 1e-305, 1.0, 1e305, 5e307])
def test_a_doubling_is_one_at_any_scale(judge_one, scale):
    values = np.array([1.0, 1.01, 0.99, 1.005])

    found = judge_one([[one] for one in values * scale], [[one] for one in 2 * values[::-1] * scale])

    assert found.verdict is Verdict.REGRESSION
    assert found.effect == pytest.approx(1, rel=1e-6)


def test_history_judges_a_single_boot_a_side(make_samples, make_noise):
    logs = make_noise(14, (2, 2, 1, 5, 3), (0.0, 0.002, 0.002))
    logs[0, 1] += 0.2
    history = History(np.full(2, 0.01**2), np.full(2, 12.0))
    samples = make_samples(logs)

    found = compare(samples, metrics=2, better=np.full(2, -1), policy=Policy(), history=history)

    assert found[0].verdict is Verdict.REGRESSION
    assert found[1].verdict not in FLAGS
    assert judge(samples, 2)[0].verdict is Verdict.INCONCLUSIVE


@settings(max_examples=25, deadline=None)
@given(seed=seeds, shared=st.booleans(), longest=st.integers(1, 12))
def test_one_row_a_run_says_what_one_row_a_value_says(make_samples, make_noise, seed, shared, longest):
    samples = make_samples(make_noise(seed, (*SHAPE[:-1], 12)), shared_boots=shared)
    rng = np.random.default_rng(seed)
    length = rng.integers(1, longest + 1, samples.value.size // 12)  # values of each run that are kept
    samples = take(samples, np.flatnonzero(np.arange(samples.value.size) % 12 < np.repeat(length, 12)))
    first = np.cumsum(length) - length
    runs = RunSamples(samples.metric[first], samples.side[first], samples.boot[first], length, samples.value)

    assert judge(runs, 20) == judge(samples, 20)


def test_rows_a_run_that_do_not_add_up_are_refused():
    one = np.zeros(2, dtype=np.int64)

    for metric, counts, why in (([0, 0], [1, 2], "needs values"), ([0, 0], [3, 0], "needs"), ([1, 0], [1, 2], "order")):
        with pytest.raises(ValueError, match=why):
            RunSamples(np.array(metric), one, one, np.array(counts), np.ones(2 if why == "needs values" else 3))
