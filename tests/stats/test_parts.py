"""The pieces: false discovery rate, effects, ranks, steps, planning, order."""

import numpy as np
import pytest
import scipy.stats as sps
from hypothesis import given
from hypothesis import strategies as st

from stats import noise, ranks
from stats.compare import Policy, Verdict, compare
from stats.designs import Units
from stats.effects import geometric_mean
from stats.fdr import adjust
from stats.grouped import codes
from stats.power import LIMIT, detectable_change, units_needed

shares = st.lists(st.floats(0, 1), min_size=1, max_size=40).map(np.array)


@given(shares)
def test_adjusted_p_values_agree_with_scipy(p):
    assert np.allclose(adjust(p), sps.false_discovery_control(p))


@given(shares)
def test_unjudged_metrics_are_no_members_of_the_family(p):
    mixed = np.insert(p, 0, np.nan)

    assert np.isnan(adjust(mixed)[0])
    assert np.array_equal(adjust(mixed)[1:], adjust(p))


def test_the_geometric_mean_weighs_ratios_alike():
    found = geometric_mean(np.array([2.0, 0.5, 4.0, 0.25, np.nan, 0.0]))

    assert found.effect == pytest.approx(0)
    assert found.metrics == 4
    assert found.ci[0] < 0 < found.ci[1]


def test_a_geometric_mean_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        geometric_mean(np.array([np.nan]))


@pytest.mark.parametrize("shape", [(3, 4), (6, 6), (12, 9)])
def test_the_rank_distribution_is_exact(shape):
    null = ranks.null_distribution((shape,))
    rng = np.random.default_rng(1)
    x, y = rng.normal(0, 1, shape[0]), rng.normal(0.8, 1, shape[1])
    expected = sps.mannwhitneyu(y, x, method="exact")
    u = min(expected.statistic, null.size - 1 - expected.statistic)

    assert min(1.0, 2 * null[: int(u) + 1].sum()) == pytest.approx(expected.pvalue)


def test_blocks_of_ranks_are_convolved():
    assert np.allclose(ranks.null_distribution(((1, 1), (1, 1))), [0.25, 0.5, 0.25])


def test_heavy_tails_are_left_to_ranks_and_normal_noise_to_the_t_test():
    rng = np.random.default_rng(2)
    heavy = rng.normal(0, 0.01, (10, 24)) + (rng.random((10, 24)) < 0.3) * rng.exponential(1, (10, 24))
    levels = np.concatenate([heavy, rng.normal(0, 0.01, (10, 24))])
    units = Units(
        np.repeat(np.arange(20), 24), np.zeros(480, dtype=np.int64), np.tile(np.repeat([0, 1], 12), 20), levels.ravel()
    )

    found = ranks.test_shift(units, np.arange(20), confidence=0.95, attainable=1e-3)

    assert set(range(10)) <= set(found.metric.tolist())
    expected = sps.mannwhitneyu(levels[0, 12:], levels[0, :12], method="exact").pvalue
    assert found.p[0] == pytest.approx(expected)
    inside = (found.delta[:10] - found.reach[:10, 0] < 0) & (found.delta[:10] + found.reach[:10, 1] > 0)
    assert inside.mean() >= 0.8


def test_runs_with_heavy_tails_are_compared_by_ranks(make_samples):
    rng = np.random.default_rng(3)
    logs = rng.normal(0, 0.01, (10, 2, 1, 12, 1)) + (rng.random((10, 2, 1, 12, 1)) < 0.3) * rng.exponential(
        1, (10, 2, 1, 12, 1)
    )
    logs[0, 1] -= 1.5

    found = compare(make_samples(logs, shared_boots=True), metrics=10, better=-np.ones(10), policy=Policy())

    assert found[0].verdict is Verdict.IMPROVEMENT
    assert sum(a.method == "ranks" for a in found) >= 8
    assert sum(a.verdict in (Verdict.REGRESSION, Verdict.IMPROVEMENT) for a in found[1:]) <= 1


def test_an_interval_of_ranks_excludes_zero_where_their_test_does():
    rng = np.random.default_rng(5)
    quiet = rng.normal(0, 0.01, (400, 12))
    noisy = rng.normal(0.03, 0.01, (400, 12)) + (rng.random((400, 12)) < 0.3) * rng.normal(0, 0.2, (400, 12))
    levels = np.concatenate([quiet, noisy], axis=1)
    units = Units(
        np.repeat(np.arange(400), 24),
        np.zeros(9600, dtype=np.int64),
        np.tile(np.repeat([0, 1], 12), 400),
        levels.ravel(),
    )

    found = ranks.test_shift(units, np.arange(400), confidence=0.95, attainable=1e-3)

    low, high = found.delta - found.reach[:, 0], found.delta + found.reach[:, 1]
    assert found.metric.size > 100
    assert np.array_equal(found.p < 0.05, (low > 0) | (high < 0))


def test_alone_a_metric_has_the_t_test():
    spread, df, factor, delta = np.array([0.04]), np.array([5.0]), np.array([0.5]), np.array([0.3])

    found = noise.moderate(spread, df, factor, np.full((1, 2), np.nan))

    assert found.p_value(delta)[0] == pytest.approx(2 * sps.t.sf(0.3 / np.sqrt(0.02), 5))
    assert found.half_width(0.95)[0] == pytest.approx(sps.t.ppf(0.975, 5) * np.sqrt(0.02))


