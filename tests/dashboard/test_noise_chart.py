import pytest

from dashboard.charts.noise import FLOOR, LEVELS, Noise, Spread, noise

KNOWN = Noise("time", (Spread(0.01), Spread(0.02, 0.01, 0.04), Spread(0.05, 0.03, 0.2)), 0.08)


def test_each_level_is_a_mark_in_per_cent_and_what_would_show_another():
    figure = noise([KNOWN], "4 boots show")

    assert [trace.name for trace in figure.data] == [*LEVELS, "4 boots show"]
    assert [trace.x[0] for trace in figure.data] == pytest.approx([1, 2, 5, 8])
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.title.text == "relative standard deviation [%]"


def test_intervals_reach_from_low_to_high():
    errors = noise([KNOWN], "").data[2].error_x

    assert (errors.arrayminus[0], errors.array[0]) == pytest.approx((2, 15))


def test_the_marks_differ_by_shape_and_not_only_by_colour():
    figure = noise([KNOWN], "")

    shapes = [str(trace.marker.symbol) for trace in figure.data]
    assert len(set(shapes)) == 4


def test_nothing_is_hollow_at_the_floor_and_the_unknown_is_absent():
    figure = noise([Noise("exact", (Spread(None), Spread(0.0), Spread(None)), None), KNOWN], "")

    between = figure.data[1]
    assert between.x[0] == 100 * FLOOR
    assert between.marker.symbol[0].endswith("-open")
    assert between.customdata[0] == "0%"
    assert [len(trace.x) for trace in figure.data] == [1, 2, 1, 1]


def test_a_name_is_text():
    assert "<b>" not in noise([Noise("<b>x</b>", KNOWN.spreads, None)], "").data[0].y[0]


def test_labels_of_a_wide_axis_are_its_decades():
    assert noise([KNOWN], "").layout.xaxis.dtick == "D2"
    assert noise([Noise("m", (Spread(0.0001), Spread(0.5), Spread(None)), None)], "").layout.xaxis.dtick == 1
