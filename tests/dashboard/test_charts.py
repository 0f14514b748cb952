from datetime import UTC, datetime

import numpy as np
import pytest

from dashboard.charts.distribution import SHOWN, BootValues, Side, distribution
from dashboard.charts.scaling import Curve, ScalePoint, scaling
from dashboard.charts.style import COLOURS, SYMBOLS, colour, symbol
from dashboard.charts.trend import BANDS, PANELS, TrendOptions, trend
from dashboard.views.trends import is_wide
from db.hoststate import Difference, Severity
from db.values import RevisionRow, SeriesRow
from report.trend import Line, Point, RawPoint
from stats.levels import Level

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _revision(number, series=""):
    return RevisionRow(
        number, "6.12", "", f"r{number}", "", NOW, NOW, series, 1 if series else None, number if series else None
    )


def _line(number=1, unit="s", values=(0.1, 0.2, 0.4), metric="time", *, series=(), changed=()):
    points = tuple(
        Point(
            _revision(i, "s" if i in series else ""), Level(v, v * 0.9, v * 1.1, 4, 12, 60), changed if i == 2 else ()
        )
        for i, v in enumerate(values, start=1)
    )
    return Line(SeriesRow(number, "bm3", "suite/b", 1, {"vcpus": 2}, metric, unit, "lower"), points)


def _names(count=3):
    return {i: f"r{i}" for i in range(1, count + 1)}


def _lines(figure):
    return [trace for trace in figure.data if trace.mode == "lines+markers"]


def test_levels_are_drawn_in_a_unit_with_short_numbers():
    figure = trend([_line()], ["time"], _names())

    assert _lines(figure)[0].y.tolist() == pytest.approx([100, 200, 400])
    assert figure.layout.yaxis.title.text == "time [ms]"
    assert list(figure.layout.xaxis.categoryarray) == ["r1", "r2", "r3"]


def test_each_hover_carries_interval_and_replication():
    found = _lines(trend([_line()], ["time"], _names()))[0]

    assert found.customdata[0].tolist() == pytest.approx([90, 110, 4, 12, 60, 1, 1])
    assert "95% interval" in found.hovertemplate
    assert found.meta == "ms"


def test_normalised_lines_are_one_at_the_reference_and_lines_without_it_go():
    figure = trend([_line(), _line(2, values=(1.0, 2.0))], ["a", "b"], _names(), TrendOptions(relative=3))

    assert [trace.name for trace in _lines(figure)] == ["a"]
    assert _lines(figure)[0].y.tolist() == pytest.approx([0.25, 0.5, 1.0])
    assert figure.layout.yaxis.title.text == "relative to r3"


def test_metrics_have_panels_of_their_own_until_they_are_many():
    few = trend([_line(i, metric=f"m{i}") for i in range(3)], list("abc"), _names())
    many = trend([_line(i, metric=f"m{i}") for i in range(6)], list("abcdef"), _names())

    assert few.layout.yaxis3.title.text == "m2 [ms]"
    assert "yaxis2" not in many.layout


def test_bands_are_for_few_lines():
    crowd = [_line(i) for i in range(BANDS + 1)]

    assert any(trace.fill == "toself" for trace in trend([_line()], ["a"], _names()).data)
    assert not any(trace.fill for trace in trend(crowd, [str(i) for i in range(BANDS + 1)], _names()).data)


def test_many_points_stay_few_traces_that_need_no_graphics_card():
    names = {i: f"r{i}" for i in range(1, 101)}
    lines = [_line(i, values=np.linspace(1, 2, 100)) for i in range(200)]

    figure = trend(lines, [str(i) for i in range(200)], names)

    assert {trace.type for trace in figure.data} == {"scatter"}
    assert len(figure.data) == len(COLOURS)
    assert not figure.layout.showlegend
    drawn = {(int(row[5]), int(row[6])) for trace in figure.data for row in trace.customdata if not np.isnan(row[5])}
    assert drawn == {(line.series.id, point.revision.id) for line in lines for point in line.points}
    told = {text for trace in figure.data for text in trace.text}
    assert told == {str(i) for i in range(200)}


