import plotly.graph_objects as go
import pytest

from dashboard.parts.zoom import applied


def _figure():
    lines = [go.Scatter(y=[1, 2], legendgroup=group) for group in ("7", "7", "8")]
    return go.Figure(lines).update_layout(xaxis={"type": "category"}, yaxis={"type": "linear"})


def test_ranges_and_hidden_lines_of_a_url_are_drawn():
    figure = applied(_figure(), ("xaxis:-0.5:3.25", "yaxis:1e-05:2"), ("7",))

    assert figure.layout.xaxis.range == (-0.5, 3.25)
    assert figure.layout.yaxis.range == (1e-05, 2)
    assert [trace.visible for trace in figure.data] == ["legendonly", "legendonly", None]


@pytest.mark.parametrize(
    "zoom",
    ["", "xaxis", "xaxis:1", "xaxis:a:b", "xaxis:1:1", "xaxis:nan:2", "xaxis:1..2:3", "xaxis:1e999:2", "title:1:2",
     "yaxis9:1:2", "xaxis:1:2:3", "xaxis:" + "9" * 5000 + ":1"],
)  # fmt: skip
def test_what_makes_no_sense_is_left_alone(zoom):
    figure = applied(_figure(), (zoom,), ("no such line",))

    assert figure.layout == _figure().layout
    assert all(trace.visible is None for trace in figure.data)
