"""Levels over revisions: a line a time series, its interval as a band, host changes and chosen revisions marked."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.charts.crowd import Member, crowd
from dashboard.charts.points import HOVER, numbers, packed, places, stretches, told
from dashboard.charts.style import COLOURS, FEW, GREY, colour, dash, faint, finish, symbol
from dashboard.parts.plain import plotly_text
from report.scales import axis_scale
from report.steps import Step
from report.trend import Line, Point, RawPoint

PANELS = 4  # with more metrics than this, those of one unit share a panel
BANDS = 12  # with more lines than this, intervals are left to hover and table
_STEP_COLOURS = {"worse": COLOURS[1], "better": COLOURS[0], "changed": GREY}
_MARKED = 200  # points of one line that have marks of their own
_DETAILED = 4000  # points that carry a text of their own
_SHORT = 10  # points of a line that are marked even in a crowded figure
_MARK_ROOM = 30  # pixels between plot and legend for the names of releases
_LETTER, _USUAL = 6.0, 60  # pixels: a letter under the axis, and what such labels take as a rule


@dataclass(frozen=True, slots=True)
class TrendOptions:
    """How to draw. `relative` is the id of the revision whose level is 1; `marks` are revision ids with a word each.

    `steps` are changes to be marked on their lines.
    """

    relative: int | None = None
    log: bool = False
    raw: Mapping[int, Sequence[RawPoint]] = field(default_factory=dict)
    marks: Mapping[int, str] = field(default_factory=dict)
    steps: Sequence[Step] = ()


@dataclass(frozen=True, slots=True)
class _Scale:
    row: int
    factor: float
    unit: str
    title: str


@dataclass(frozen=True, slots=True)
class _Density:
    """How full the figure is: room for bands, too full for marks and long hovers, too full for a trace a line."""

    bands: bool
    many: bool
    is_crowd: bool


def trend(
    lines: Sequence[Line], titles: Sequence[str], names: Mapping[int, str], options: TrendOptions | None = None
) -> go.Figure:
    """A panel per metric (per unit, if they are many) over revisions in the order of `names` (id to name)."""
    options = options or TrendOptions()
    if options.relative is not None:
        lines, titles = _with_reference(lines, titles, options.relative)
    seen = {point.revision.id for line in lines for point in line.points}
    names = _labels({revision: name for revision, name in names.items() if revision in seen})
    panels = _panels(lines, options, names)
    count = max((scale.row for scale in panels.values()), default=1)
    figure = make_subplots(rows=count, shared_xaxes=True, vertical_spacing=0.06)
    many = sum(len(line.points) for line in lines) > _DETAILED
    density = _Density(bands=len(lines) <= BANDS, many=many, is_crowd=many and len(lines) > FEW)
    drawn: list[go.Scatter | go.Scattergl] = []
    rows: list[int] = []
    crowded: list[Member] = []
    for position, (line, title) in enumerate(zip(lines, titles, strict=True)):
        scale = panels.get((line.series.metric, line.series.unit)) or panels["", line.series.unit]
        scale = replace(scale, factor=_factor(line, scale, options))
        if density.is_crowd:
            crowded.append(Member(line, title, scale.row, scale.factor, scale.unit))
        for trace in _traces(line, title, position, scale, names, options, density=density):
            trace.legendgroup = str(line.series.id)
            drawn.append(trace)
            rows.append(scale.row)
    for row, trace in crowd(crowded, names):
        drawn.append(trace)
        rows.append(row)
    figure.add_traces(drawn, rows=rows, cols=[1] * len(rows))  # one by one, each is looked at again for every other
    _mark_hosts(figure, lines, names)
    _mark_revisions(figure, names, options)
    _axes(figure, names, panels, options)
    height = 380 if count == 1 else 140 + 220 * count
    finish(figure, height=height, named=len(lines))
    if options.marks:
        figure.update_layout(legend_y=1 + _MARK_ROOM / height)
    return _settled(figure, names) if density.many else figure


def _settled(figure: go.Figure, names: Mapping[int, str]) -> go.Figure:
    """Margins said beforehand: where a browser measures its labels for them it draws everything three times."""
    longest = _LETTER * max(map(len, names.values()), default=0)
    below = round(min(24 + longest, 190))  # on a narrow page the names stand upright
    margin = {"l": 72, "r": round(min(longest, 48)), "b": below, "autoexpand": bool(figure.layout.showlegend)}
    figure.update_layout(margin=margin, height=figure.layout.height + below - _USUAL)
    figure.update_xaxes(automargin=False)
    return figure.update_yaxes(automargin=False)


def _labels(names: Mapping[int, str]) -> dict[int, str]:
    """Names as the axis shows them, still distinct where long ones were cut."""
    found: dict[int, str] = {}
    taken: Counter[str] = Counter()
    for revision, name in names.items():
        text = plotly_text(name, 60)
        found[revision] = f"{text} ({taken[text] + 1})" if taken[text] else text
        taken[text] += 1
    return found


def _with_reference(lines: Sequence[Line], titles: Sequence[str], reference: int) -> tuple[list[Line], list[str]]:
    kept = [(line, title) for line, title in zip(lines, titles, strict=True) if _reference(line, reference)]
    return [line for line, _ in kept], [title for _, title in kept]


def _factor(line: Line, scale: _Scale, options: TrendOptions) -> float:
    return scale.factor if options.relative is None else _reference(line, options.relative)


def _reference(line: Line, revision: int) -> float:
    return next((point.level.value for point in line.points if point.revision.id == revision), 0.0)


def _panels(lines: Sequence[Line], options: TrendOptions, names: Mapping[int, str]) -> dict[tuple[str, str], _Scale]:
    """Where the lines of a metric and unit go. The metric is empty where all metrics of a unit share a panel."""
    if options.relative is not None:
        only = _Scale(1, 1.0, "", f"relative to {names.get(options.relative, '')}")
        return {(line.series.metric, line.series.unit): only for line in lines}
    keys = list(dict.fromkeys((line.series.metric, line.series.unit) for line in lines))
    if len(keys) > PANELS:
        keys = list(dict.fromkeys(("", unit) for _, unit in keys))
    panels: dict[tuple[str, str], _Scale] = {}
    for row, (metric, unit) in enumerate(keys, start=1):
        of_panel = [line for line in lines if line.series.unit == unit and metric in ("", line.series.metric)]
        factor, name = axis_scale((p.level.value for line in of_panel for p in line.points), unit)
        panels[metric, unit] = _Scale(
            row, factor, name, f"{plotly_text(metric, 40)} [{name}]" if metric else f"[{name}]"
        )
    return panels


def _traces(  # noqa: PLR0913 (one line with all that shapes it)
    line: Line,
    title: str,
    position: int,
    scale: _Scale,
    names: Mapping[int, str],
    options: TrendOptions,
    *,
    density: _Density,
) -> Iterator[go.Scatter | go.Scattergl]:
    factor = scale.factor
    if density.bands:
        yield from _band(line.points, names, factor, position)
    if found := options.raw.get(line.series.id):
        yield _raw_points(found, names, factor, position, scale)
    if not density.is_crowd:
        yield _line(line, names, factor, position, plotly_text(title, 120), scale.unit, many=density.many)
    if own := [step for step in options.steps if step.series_id == line.series.id and step.point.revision.id in names]:
        yield _changes(own, names, factor, position)


def _line(  # noqa: PLR0913 (one line with all that shapes it)
    line: Line, names: Mapping[int, str], factor: float, position: int, title: str, unit: str, *, many: bool
) -> go.Scatter:
    found = stretches(line.points)
    points = [one for stretch in found for one in (*stretch, None)][:-1]
    y, known = packed([numbers(point, factor, line.series.id) for point in points])
    # Twenty thousand marks take a browser ten seconds; a point between two gaps has nothing else to be seen by.
    is_marked = len(points) <= (_SHORT if many else _MARKED) or any(len(stretch) == 1 for stretch in found)
    return go.Scatter(  # not Scattergl: where no graphics card helps it takes three times as long
        x=np.array(places(points, names), dtype=np.object_),  # of a list, every name would be looked at four times
        y=y,
        mode="lines+markers" if is_marked else "lines",
        name=title,
        meta=unit,
        customdata=known,
        text=None if many else [told(point) if point else "" for point in points],
        line={"color": colour(position), "dash": dash(position), "width": 2},
        marker={"symbol": symbol(position), "size": 7 if len(points) <= _MARKED // 4 else 4, "color": colour(position)},
        hovertemplate=f"<b>%{{x}}</b><br>{title}<br>{HOVER}{'' if many else '<br>%{text}'}<extra></extra>",
    )


def _band(points: Sequence[Point], names: Mapping[int, str], factor: float, position: int) -> Iterator[go.Scatter]:
    x: list[str | None] = []
    y: list[float | None] = []
    for stretch in stretches(points):
        inside = [point for point in stretch if point.level.low is not None and point.level.high is not None]
        if len(inside) > 1:
            there = places(inside, names)
            x += [*there, *reversed(there), None]
            y += [p.level.high / factor for p in inside if p.level.high is not None]
            y += [p.level.low / factor for p in reversed(inside) if p.level.low is not None]
            y.append(None)
    if x:
        yield go.Scatter(
            x=x[:-1],
            y=y[:-1],
            fill="toself",
            fillcolor=faint(colour(position)),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
            name="95% interval",
        )


def _raw_points(
    found: Sequence[RawPoint], names: Mapping[int, str], factor: float, position: int, scale: _Scale
) -> go.Scattergl:
    shown = [point for point in found if point.revision_id in names]
    return go.Scattergl(
        x=[names[point.revision_id] for point in shown],
        y=np.array([point.value / factor for point in shown]),
        mode="markers",
        marker={"color": colour(position), "symbol": f"{symbol(position)}-open", "size": 6, "opacity": 0.6},
        customdata=np.array([[point.run_id, point.series_id] for point in shown]),
        hovertemplate=f"%{{x}}<br>%{{y:.5g}} {scale.unit}<br>run %{{customdata[0]}}<extra></extra>",
        showlegend=False,
        name="runs",
    )


def _changes(own: Sequence[Step], names: Mapping[int, str], factor: float, position: int) -> go.Scatter:
    """A triangle at the first point of a new level: up or down, full where it is confirmed and not the host's doing."""
    points = [step.point for step in own]
    return go.Scatter(
        x=places(points, names),
        y=[point.level.value / factor for point in points],
        mode="markers",
        marker={
            "symbol": [_triangle(step) for step in own],
            "size": 15,
            "color": [_STEP_COLOURS[step.meaning] for step in own],
            "line": {"width": 2, "color": colour(position)},
        },
        customdata=packed([numbers(point, factor, step.series_id) for point, step in zip(points, own, strict=True)])[1],
        text=[f"{step.meaning}, {step.state}: {plotly_text(step.why, 200)}" for step in own],
        hovertemplate="<b>change at %{x}</b><br>%{text}<extra></extra>",
        showlegend=False,
        name="changes",
    )