def test_numbers_of_points_are_short_where_every_id_stays_exact():
    small, large = (trend([_line(number)], ["a"], _names()).data for number in (1 << 24, (1 << 24) + 1))

    assert {trace.customdata.dtype for trace in small if trace.customdata is not None} == {np.dtype(np.float32)}
    assert {int(trace.customdata[0][5]) for trace in large if trace.customdata is not None} == {(1 << 24) + 1}


def test_levels_keep_their_digits_and_large_intervals_their_size():
    fine, huge = (trend([_line(values=(value,), unit="")], ["a"], _names()) for value in (1.0 + 1e-12, 1e300))

    assert _lines(fine)[0].y[0] == 1.0 + 1e-12
    assert np.isfinite(_lines(huge)[0].customdata[0]).all()


def test_the_legend_leaves_room_for_the_names_of_releases_whatever_the_height():
    few, many = ([_line(i, metric=f"m{i}") for i in range(count)] for count in (1, 4))
    rooms = []
    for lines in (few, many):
        figure = trend(lines, [line.series.metric for line in lines], _names(), TrendOptions(marks={2: "6.12"}))
        rooms.append((figure.layout.legend.y - 1) * (380 if len(lines) == 1 else 140 + 220 * 4))

    assert rooms == pytest.approx([30, 30])


def test_a_figure_of_many_points_is_laid_out_without_measuring():
    lines = [_line(i, values=np.linspace(1, 2, 100)) for i in range(60)]

    many = trend(lines, [str(i) for i in range(60)], {i: f"r{i}" for i in range(1, 101)}).layout
    few = trend([_line()], ["time"], _names()).layout

    assert (many.xaxis.automargin, many.yaxis.automargin, many.margin.autoexpand) == (False, False, False)
    assert many.margin.b >= 24 + 6 * len("r100")
    assert (few.xaxis.automargin, few.yaxis.automargin) == (True, True)


def test_lines_of_a_crowd_are_not_joined_to_each_other():
    names = {i: f"r{i}" for i in range(1, 101)}
    lines = [_line(i, values=np.linspace(1, 2, 100)) for i in range(60)]

    for trace in trend(lines, [str(i) for i in range(60)], names).data:
        own = trace.customdata[:, 5]
        ends = np.flatnonzero((own[1:] != own[:-1]) & ~np.isnan(own[1:]) & ~np.isnan(own[:-1]))
        assert ends.size == 0
        assert np.isnan(trace.y).sum() == 10


def test_a_patch_series_is_not_joined_to_what_follows():
    found = _lines(trend([_line(values=(1.0, 2.0, 3.0), series=(1, 2))], ["a"], _names()))[0]

    assert np.isnan(found.y[2])
    assert found.y[[0, 1, 3]].tolist() == [1.0, 2.0, 3.0]


def test_a_host_change_is_a_dashed_line_whose_hover_names_the_field():
    changed = (Difference("microcode", "0x1", "<b>0x2</b>", Severity.BLOCK),)
    figure = trend([_line(changed=changed)], ["a"], _names())

    assert [shape.line.dash for shape in figure.layout.shapes] == ["dash"]
    mark = next(trace for trace in figure.data if trace.name == "host state changed")
    assert mark.text[0] == "bm3: microcode 0x1 → &lt;b&gt;0x2&lt;/b&gt;"
    assert list(mark.x) == ["r2"]


def test_marks_stand_at_positions_because_a_name_may_look_like_a_number():
    changed = (Difference("microcode", "0x1", "0x2", Severity.BLOCK),)
    figure = trend([_line(changed=changed)], ["a"], {1: "6.11", 2: "6.12", 3: "6.13"}, TrendOptions(marks={3: "head"}))

    assert [shape.x0 for shape in figure.layout.shapes] == [1, 2]
    assert [note.x for note in figure.layout.annotations] == [2]


def test_long_names_that_begin_alike_stay_apart():
    figure = trend([_line()], ["a"], {i: "x" * 100 + str(i) for i in (1, 2, 3)})

    assert len(set(_lines(figure)[0].x)) == 3


