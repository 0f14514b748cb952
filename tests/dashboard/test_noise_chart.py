import altair as alt
import pytest
from jsonschema import ValidationError

from dashboard.charts.noise import FLOOR, LEVELS, Noise, Spread, noise

KNOWN = Noise("time", (Spread(0.01), Spread(0.02, 0.01, 0.04), Spread(0.05, 0.03, 0.2)), 0.08)


def _marks(*rows, shown_by="4 boots show"):
    return noise(rows, shown_by)["data"]["values"]


def test_each_level_is_a_mark_in_per_cent_and_what_would_show_another():
    marks = _marks(KNOWN)

    assert [mark["level"] for mark in marks] == [*LEVELS, "4 boots show"]
    assert [mark["drawn"] for mark in marks] == pytest.approx([1, 2, 5, 8])
    assert {mark["metric"] for mark in marks} == {"1. time"}


def test_the_figure_is_one_that_its_library_understands():
    figure = noise([KNOWN, KNOWN], "4 boots show")

    alt.LayerChart.from_dict(figure).to_dict()
    with pytest.raises(ValidationError):
        alt.LayerChart.from_dict({**figure, "layer": [{"mark": "no such mark"}]})


def test_intervals_reach_from_low_to_high():
    marks = _marks(KNOWN)

    assert (marks[2]["low"], marks[2]["high"]) == pytest.approx((3, 20))
    assert (marks[0]["low"], marks[0]["high"]) == (None, None)
    assert [mark["spread"] for mark in marks[:2]] == ["1%", "2%, 90% interval [1%, 4%]"]


def test_the_marks_differ_by_shape_and_not_only_by_colour():
    _, points = noise([KNOWN], "")["layer"]

    assert len(set(points["encoding"]["shape"]["scale"]["range"])) == 4


def test_nothing_is_hollow_at_the_floor_and_the_unknown_is_absent():
    marks = _marks(Noise("exact", (Spread(None), Spread(0.0, 0.0, 0.02), Spread(None)), None), KNOWN)

    assert [mark["metric"] for mark in marks] == ["1. exact"] + 4 * ["2. time"]
    assert [mark["hollow"] for mark in marks] == [True, False, False, False, False]
    assert (marks[0]["drawn"], marks[0]["low"], marks[0]["high"]) == pytest.approx((100 * FLOOR, 100 * FLOOR, 2))
    assert marks[0]["spread"] == "0%, 90% interval [0%, 2%]"


def test_metrics_of_one_name_are_two_lines_and_a_long_name_is_cut():
    marks = _marks(KNOWN, KNOWN, Noise("x" * 1000, KNOWN.spreads, None))

    assert len({mark["metric"] for mark in marks}) == 3
    assert max(len(mark["metric"]) for mark in marks) < 40
