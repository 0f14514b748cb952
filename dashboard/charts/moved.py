"""What an alert says, as a picture: each time series that moved, against its own level before the change.

Vega-Lite, as the figure of noise: it is small, and the Inbox is not to wait for a library of figures to zoom in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboard.charts.style import GREY, colour
from dashboard.parts.plain import shortened

_HEIGHT = 300  # pixels
_SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "triangle-down")


@dataclass(frozen=True, slots=True)
class MovedPoint:
    """One revision: its place in the order, its level against the one before the change (ratio), and in words."""

    at: int
    ratio: float
    told: str


@dataclass(frozen=True, slots=True)
class MovedLine:
    """One time series; `name` is its metric."""

    name: str
    host: str
    points: tuple[MovedPoint, ...]


def moved(lines: Sequence[MovedLine], revisions: Sequence[str], change: tuple[int, int]) -> dict[str, object]:
    """A line a time series over `revisions`; the places of the last one before and the first one after are shaded."""
    hosts = sorted({line.host for line in lines})
    legend = {"orient": "top", "title": None, "labelLimit": 200, "columns": {"expr": "width < 550 ? 2 : 6"}}
    host = {"field": "host", "type": "nominal", "legend": legend if len(hosts) > 1 else None}
    scale = {"domain": hosts, "range": [colour(i) for i in range(len(hosts))]}
    shapes = [_SHAPES[i % len(_SHAPES)] for i in range(len(hosts))]
    tooltip = [{"field": field, "type": "nominal"} for field in ("metric", "host", "revision", "level", "change")]
    return {
        "params": [{"name": "revisions", "value": [shortened(one, 24) for one in revisions]}],
        "height": _HEIGHT,
        "layer": [
            {
                "data": {"values": [{"base": change[0], "head": change[1]}]},
                "mark": {"type": "rect", "color": GREY, "opacity": 0.35},
                "encoding": {"x": {"field": "base", "type": "quantitative"}, "x2": {"field": "head"}},
            },
            {
                "data": {"values": list(_values(lines, revisions))},
                "mark": {"type": "line", "strokeWidth": 1.5, "point": {"size": 40, "filled": True, "opacity": 1}},
                "encoding": {
                    "x": _place(len(revisions)),
                    "y": {
                        "field": "moved",
                        "type": "quantitative",
                        "title": "against the level before [%]",
                        "axis": {"labelExpr": "datum.value ? format(datum.value, '+~g') : '0'"},
                        "scale": {"zero": True},
                    },
                    "color": {**host, "scale": scale},
                    "shape": {**host, "scale": {"domain": hosts, "range": shapes}},
                    "detail": {"field": "line"},
                    "tooltip": tooltip,
                },
            },
        ],
    }


def _place(revisions: int) -> dict[str, object]:
    """Places have the names of their revisions; as many are written as there is room for."""
    axis = {"labelExpr": "revisions[datum.value]", "tickMinStep": 1, "grid": False, "labelOverlap": "greedy"}
    return {
        "field": "at",
        "type": "quantitative",
        "title": None,
        "axis": axis,
        "scale": {"domain": [-0.5, revisions - 0.5], "nice": False},
    }


def _values(lines: Sequence[MovedLine], revisions: Sequence[str]) -> Iterator[dict[str, object]]:
    for number, line in enumerate(lines):
        for point in line.points:
            yield {
                "line": number,
                "metric": shortened(line.name, 120),
                "host": shortened(line.host, 40),
                "revision": shortened(revisions[point.at], 80),
                "at": point.at,
                "moved": 100 * (point.ratio - 1),
                "level": point.told,
                "change": f"{100 * (point.ratio - 1):+.1f}%",
            }