def test_chosen_revisions_and_single_runs_are_marked():
    raw = {1: [RawPoint(1, 1, 7, 1, 0.1), RawPoint(1, 99, 8, 1, 0.1)]}
    figure = trend([_line()], ["a"], _names(), TrendOptions(log=True, raw=raw, marks={1: "base", 3: "head"}))

    assert [note.text for note in figure.layout.annotations] == ["base", "head"]
    assert figure.layout.yaxis.type == "log"
    assert [list(trace.x) for trace in figure.data if trace.name == "runs"] == [["r1"]]


def test_no_lines_make_an_empty_figure():
    assert len(trend([], [], {}).data) == 0


def test_every_boot_has_a_box_with_its_points():
    sides = [
        Side("base", "v1", (BootValues("b1", (1, 1), (0.1, 0.2)), BootValues("b2", (2,), (0.3,)))),
        Side("head", "<v2>", (BootValues("b3", (3,), (0.4,)),)),
    ]
    figure = distribution(sides, "time", "s")

    assert [len(trace.y) for trace in figure.data] == [2, 1, 1]
    assert {trace.boxpoints for trace in figure.data} == {"all"}
    assert [trace.name for trace in figure.data] == ["base: v1", "base: v1", "head: &lt;v2&gt;"]
    assert [trace.showlegend for trace in figure.data] == [True, False, True]


def test_of_many_values_both_ends_are_kept():
    values = tuple(float(v) for v in range(5000))
    found = distribution([Side("base", "v1", (BootValues("b", (1,) * 5000, values),))], "m", "count").data[0]

    assert len(found.y) == SHOWN
    assert (min(found.y), max(found.y)) == (0.0, 4999.0)


def test_a_scaling_curve_has_a_line_per_revision_with_intervals():
    points = tuple(ScalePoint(float(x), x * 1e-3, x * 0.9e-3, None, "4 boots") for x in (1, 2, 8))
    figure = scaling([Curve("base", points), Curve("head", points)], "vcpus", "time", "s")

    assert list(figure.data[0].x) == [1, 2, 8]
    assert list(figure.data[0].error_y.arrayminus) == pytest.approx([0.1, 0.2, 0.8])
    assert list(figure.data[0].error_y.array) == [0, 0, 0]
    assert figure.layout.xaxis.type == "log"


def test_no_two_of_thirty_lines_share_colour_and_mark():
    assert len({(colour(i), symbol(i)) for i in range(len(COLOURS) * len(SYMBOLS))}) == 36


def test_a_legend_of_many_long_names_does_not_eat_the_plot():
    lines = [_line(i) for i in range(10)]

    short = trend(lines, ["t"] * 10, _names()).layout.height
    long = trend(
        lines, ["a long name of a test case with all its parameters, on one of many hosts " * 2] * 10, _names()
    )

    assert long.layout.height == short + 9 * 26


def test_a_crowded_figure_marks_only_what_has_no_line():
    long = [_line(n, values=tuple(np.linspace(1, 2, 100))) for n in range(1, 60)]

    titles = [f"line {n}" for n in range(60)]

    figure = trend([*long, _line(60, values=(0.3,))], titles, {i: f"r{i}" for i in range(101)})

    marked = [trace for trace in figure.data if trace.mode == "markers"]
    assert [trace.y[0] for trace in marked] == [_line(60, values=(0.3,)).points[0].level.value]
    assert {trace.mode for trace in figure.data} == {"lines", "markers"}


def test_levels_of_one_panel_that_lie_far_apart_are_noticed():
    near = [_line(1, values=(1.0,), metric="a"), _line(2, values=(2.0,), metric="b")]
    far = [_line(1, values=(1.0,), metric="a"), _line(2, values=(100.0,), metric="a")]
    apart = [_line(1, values=(1.0,), metric="a"), _line(2, values=(100.0,), metric="b")]
    crowd = [_line(n, values=(10.0**n,), metric=f"m{n}") for n in range(PANELS + 1)]

    assert not is_wide(near)
    assert is_wide(far)
    assert not is_wide(apart)
    assert is_wide(crowd)
