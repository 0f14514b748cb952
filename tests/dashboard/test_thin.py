import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from trend_lines import line

from dashboard.charts.thin import thinned


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=400), st.integers(40, 500))
def test_ends_and_extremes_stay_and_the_order(values, most):
    whole = line(values)

    (found,) = thinned([whole], most)

    shown = [point.level.value for point in found.points]
    assert (shown[0], shown[-1]) == (values[0], values[-1])
    assert (min(shown), max(shown)) == (min(values), max(values))
    assert len(shown) <= max(most, 40) + 2
    assert [point.revision.id for point in found.points] == sorted(point.revision.id for point in found.points)


def test_a_few_points_are_left_alone():
    lines = [line(np.linspace(1, 2, 50)) for _ in range(3)]

    assert thinned(lines, 150) == lines
