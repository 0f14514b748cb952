import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.levels import levels


def columns(boots):
    """Runs of one point as {boot: [[iterations of a run], …]}."""
    rows = [(values, b) for b, runs in boots.items() for values in runs]
    value = np.concatenate([np.array(values) for values, _ in rows])
    counts, boot = (np.array(column) for column in zip(*((len(values), b) for values, b in rows), strict=True))
    return value, counts, boot, np.zeros(boot.size, dtype=int)


def test_boots_are_the_units_where_there_are_two():
    (found,) = levels(*columns({1: [[1.0, 9.0, 2.0]], 2: [[4.0], [6.0]]}))

    assert (found.value, found.boots, found.runs, found.values, found.scope) == (3.5, 2, 3, 5, "")
    assert found.low < 2.0
    assert found.high > 5.0


def test_the_interval_of_two_modes_holds_the_level():
    (found,) = levels(*columns({b: [[value]] for b, value in enumerate([1, 1, 1, 1, 1, 1.5, 1.5, 1.6, 1.4])}))

    assert found.value == 1.0
    assert found.low == 1.0
    assert found.high > 1.3


def test_runs_are_the_units_inside_one_boot_and_it_says_so():
    (found,) = levels(*columns({1: [[1.0], [1.1], [0.9]]}))

    assert found.scope == "within one boot"
    assert found.low < 0.95
    assert 1.05 < found.high < 1.4


def test_one_run_has_no_interval():
    (found,) = levels(*columns({-1: [[1.0, 2.0]]}))

    assert (found.low, found.high, found.boots, found.scope) == (None, None, 0, "boots unknown")


def test_values_that_are_not_positive_get_a_plain_interval():
    (found,) = levels(*columns({1: [[-1.0]], 2: [[0.0]], 3: [[1.0]]}))

    assert found.value == 0.0
    assert found.low == pytest.approx(-found.high)


@given(st.lists(st.lists(st.floats(0.1, 10), min_size=1, max_size=4), min_size=1, max_size=6), st.integers(1, 3))
def test_many_points_are_each_as_if_alone(runs, boots):
    one = columns({b: runs[b::boots] for b in range(boots) if runs[b::boots]})
    twice = [np.concatenate([c, c]) for c in one[:3]] + [np.repeat([0, 1], one[3].size)]

    assert levels(*twice) == levels(*one) * 2