def _triangle(step: Step) -> str:
    is_full = step.state == "confirmed" and not step.host_changed
    return f"triangle-{'up' if step.effect > 0 else 'down'}{'' if is_full else '-open'}"


def _mark_hosts(figure: go.Figure, lines: Sequence[Line], names: Mapping[int, str]) -> None:
    """A dashed line where the state of a host changed, with a mark on top whose hover names the fields."""
    fields: dict[int, dict[str, None]] = {}
    for line in lines:
        for point in line.points:
            for one in point.host_changed:
                text = f"{line.series.host}: {one.field} {one.left} → {one.right}"
                fields.setdefault(point.revision.id, {})[plotly_text(text, 120)] = None
    shown = [revision for revision in names if revision in fields]
    for revision in shown:
        figure.add_shape(**_upright(list(names).index(revision), "dash"))
    if shown:
        figure.add_trace(
            go.Scatter(
                x=[names[revision] for revision in shown],
                y=[1.0] * len(shown),
                xaxis="x",
                yaxis="y99",
                mode="markers",
                marker={"symbol": "triangle-down", "size": 11, "color": GREY},
                cliponaxis=False,
                text=["<br>".join(list(fields[revision])[:8]) for revision in shown],
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
            x = list(names).index(revision)
            figure.add_shape(**_upright(x, "dot"))
            figure.add_annotation(x=x, xref="x", y=1, yref="paper", yanchor="bottom", text=word, showarrow=False)


def _upright(x: int, stroke: str) -> dict[str, object]:
    """A line at the nth revision. By its position: a name like `6.12` would be taken for the position 6.12."""
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
    names: Mapping[int, str],
    panels: Mapping[tuple[str, str], _Scale],
    options: TrendOptions,
) -> None:
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=list(names.values()), nticks=16)
    figure.update_yaxes(type="log" if options.log else "linear", nticks=8, selector=lambda axis: not axis.overlaying)
    for scale in panels.values():
        figure.update_yaxes(title={"text": scale.title}, row=scale.row, col=1)
