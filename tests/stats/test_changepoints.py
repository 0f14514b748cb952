"""Change points of planted series."""

import numpy as np
import pytest

from stats.changepoints import State, detect, detect_many


def noisy(n: int, *, seed: int = 1, level: float = 100.0, sd: float = 0.01) -> np.ndarray:
    return level * np.exp(sd * np.random.default_rng(seed).normal(size=n))


def test_a_planted_step_is_found_where_it_is() -> None:
    values = noisy(80)
    values[50:] *= 1.05

    (change,) = detect(values).changes

    assert (change.index, change.end, change.state) == (50, 80, State.CONFIRMED)
    assert change.effect == pytest.approx(0.05, abs=0.01)
    assert change.p < 1e-6


def test_many_series_have_the_changes_of_each() -> None:
    series = [noisy(n, seed=n) * np.where(np.arange(n) < n // 2, 1.0, 1.1) for n in (0, 3, 20, 60, 700)]

    assert detect_many(series) == [detect(one) for one in series]