@pytest.mark.parametrize("metrics", [10, 60, 500])
def test_intervals_and_p_values_say_the_same(metrics):
    rng = np.random.default_rng(metrics)
    df = rng.choice([1.0, 2.0, 4.0, 6.0, 20.0], metrics)
    spread = np.exp(rng.normal(0, 1, metrics)) * rng.chisquare(df) / df

    found = noise.moderate(spread, df, np.full(metrics, 0.5), np.full((metrics, 2), np.nan))

    assert np.allclose(found.p_value(found.half_width(0.95)), 0.05, rtol=1e-3)
    assert np.allclose(found.p_value(found.half_width(0.9)), 0.1, rtol=1e-3)
    assert np.allclose(found.p_value(np.zeros(metrics)), 1)


def test_noise_below_the_units_predicts_theirs():
    rng = np.random.default_rng(4)
    true = np.exp(rng.normal(0, 1.5, 300))
    spread = true * rng.chisquare(2, 300) / 2
    below = np.stack([true * rng.chisquare(40, 300) / 40, np.full(300, np.nan)], axis=1)
    delta = np.sqrt(true) * 3.5

    told, blind = (
        noise.moderate(spread, np.full(300, 2.0), np.ones(300), x).p_value(delta) for x in (below, below * np.nan)
    )

    assert np.median(told) < 0.3 * np.median(blind)


def test_planned_units_have_their_power():
    spread, change = 0.02**2, 0.03
    needed = int(units_needed(np.array([spread]), np.array([change]), alpha=0.05, power=0.8)[0])
    rng = np.random.default_rng(5)
    base, head = (rng.normal(mean, 0.02, (4000, needed)) for mean in (0, change))

    power = np.mean(sps.ttest_ind(base, head, axis=1).pvalue < 0.05)

    assert 0.76 < power < 0.9
    assert detectable_change(np.array([spread]), np.array([needed]), alpha=0.05, power=0.8)[0] < change * 1.05


def test_a_planned_change_is_flagged_with_the_power_promised_beyond_the_margin_too():
    margin, change, spread = np.log1p(0.02), np.log1p(0.03), 0.02**2
    (needed,) = units_needed(np.array([spread]), np.array([change]), alpha=0.05, power=0.8, beyond=margin).astype(int)
    rng = np.random.default_rng(6)
    base, head = (rng.normal(mean, 0.02, (4000, needed)) for mean in (0, change))

    significant = sps.ttest_ind(base, head, axis=1).pvalue < 0.05
    flagged = significant & (head.mean(axis=1) - base.mean(axis=1) > margin)

    assert 0.77 < np.mean(flagged) < 0.87
    assert units_needed(np.array([spread]), np.array([0.01]), alpha=0.05, power=0.8, beyond=margin)[0] == LIMIT


def ticking(seed, step, metrics=12):
    """Values that agree to eight digits or jump by one step of a timer, four runs a side in one boot."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(5, 30, (metrics, 1, 1, 1, 1)) * step
    return np.log(level + step * (rng.random((metrics, 2, 1, 4, 1)) < 0.3) + rng.normal(0, 1e-9, (metrics, 2, 1, 4, 1)))


def test_a_whole_timer_step_between_the_sides_is_no_evidence(make_samples):
    logs = ticking(6, 0.004)
    locked = np.exp(logs[0, 0, 0, 0, 0])
    logs[0, 0], logs[0, 1] = np.log(locked) + 1e-9 * np.arange(4)[:, None], np.log(locked + 0.004)
    logs[1, 1] = logs[1, 0] + 0.9

    found = compare(make_samples(logs, shared_boots=True), metrics=12, better=-np.ones(12), policy=Policy())

    assert found[0].verdict is Verdict.INCONCLUSIVE
    assert "within the steps of 0.004" in found[0].why
    assert found[1].verdict is Verdict.REGRESSION
    assert any("steps of 0.004" in text for text in found[2].warnings)


def test_the_timer_of_one_host_explains_nothing_on_another(make_samples):
    logs = ticking(6, 0.004)
    logs[0, 0, 0] = np.log(0.054) + 1e-9 * np.arange(4)[:, None]
    logs[0, 1] = np.log(0.058) + 1e-9 * np.arange(4)[:, None]
    samples, host = make_samples(logs, shared_boots=True), np.r_[1, np.zeros(11, dtype=np.int64)]

    together = compare(samples, metrics=12, better=-np.ones(12), policy=Policy())
    apart = compare(samples, metrics=12, better=-np.ones(12), policy=Policy(), host=host)

    assert (together[0].verdict, apart[0].verdict) == (Verdict.INCONCLUSIVE, Verdict.REGRESSION)


def test_continuous_noise_has_no_steps(make_samples, make_noise):
    found = compare(make_samples(make_noise(7, (300, 2, 4, 5, 1))), metrics=300, better=-np.ones(300), policy=Policy())

    assert not any(a.warnings for a in found)


@given(st.lists(st.integers(0, 4), max_size=12))
def test_codes_are_those_of_the_sorted_keys(keys):
    key = np.array(keys, dtype=np.int64)

    assert codes(key).tolist() == np.unique(key, return_inverse=True)[1].tolist()
