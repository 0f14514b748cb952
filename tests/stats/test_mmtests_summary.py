"""MMTests' summaries: definitions by example, and what must hold for all samples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats import mmtests_summary as summary

samples = st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=40)
directions = st.sampled_from(("Lower", "Higher"))


def test_rows_of_lower_is_better() -> None:
    found = summary.summarise([4, 1, 3, 2], "Lower")

    assert found == {
        "Min": 1,
        "Amean": 2.5,
        "Stddev": pytest.approx(math.sqrt(5 / 3)),
        "CoeffVar": pytest.approx(100 * math.sqrt(5 / 3) / 2.5),
        "Max": 4,
        "BAmean.95": 2,  # the best int(4 * 0.95) = 3
    }


def test_rows_of_higher_is_better() -> None:
    found = summary.summarise([1, 2, 4], "Higher")

    assert (found["Min"], found["Hmean"], found["Max"]) == (1, pytest.approx(12 / 7), 4)
    deviation = math.sqrt(sum((1 / x - 7 / 12) ** 2 * (12 / 7) ** 4 for x in (1, 2, 4)) / 3)
    assert found["HStddev"] == pytest.approx(deviation)
    assert found["BHmean.95"] == pytest.approx(2 / (1 / 4 + 1 / 2))


def test_percentiles_are_counted_from_the_best() -> None:
    values = list(range(1, 101))

    assert summary.summarise(values, "Lower", "Normalisedops")["Pctile.95"] == 95
    assert summary.summarise(values, "Higher", "Normalisedops")["Pctile.95"] == 6


def test_single_operations_show_the_best_sample() -> None:
    assert summary.summarise([3, 1, 2], "Lower", "Singleops") == {"Ops": 1}
    assert summary.summarise([3, 1, 2], "Higher", "Singleops") == {"Ops": 3}


def test_what_is_undefined_is_nan_and_its_variation_zero() -> None:
    assert math.isnan(summary.mean([0.0, 1.0], "Higher"))
    assert math.isnan(summary.mean([], "Lower"))
    assert math.isnan(summary.deviation([1.0], "Lower"))
    assert summary.interval([1.0], "Lower") is None
    assert summary.summarise([], "Lower")["CoeffVar"] == 0
    assert math.isnan(summary.summarise([], "Lower")["Min"])


@pytest.mark.parametrize(
    ("statistic", "value", "base", "direction", "told"),
    [
        ("Hmean", 110, 100, "Higher", 10),
        ("Hmean", 0, 100, "Higher", 0),
        ("Hmean", 5, 0, "Higher", 100),
        ("Amean", 110, 100, "Lower", -10),
        ("Amean", 0, 100, "Lower", 100),
        ("Amean", 5, 0, "Lower", -99),
        ("HStddev", 110, 100, "Higher", -10),
        ("Amean", 5, 5, "Lower", 0),
        ("Amean", math.nan, 5, "Lower", 0),
        ("Amean", -1, 5, "Lower", 0),
    ],
)
def test_percents_follow_the_table_of_exceptions(
    statistic: str, value: float, base: float, direction: summary.Direction, told: float
) -> None:
    assert summary.percent(statistic, value, base, direction) == pytest.approx(told)


def test_stars_need_intervals_apart() -> None:
    near, far = summary.Interval(0, 2), summary.Interval(10, 12)

    assert not summary.is_significant(summary.significance(near, near))
    assert summary.is_significant(summary.significance(far, near))
    assert summary.significance(None, near) == 0
    assert summary.significance(summary.Interval(1, 1), summary.Interval(2, 2)) == 0


def test_ratios_and_their_mean() -> None:
    assert [summary.ratio(2, 4), summary.ratio(2, 0), summary.ratio(0, 4)] == [0.5, 0.0, 1.0]
    assert summary.geometric_mean([2, 8]) == pytest.approx(4)
    assert summary.geometric_mean([0, 1]) == pytest.approx(math.sqrt(0.00001))


@given(samples, directions, st.randoms())
def test_order_does_not_matter(values: list[float], direction: summary.Direction, random) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)

    for name, value in summary.summarise(values, direction, "NormalisedLeftSkewops").items():
        assert summary.summarise(shuffled, direction, "NormalisedLeftSkewops")[name] == pytest.approx(
            value, nan_ok=True
        )


@given(samples, directions)
def test_doubling_the_samples_doubles_every_figure_but_the_variation(
    values: list[float], direction: summary.Direction
) -> None:
    twice = summary.summarise([2 * value for value in values], direction)

    for name, value in summary.summarise(values, direction).items():
        scale = 1 if "CoeffVar" in name else 2
        assert twice[name] == pytest.approx(scale * value, rel=1e-9, abs=1e-12)


@given(samples, directions)
def test_the_best_are_never_worse_than_all(values: list[float], direction: summary.Direction) -> None:
    found = summary.summarise(values, direction)
    mean, best = (found["Amean"], found["BAmean.95"]) if direction == "Lower" else (found["BHmean.95"], found["Hmean"])

    assert best <= mean * (1 + 1e-9)


@given(samples)
def test_drawn_means_are_near_the_mean_and_repeat(values: list[float]) -> None:
    data = np.array(values)

    found = summary.sub_mean([data], "Lower", seed=1)

    assert found == summary.sub_mean([data], "Lower", seed=1)
    assert data.min() * (1 - 1e-12) <= found <= data.max() * (1 + 1e-12)


def test_the_interval_of_drawn_means_is_that_of_their_variances() -> None:
    random = np.random.default_rng(5)
    quiet, shifted = random.normal(10, 2, 500), random.normal(13, 2, 250)

    alone = summary.sub_mean_interval([quiet], "Lower", seed=1)
    both = summary.sub_mean_interval([quiet, shifted], "Lower", seed=1)

    assert alone is not None
    assert alone.half == pytest.approx(1.96 * quiet.std(ddof=1) / math.sqrt(400), rel=0.02)
    centres = (quiet.mean(), shifted.mean())
    middle = sum(centres) / 2
    between = (centres[0] - middle) ** 2 * 400 + (centres[1] - middle) ** 2 * 200
    inside = (quiet.var(ddof=1) + shifted.var(ddof=1)) / 2
    assert both is not None
    assert both.half == pytest.approx(1.96 * math.sqrt((between + inside) / 600), rel=0.03)
    assert both.low + both.half == pytest.approx(middle, rel=0.01)


def test_the_interval_of_drawn_means_without_draws_or_spread() -> None:
    assert summary.sub_mean_interval([], "Lower", seed=1) is None
    assert summary.sub_mean_interval([np.array([1.0])], "Lower", seed=1) is None
    assert summary.sub_mean_interval([np.array([1.0, 2.0])], "Lower", seed=1) is None  # one sample a draw: no variance
    constant = summary.sub_mean_interval([np.full(10, 4.0)], "Higher", seed=1)
    assert constant == summary.Interval(4.0, 4.0)
