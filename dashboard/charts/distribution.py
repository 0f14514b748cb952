"""Where the values of each boot lie: every value as a point, a box per boot, base and heads side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from dashboard.charts.style import colour, faint, finish, symbol
from dashboard.parts.plain import plotly_text
from report.scales import axis_scale

SHOWN = 300  # points of one boot; of more, evenly spaced ones in order of size


@dataclass(frozen=True, slots=True)
class BootValues:
    """The values of one boot with the run each came from."""

    boot: str
    runs: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One revision with its boots. `role` is base, or head with its number."""

    role: str
    name: str
    boots: tuple[BootValues, ...]


def distribution(sides: Sequence[Side], metric: str, unit: str, series: int = 0) -> go.Figure:
    """A box with its points per boot, on a shared axis. Two clusters of points in one boot are two modes.

    Each point carries its run and the id of the time series.
    """
    factor, unit_name = axis_scale((v for side in sides for boot in side.boots for v in boot.values), unit)
    figure = go.Figure()
    for position, side in enumerate(sides):
        for number, boot in enumerate(side.boots, start=1):
            figure.add_trace(_box(side, boot, number, position, (factor, unit_name, series)))
    figure.update_yaxes(title={"text": f"{plotly_text(metric, 40)} [{unit_name}]"})
    figure.update_xaxes(title={"text": "boot"})
    return finish(figure, height=360, named=len(sides) + 1).update_layout(boxgap=0.25)


def _box(side: Side, boot: BootValues, number: int, position: int, axis: tuple[float, str, int]) -> go.Box:
    factor, unit, series = axis
    kept = _spread_evenly(boot.values)
    values = [boot.values[i] / factor for i in kept]
    told = f"{side.role}: {plotly_text(side.name)}"
    told_boot = plotly_text(boot.boot, 40)
    return go.Box(
        x=[[side.role] * len(kept), [str(number)] * len(kept)],
        y=values,
        name=told,
        legendgroup=side.role,
        showlegend=number == 1,
        boxpoints="all",
        jitter=0.7,
        pointpos=0,
        marker={"color": colour(position), "symbol": symbol(position), "size": 5, "opacity": 0.75},
        line={"color": colour(position), "width": 1.5},
        fillcolor=faint(colour(position)),
        hoveron="points",
        customdata=[[boot.runs[i], series] for i in kept],
        text=[f"{told}<br>boot {told_boot}, run {boot.runs[i]}" for i in kept],
        hovertemplate=f"%{{y:.5g}} {unit}<br>%{{text}}<extra></extra>",
    )


def _spread_evenly(values: Sequence[float]) -> list[int]:
    if len(values) <= SHOWN:
        return list(range(len(values)))
    order = np.argsort(np.array(values), kind="stable")
    return [int(order[i]) for i in np.linspace(0, len(values) - 1, SHOWN).round().astype(int)]
