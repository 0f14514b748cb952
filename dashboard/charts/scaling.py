"""A metric against a scaling parameter (vCPUs, memory): the table of many cover letters as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard.charts.style import DASHES, colour, finish, symbol
from dashboard.parts.plain import plotly_text
from report.scales import axis_scale


@dataclass(frozen=True, slots=True)
class ScalePoint:
    """The level at one value of the parameter, with its interval where one is known."""

    x: float
    value: float
    low: float | None
    high: float | None
    told: str  # how often it was measured, in words


@dataclass(frozen=True, slots=True)
class Curve:
    """One revision's points, ordered by the parameter."""

    name: str
    points: tuple[ScalePoint, ...]


def scaling(curves: Sequence[Curve], parameter: str, metric: str, unit: str) -> go.Figure:
    """One line a revision with its intervals as bars."""
    factor, unit_name = axis_scale((p.value for curve in curves for p in curve.points), unit)
    figure = go.Figure()
    for position, curve in enumerate(curves):
        figure.add_trace(_line(curve, position, factor, unit_name, parameter))
    xs = sorted({point.x for curve in curves for point in curve.points})
    figure.update_xaxes(
        title={"text": plotly_text(parameter)}, tickvals=xs, type="log" if _is_geometric(xs) else "linear"
    )
    figure.update_yaxes(title={"text": f"{plotly_text(metric, 40)} [{unit_name}]"}, rangemode="tozero")
    return finish(figure, height=340, named=len(curves) + 1)


def _line(curve: Curve, position: int, factor: float, unit: str, parameter: str) -> go.Scatter:
    name, points = plotly_text(curve.name), curve.points
    return go.Scatter(
        x=[p.x for p in points],
        y=[p.value / factor for p in points],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [(p.high - p.value) / factor if p.high is not None else 0 for p in points],
            "arrayminus": [(p.value - p.low) / factor if p.low is not None else 0 for p in points],
        },
        mode="lines+markers",
        name=name,
        line={"color": colour(position), "dash": DASHES[position % len(DASHES)]},
        marker={"symbol": symbol(position), "size": 8},
        text=[plotly_text(p.told) for p in points],
        hovertemplate=f"{name}<br>{plotly_text(parameter)}=%{{x}}: %{{y:.5g}} {unit}<br>%{{text}}<extra></extra>",
    )


def _is_geometric(xs: Sequence[float]) -> bool:
    return len(xs) > 2 and xs[0] > 0 and xs[-1] / xs[0] >= 4
