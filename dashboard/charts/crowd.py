"""Many lines as few traces: a browser's time goes by traces more than by points, and no legend has 200 names.

Lines of one panel and one colour are one trace with gaps between them. Hover and click know each point as ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from dashboard.charts.points import HOVER, numbers, packed, places, stretches
from dashboard.charts.style import COLOURS, colour
from dashboard.parts.plain import plotly_text
from report.trend import Line, Point


@dataclass(frozen=True, slots=True)
class Member:
    """A line of the crowd: its name, the panel it stands in, and what a unit of the axis is in base units."""

    line: Line
    title: str
    row: int
    factor: float
    unit: str


def crowd(members: Sequence[Member], names: Mapping[int, str]) -> list[tuple[int, go.Scatter]]:
    """The traces with their panels: one of lines a panel and colour, and one of marks for points that stand alone."""
    drawn = []
    for row in dict.fromkeys(member.row for member in members):
        for position in range(len(COLOURS)):
            own = [one for at, one in enumerate(members) if one.row == row and at % len(COLOURS) == position]
            drawn += [(row, trace) for trace in _traces(own, names, position)]
    return drawn


def _traces(members: Sequence[Member], names: Mapping[int, str], position: int) -> list[go.Scatter]:
    joined: list[tuple[Member, list[Point | None]]] = []
    alone: list[tuple[Member, list[Point | None]]] = []
    for member in members:
        for stretch in stretches(member.line.points):
            (joined if len(stretch) > 1 else alone).append((member, [*stretch, None]))
    looks = {"lines": {"line": {"color": colour(position), "width": 1}}, "markers": {"marker": {"size": 4}}}
    return [
        _trace(parts, names, mode).update(looks[mode], marker={"color": colour(position)})
        for mode, parts in (("lines", joined), ("markers", alone))
        if parts
    ]


def _trace(parts: Sequence[tuple[Member, list[Point | None]]], names: Mapping[int, str], mode: str) -> go.Scatter:
    y, known = packed([numbers(p, member.factor, member.line.series.id) for member, points in parts for p in points])
    return go.Scatter(
        x=np.array([name for _, points in parts for name in places(points, names)], dtype=np.object_),
        y=y,
        mode=mode,
        meta=parts[0][0].unit,
        customdata=known,
        text=np.repeat(
            np.array([plotly_text(member.title) for member, _ in parts], np.object_), [len(p) for _, p in parts]
        ),
        hovertemplate=f"<b>%{{x}}</b><br>%{{text}}<br>{HOVER}<extra></extra>",
        showlegend=False,
    )
