"""How much each metric varies by itself, level by level: iterations in a run, runs in a boot, boots.

A Vega-Lite figure, where most are Plotly's: marks and intervals are all that it needs, and it is on the screen 0.3 s
earlier.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboard.charts.style import colour
from dashboard.parts.plain import shortened

FLOOR = 1e-4  # what is smaller is drawn here, hollow: a logarithmic axis has no zero
LEVELS = ("within a run", "between runs", "between boots")
_SHAPES = ("circle", "diamond", "square", "M0,-1.2L0,1.2")  # the last is a stroke: where a comparison begins to see
_ROW, _FRAME = 28, 190  # pixels: a metric, and the legend and the axis


@dataclass(frozen=True, slots=True)
class Spread:
    """A relative standard deviation with its interval; None where nothing is known."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Noise:
    """One metric: a spread for each of `LEVELS`, and the change that a usual comparison would show."""

    name: str
    spreads: tuple[Spread, Spread, Spread]
    shows: float | None


def noise(rows: Sequence[Noise], shown_by: str) -> dict[str, object]:
    """A line a metric, a mark a level, on a logarithmic axis. `shown_by` says what comparison shows the last mark."""
    levels = [*LEVELS, shortened(shown_by)]
    tooltip = [{"field": field, "type": "nominal"} for field in ("metric", "level", "spread")]
    colours = {"scale": {"domain": levels, "range": [colour(i) for i in range(len(levels))]}}
    interval = {"x": _x("low"), "x2": {"field": "high"}}
    point = {
        "x": _x("drawn"),
        "stroke": {**_level(levels), **colours},
        "shape": {**_level(levels), "scale": {"domain": levels, "range": list(_SHAPES)}},
        "fillOpacity": {"condition": {"test": "datum.hollow", "value": 0}, "value": 1},
    }
    return {
        "data": {"values": list(_marks(rows, levels))},
        "height": _FRAME + _ROW * len(rows),
        "encoding": {
            "y": {
                "field": "metric",
                "type": "nominal",
                "sort": None,
                "title": None,
                "axis": {"grid": True, "labelLimit": 190, "labelOverlap": False},
                "scale": {"paddingInner": 0.35},
            },
            "yOffset": {"field": "level", "type": "nominal", "sort": levels},
            "color": {**_level(levels), **colours},
            "tooltip": tooltip,
        },
        "layer": [
            {
                "transform": [{"filter": "isValid(datum.low) && isValid(datum.high)"}],
                "mark": {"type": "rule", "strokeWidth": 1.5},
                "encoding": interval,
            },
            {"mark": {"type": "point", "filled": True, "size": 60, "opacity": 1}, "encoding": point},
        ],
    }


def _x(field: str) -> dict[str, object]:
    return {
        "field": field,
        "type": "quantitative",
        "title": "relative standard deviation [%]",
        "scale": {"type": "log", "nice": False, "padding": 12},
        "axis": {"format": "~g", "grid": False, "labelOverlap": True, "ticks": True},
    }


def _level(levels: Sequence[str]) -> dict[str, object]:
    """One legend for colour and shape: a row, or a column where there is no room."""
    legend = {"orient": "top", "columns": {"expr": "width < 550 ? 1 : 4"}, "labelLimit": 0, "title": None}
    return {"field": "level", "type": "nominal", "sort": list(levels), "legend": legend}


def _marks(rows: Sequence[Noise], levels: Sequence[str]) -> Iterator[dict[str, object]]:
    for number, row in enumerate(rows, start=1):
        for level, spread in zip(levels, (*row.spreads, Spread(row.shows)), strict=True):
            if spread.value is not None:
                yield {
                    "metric": f"{number}. {shortened(row.name, 28)}",
                    "level": level,
                    "drawn": _per_cent(spread.value),
                    "low": _per_cent(spread.low),
                    "high": _per_cent(spread.high),
                    "hollow": spread.value < FLOOR,
                    "spread": _told(spread.value, spread),
                }


def _per_cent(value: float | None) -> float | None:
    return None if value is None else 100 * max(value, FLOOR)


def _told(value: float, spread: Spread) -> str:
    if spread.low is None or spread.high is None:
        return f"{100 * value:.2g}%"
    return f"{100 * value:.2g}%, 90% interval [{100 * spread.low:.2g}%, {100 * spread.high:.2g}%]"
