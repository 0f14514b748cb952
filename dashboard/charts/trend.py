"""Levels over revisions: a line a time series, its interval as a band, host changes and chosen revisions marked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.charts.style import GREY, colour, dash, faint, finish, symbol
from dashboard.parts.plain import plotly_text
from report.scales import axis_scale
from report.trend import Line, Point, RawPoint

BANDS = 12  # with more lines than this, intervals are left to hover and table
_DETAILED = 4000  # points that carry a text of their own
_HOVER = (
    "%{customdata[0]:.5g} %{meta}, 95%% interval [%{customdata[1]:.5g}, %{customdata[2]:.5g}]"
    "<br>%{customdata[3]} boots, %{customdata[4]} runs, %{customdata[5]} values"
).replace("%%", "%")


@dataclass(frozen=True, slots=True)
class TrendOptions:
    """How to draw. `relative` is the id of the revision whose level is 1; `marks` are revision ids with a word each."""

    relative: int | None = None
    log: bool = False
    raw: Mapping[int, Sequence[RawPoint]] = field(default_factory=dict)
    marks: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Scale:
    row: int
    factor: float
    unit: str


def trend(
    lines: Sequence[Line], titles: Sequence[str], names: Mapping[int, str], options: TrendOptions | None = None
) -> go.Figure:
    """One panel per unit above each other, revisions on a common axis in the order of `names` (id to name)."""
    options = options or TrendOptions()
    if options.relative is not None:
        lines, titles = _with_reference(lines, titles, options.relative)
    panels = _panels(lines, options)
    figure = make_subplots(rows=max(1, len(panels)), shared_xaxes=True, vertical_spacing=0.06)
    many = sum(len(line.points) for line in lines) > _DETAILED
    for position, (line, title) in enumerate(zip(lines, titles, strict=True)):
        scale = panels[_unit(line, options)]
        for trace in _traces(line, title, position, scale, names, options, bands=len(lines) <= BANDS, many=many):
            figure.add_trace(trace, row=scale.row, col=1)
    _mark_hosts(figure, lines, names)
    _mark_revisions(figure, names, options)
    _axes(figure, lines, names, panels, options)
    return finish(figure, height=400 + 240 * (len(panels) - 1 if panels else 0), named=len(lines))


def _with_reference(lines: Sequence[Line], titles: Sequence[str], reference: int) -> tuple[list[Line], list[str]]:
    kept = [(line, title) for line, title in zip(lines, titles, strict=True) if _reference(line, reference)]
    return [line for line, _ in kept], [title for _, title in kept]


def _reference(line: Line, revision: int) -> float:
    return next((point.level.value for point in line.points if point.revision.id == revision), 0.0)


def _unit(line: Line, options: TrendOptions) -> str:
    return "" if options.relative is not None else line.series.unit


def _panels(lines: Sequence[Line], options: TrendOptions) -> dict[str, _Scale]:
    if options.relative is not None:
        return {"": _Scale(1, 1.0, "")}
    panels: dict[str, _Scale] = {}
    for unit in dict.fromkeys(line.series.unit for line in lines):
        values = (p.level.value for line in lines if line.series.unit == unit for p in line.points)
        panels[unit] = _Scale(len(panels) + 1, *axis_scale(values, unit))
    return panels


def _traces(  # noqa: PLR0913 (one line with all that shapes it)
    line: Line,
    title: str,
    position: int,
    scale: _Scale,
    names: Mapping[int, str],
    options: TrendOptions,
    *,
    bands: bool,
    many: bool,
) -> Iterator[go.Scatter | go.Scattergl]:
    factor = scale.factor if options.relative is None else _reference(line, options.relative)
    x = [plotly_text(names[point.revision.id]) for point in line.points]
    if bands:
        yield from _band(line.points, x, factor, position)
    if found := options.raw.get(line.series.id):
        yield _raw_points(found, names, factor, position, scale)
    yield _line(line, x, factor, position, plotly_text(title, 120), scale.unit, many=many)


def _line(  # noqa: PLR0913 (one line with all that shapes it)
    line: Line, x: list[str], factor: float, position: int, title: str, unit: str, *, many: bool
) -> go.Scatter | go.Scattergl:
    levels = [point.level for point in line.points]
    customdata = np.array(
        [[p.value / factor, _or_nan(p.low, factor), _or_nan(p.high, factor), p.boots, p.runs, p.values] for p in levels]
    )
    kind = go.Scattergl if many else go.Scatter
    return kind(
        x=x,
        y=np.array([level.value / factor for level in levels]),
        mode="lines+markers",
        name=title,
        meta=unit,
        customdata=customdata,
        text=None if many else [_told(point) for point in line.points],
        line={"color": colour(position), "dash": dash(position), "width": 2},
        marker={"symbol": symbol(position), "size": 5 if many else 7, "color": colour(position)},
        legendgroup=f"{position}",
        hovertemplate=f"<b>%{{x}}</b><br>{title}<br>{_HOVER}{'' if many else '<br>%{text}'}<extra></extra>",
    )


def _or_nan(bound: float | None, factor: float) -> float:
    return float("nan") if bound is None else bound / factor


def _told(point: Point) -> str:
    revision = point.revision
    when = f"{revision.committed_at or revision.first_seen_at:%Y-%m-%d}"
    told = [t for t in (revision.commit[:12], revision.kernel, revision.subject, when) if t]
    return plotly_text(", ".join(told), 140) + (f" ({plotly_text(point.level.scope)})" if point.level.scope else "")


def _band(points: Sequence[Point], x: list[str], factor: float, position: int) -> Iterator[go.Scatter]:
    known = [(name, p.level.low, p.level.high) for name, p in zip(x, points, strict=True)]
    inside = [(name, low / factor, high / factor) for name, low, high in known if low is not None and high is not None]
    if len(inside) > 1:
        yield go.Scatter(
            x=[name for name, _, _ in inside] + [name for name, _, _ in reversed(inside)],
            y=[high for _, _, high in inside] + [low for _, low, _ in reversed(inside)],
            fill="toself",
            fillcolor=faint(colour(position)),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            legendgroup=f"{position}",
            showlegend=False,
            name="95% interval",
        )


def _raw_points(
    found: Sequence[RawPoint], names: Mapping[int, str], factor: float, position: int, scale: _Scale
) -> go.Scattergl:
    shown = [point for point in found if point.revision_id in names]
    return go.Scattergl(
        x=[plotly_text(names[point.revision_id]) for point in shown],
        y=np.array([point.value / factor for point in shown]),
        mode="markers",
        marker={"color": colour(position), "symbol": f"{symbol(position)}-open", "size": 6, "opacity": 0.6},
        customdata=np.array([[point.run_id, point.boot] for point in shown]),
        hovertemplate=f"%{{x}}<br>%{{y:.5g}} {scale.unit}<br>run %{{customdata[0]}}<extra></extra>",
        legendgroup=f"{position}",
        showlegend=False,
        name="runs",
    )


def _mark_hosts(figure: go.Figure, lines: Sequence[Line], names: Mapping[int, str]) -> None:
    """A dashed line where the state of a host changed, with a mark on top whose hover names the fields."""
    told: dict[int, dict[str, None]] = {}
    for line in lines:
        for point in line.points:
            for one in point.host_changed:
                text = f"{line.series.host}: {one.field} {one.left} → {one.right}"
                told.setdefault(point.revision.id, {})[plotly_text(text, 120)] = None
    shown = [revision for revision in names if revision in told]
    for revision in shown:
        figure.add_shape(**_upright(names[revision], "dash"))
    if shown:
        figure.add_trace(
            go.Scatter(
                x=[plotly_text(names[revision]) for revision in shown],
                y=[1.0] * len(shown),
                xaxis="x",
                yaxis="y99",
                mode="markers",
                marker={"symbol": "triangle-down", "size": 11, "color": GREY},
                text=["<br>".join(list(told[revision])[:8]) for revision in shown],
                hovertemplate="<b>host state changed at %{x}</b><br>%{text}<extra></extra>",
                name="host state changed",
                showlegend=False,
            )
        )
        overlay = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True, "anchor": "x"}
        figure.update_layout(yaxis99=overlay)


def _mark_revisions(figure: go.Figure, names: Mapping[int, str], options: TrendOptions) -> None:
    for revision, word in options.marks.items():
        if revision in names:
            figure.add_shape(**_upright(names[revision], "dot"))
            x = plotly_text(names[revision])
            figure.add_annotation(x=x, xref="x", y=1, yref="paper", yanchor="bottom", text=word, showarrow=False)


def _upright(name: str, stroke: str) -> dict[str, object]:
    x = plotly_text(name)
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "xref": "x",
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"dash": stroke, "color": GREY, "width": 1.5},
        "layer": "below",
    }


def _axes(
    figure: go.Figure,
    lines: Sequence[Line],
    names: Mapping[int, str],
    panels: Mapping[str, _Scale],
    options: TrendOptions,
) -> None:
    seen = {point.revision.id for line in lines for point in line.points}
    order = [plotly_text(name) for revision, name in names.items() if revision in seen]
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=order, nticks=16)
    figure.update_yaxes(type="log" if options.log else "linear", selector=lambda axis: not axis.overlaying)
    for scale in panels.values():
        reference = names.get(options.relative or -1, "")
        title = f"relative to {plotly_text(reference, 30)}" if reference else scale.unit
        figure.update_yaxes(title={"text": title}, row=scale.row, col=1)
