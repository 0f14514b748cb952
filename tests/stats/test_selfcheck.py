"""The self-check: what is put in is found where noise allows, and too little data say so."""

import numpy as np

from stats.selfcheck import Repeated, check


def repeated(boots, runs, noise, metrics=20):
    rng = np.random.default_rng(0)
    metric, boot, run = np.indices((metrics, boots, runs)).reshape(3, -1)
    logs = rng.normal(0, noise, (metrics, boots))[metric, boot] + rng.normal(0, noise, metric.size)
    return Repeated(metric, boot, boot * runs + run, np.exp(logs))


def test_large_regressions_are_found_and_small_ones_are_not_called_equal():
    found = check(repeated(8, 3, 0.01), -np.ones(20, dtype=np.int64), (0.0, 0.2), splits=5)

    assert (found.by_boots, found.by_runs, found.unusable) == (20, 0, 0)
    assert found.sizes[1].found == found.sizes[1].injected == 10
    assert found.false_flags < 0.5


def test_runs_inside_boots_are_split_where_boots_are_few():
    found = check(repeated(2, 6, 0.01), np.ones(20, dtype=np.int64), (0.2,), splits=3)

    assert (found.by_boots, found.by_runs) == (0, 20)
    assert found.sizes[0].found == found.sizes[0].injected


def test_too_little_data_are_not_split():
    found = check(repeated(2, 2, 0.01), -np.ones(20, dtype=np.int64), (0.2,), splits=3)

    assert (found.metrics, found.unusable) == (0, 20)
    assert found.sizes[0].injected == 0


def test_the_same_data_give_the_same_answer():
    once, again = (check(repeated(6, 2, 0.02), -np.ones(20, dtype=np.int64), (0.05,), splits=3) for _ in range(2))

    assert once == again
