"""How much each metric varies by itself, level by level: iterations in a run, runs in a boot, boots."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard.charts.style import colour, finish, symbol
from dashboard.parts.plain import plotly_text

FLOOR = 1e-4  # what is smaller is drawn here, hollow: a logarithmic axis has no zero
_WIDE = 300.0  # the ratio of the ends of an axis on which 1, 2 and 5 of each decade find no place
LEVELS = ("within a run", "between runs", "between boots")


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


def noise(rows: Sequence[Noise], shown_by: str) -> go.Figure:
    """A line a metric, a mark a level, on a logarithmic axis. `shown_by` says what comparison shows the last mark."""
    names = [f"{number}. {plotly_text(row.name, 28)}" for number, row in enumerate(rows, start=1)]
    figure = go.Figure()
    for position, level in enumerate(LEVELS):
        figure.add_trace(_marks(names, [row.spreads[position] for row in rows], position, level))
    shows = _marks(names, [Spread(row.shows) for row in rows], len(LEVELS), plotly_text(shown_by))
    figure.add_trace(shows.update(marker={"symbol": "line-ns-open", "size": 14, "line": {"width": 3}}))
    figure.update_xaxes(
        title={"text": "relative standard deviation [%]"}, type="log", tickformat="~g", dtick=_ticks(rows)
    )
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=names, autorange="reversed")
    return finish(figure, height=130 + 26 * max(len(rows), 2), named=len(LEVELS) + 1)


def _ticks(rows: Sequence[Noise]) -> str | int:
    """1, 2 and 5 of each decade where there are few, else the decades: labels must not touch."""
    known = [v for row in rows for s in row.spreads for v in (s.value, s.low, s.high) if v]
    known += [row.shows for row in rows if row.shows]
    return "D2" if known and max(known) / max(min(known), FLOOR) < _WIDE else 1


def _marks(names: Sequence[str], spreads: Sequence[Spread], position: int, level: str) -> go.Scatter:
    found = [(name, spread, spread.value) for name, spread in zip(names, spreads, strict=True)]
    known = [(name, spread, value) for name, spread, value in found if value is not None]
    drawn = [100 * max(value, FLOOR) for _, _, value in known]
    return go.Scatter(
        x=drawn,
        y=[name for name, _, _ in known],
        error_x=_intervals([(x, spread) for x, (_, spread, _) in zip(drawn, known, strict=True)]),
        mode="markers",
        name=level,
        marker={
            "color": colour(position),
            "symbol": [symbol(position) + ("-open" if value < FLOOR else "") for _, _, value in known],
            "size": 9,
        },
        customdata=[_told(value, spread) for _, spread, value in known],
        hovertemplate=f"<b>%{{y}}</b><br>{level}: %{{customdata}}<extra></extra>",
    )


def _intervals(points: Sequence[tuple[float, Spread]]) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [0 if s.high is None else max(100 * s.high - x, 0) for x, s in points],
        "arrayminus": [0 if s.low is None else max(x - 100 * max(s.low, FLOOR), 0) for x, s in points],
        "thickness": 1.5,
        "width": 3,
    }


def _told(value: float, spread: Spread) -> str:
    if spread.low is None or spread.high is None:
        return f"{100 * value:.2g}%"
    return f"{100 * value:.2g}%, 90% interval [{100 * spread.low:.2g}%, {100 * spread.high:.2g}%]"
