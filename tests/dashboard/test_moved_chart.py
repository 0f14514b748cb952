import altair as alt
import pytest

from dashboard.charts.moved import MovedLine, MovedPoint, moved

RISE = (MovedPoint(0, 1.0, "10 s"), MovedPoint(1, 0.99, "9.9 s"), MovedPoint(2, 1.12, "11.2 s"))
LINES = (MovedLine("time", "bm1", RISE), MovedLine("rate", "bm2", RISE[1:]))
REVISIONS = ("v1", "v2", "v3")


def _drawn(figure):
    return figure["layer"][1]["data"]["values"]


def test_each_time_series_is_a_line_against_its_level_before():
    drawn = _drawn(moved(LINES, REVISIONS, (1, 2)))

    assert [(one["line"], one["at"], one["revision"]) for one in drawn] == [
        (0, 0, "v1"),
        (0, 1, "v2"),
        (0, 2, "v3"),
        (1, 1, "v2"),
        (1, 2, "v3"),
    ]
    assert [one["moved"] for one in drawn[:3]] == pytest.approx([0, -1, 12])
    assert [one["change"] for one in drawn[:3]] == ["+0.0%", "-1.0%", "+12.0%"]


def test_the_change_is_shaded_between_the_revisions_around_it():
    assert moved(LINES, REVISIONS, (1, 2))["layer"][0]["data"]["values"] == [{"base": 1, "head": 2}]


def test_the_figure_is_one_that_its_library_understands():
    figure = moved(LINES, REVISIONS, (1, 2))

    alt.LayerChart.from_dict(figure).to_dict()
    assert figure["params"][0]["value"] == list(REVISIONS)


def test_hosts_differ_by_shape_too_and_one_host_needs_no_legend():
    encoding = moved(LINES, REVISIONS, (1, 2))["layer"][1]["encoding"]
    alone = moved(LINES[:1], REVISIONS, (1, 2))["layer"][1]["encoding"]

    assert len(set(encoding["shape"]["scale"]["range"])) == 2
    assert encoding["color"]["legend"]
    assert alone["color"]["legend"] is None


def test_names_are_cut_and_printable():
    line = MovedLine("m\x1b" + "x" * 1000, "h" * 1000, RISE)

    drawn = _drawn(moved([line], ["\x07" + "r" * 1000, "b", "c"], (0, 1)))

    assert max(len(one["metric"] + one["host"] + one["revision"]) for one in drawn) <= 240
    assert all(one["metric"].isprintable() and one["revision"].isprintable() for one in drawn)
