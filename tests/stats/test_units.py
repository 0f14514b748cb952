import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.words import Unit
from stats.units import scale, scaled, significant


@pytest.mark.parametrize(
    ("values", "unit", "texts", "shown"),
    [
        ([3.309, 2.010], "s", ["3.309", "2.010"], "s"),
        ([0.0000262, 0.00002627], "s", ["26.20", "26.27"], "us"),
        ([0.07293, 0.0009739], "s", ["72.93", "0.9739"], "ms"),
        ([17179869184], "B", ["16"], "GiB"),
        ([262144.25], "pages/s", ["262.1"], "k pages/s"),
        ([3, 4], "count", ["3", "4"], "count"),
        ([22.5], "furlongs", ["22.50"], "furlongs"),
        ([0.0], "s", ["0"], "s"),
        ([], "s", [], "s"),
    ],
)
def test_values_share_a_scale_that_suits_the_largest(values, unit, texts, shown):
    assert scaled(values, unit) == (texts, shown)


@given(st.lists(st.floats(-1e15, 1e15), min_size=1, max_size=5), st.sampled_from([unit.value for unit in Unit]))
def test_a_text_is_near_its_value(values, unit):
    divisor, _ = scale(values, unit)
    texts, _ = scaled(values, unit)

    for value, text in zip(values, texts, strict=True):
        assert float(text) * divisor == pytest.approx(value, rel=1e-3, abs=1e-300)
        assert len(text) <= 11


def test_small_numbers_keep_their_digits():
    assert [significant(x) for x in (0.0001234, 12345.6, -0.5, 1e-7)] == ["1.234e-04", "12346", "-0.5000", "1.000e-07"]
