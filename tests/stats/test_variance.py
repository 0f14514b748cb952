"""Variance components: the analysis of variance where data are balanced, honest zeros, history with a guard."""

import numpy as np
import pytest
from scipy import special

from stats.variance import Replicates, as_history, components


def nested(seed, shape, spreads, shared=False):
    """Revisions x boots x runs x values with standard deviations (boots, runs, values)."""
    rng = np.random.default_rng(seed)
    revision, boot, run, _ = np.indices(shape).reshape(4, -1)
    boots, runs = shape[1:3]
    height = rng.normal(0, spreads[0], shape[:2])
    height = height[0][boot] if shared else height[revision, boot]
    logs = revision + height + rng.normal(0, spreads[1], shape[:3])[revision, boot, run]
    logs = logs + rng.normal(0, spreads[2], logs.size)
    code = boot if shared else revision * boots + boot
    return Replicates(revision, code, (revision * boots + boot) * runs + run, np.exp(logs))


def test_balanced_data_give_the_analysis_of_variance():
    shape = (2, 4, 3, 5)
    data = nested(1, shape, (0.02, 0.01, 0.01))
    logs = np.log(data.value).reshape(shape)
    values, runs, boots = (
        logs.var(axis=3, ddof=1).mean(),
        5 * logs.mean(axis=3).var(axis=2, ddof=1).mean(),
        15 * logs.mean(axis=(2, 3)).var(axis=1, ddof=1).mean(),
    )

    found = components(data)

    assert found.within_run.variance == pytest.approx(values)
    assert found.between_runs.variance == pytest.approx((runs - values) / 5)
    assert found.between_boots.variance == pytest.approx((boots - runs) / 15)
    assert found.unit() == pytest.approx(boots / 15)


def test_the_interval_of_the_innermost_spread_is_chi_square():
    data = nested(2, (1, 3, 2, 6), (0.0, 0.0, 0.05))

    found = components(data, confidence=0.9).within_run

    assert found.df == 30
    assert found.variance is not None
    assert found.low == pytest.approx(30 * found.variance / special.chdtri(30, 0.05))
    assert found.high == pytest.approx(30 * found.variance / special.chdtri(30, 0.95))


@pytest.mark.parametrize("shared", [False, True])
def test_intervals_hold_what_they_promise(shared):
    truth = (0.02, 0.01, 0.01)
    held = np.zeros(3)
    for seed in range(150):
        found = components(nested(seed, (3, 4, 3, 3), truth, shared=shared))
        parts = (found.between_boots, found.between_runs, found.within_run)
        held += [part.low <= sd**2 <= part.high for part, sd in zip(parts, truth, strict=True)]

    assert (held / 150 > 0.82).all()


def test_a_zero_component_says_how_large_it_may_be():
    found = [components(nested(seed, (2, 4, 3, 1), (0.0, 0.02, 0.0))).between_boots for seed in range(20)]
    zeros = [one for one in found if one.variance == 0]

    assert zeros
    assert all(one.low == 0 and one.high is not None and one.high > 0 for one in zeros)


def test_one_boot_a_revision_leaves_the_spread_of_boots_unknown():
    found = components(nested(3, (4, 1, 3, 2), (0.02, 0.01, 0.01)))

    assert found.between_boots.variance is None
    assert found.unit() is None
    assert found.between_runs.variance is not None


def test_one_run_a_boot_counts_the_noise_of_iterations_once():
    found = components(nested(3, (6, 8, 1, 5), (0.002, 0.002, 0.05)))

    truth = 0.002**2 + 0.002**2 + 0.05**2 / 5
    assert found.between_runs.variance is None
    assert found.unit() == pytest.approx(truth, rel=0.5)
    assert found.unit(4) == found.unit()  # what more runs a boot would bring is unknown


def test_history_is_told_for_the_runs_and_iterations_of_now():
    many = [components(nested(seed, (6, 8, 3, 10), (0.002, 0.002, 0.05))) for seed in range(20)]
    few = [components(nested(seed, (2, 8, 1, 1), (0.002, 0.002, 0.05))) for seed in range(20)]

    known = as_history(many, few)

    truth = 0.002**2 + 0.002**2 + 0.05**2
    assert np.nanmean(known.variance) == pytest.approx(truth, rel=0.2)
    assert np.mean(as_history(many).variance) < truth / 5


def test_boots_shared_by_revisions_count_once():
    alone = components(nested(4, (5, 3, 2, 1), (0.05, 0.002, 0.0)))
    shared = components(nested(4, (5, 3, 2, 1), (0.05, 0.002, 0.0), shared=True))

    assert alone.between_boots.df > 8
    assert shared.between_boots.df < 3


def test_units_do_not_matter_and_gross_outliers_count_little():
    data = nested(5, (2, 4, 4, 1), (0.01, 0.01, 0.0))
    value = 1024 * data.value
    value[7] *= 20
    clean, spoilt = components(data), components(Replicates(data.revision, data.boot, data.run, value))

    assert spoilt.between_runs.spread == pytest.approx(clean.between_runs.spread, rel=0.6)
    scaled = components(Replicates(data.revision, data.boot, data.run, 1024 * data.value))
    assert scaled.between_boots.variance == pytest.approx(clean.between_boots.variance)


def test_history_is_left_out_where_the_host_became_noisier():
    quiet = [components(nested(seed, (3, 4, 2, 1), (0.01, 0.005, 0.0))) for seed in range(10)]
    alike = [components(nested(seed + 50, (2, 4, 2, 1), (0.01, 0.005, 0.0))) for seed in range(10)]
    loud = [components(nested(seed + 90, (2, 4, 2, 1), (0.03, 0.015, 0.0))) for seed in range(10)]

    assert (as_history(quiet).df > 0).all()
    assert (as_history(quiet, alike).df > 0).sum() >= 7
    assert not (as_history(quiet, loud).df > 0).any()
