"""Trends: how did this metric move over revisions?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard import loaders
from dashboard.charts.style import PLAIN
from dashboard.charts.thin import MOST as THIN
from dashboard.charts.thin import thinned
from dashboard.charts.trend import BANDS, PANELS, TrendOptions, trend
from dashboard.page import Context
from dashboard.parts import boxes, choice, drawing, tables, visit, wording, zoom
from dashboard.parts.folded import folded
from dashboard.parts.link import heading
from dashboard.parts.plain import shortened
from dashboard.state import TrendsView, bound, chosen_row, current, on_pick, optional
from report.releases import releases
from report.steps import Step
from report.trend import Line, RawPoint
from report.trend_rows import rows, to_csv

_STEPS = "changes of the figure"
_JUDGED = 24  # lines in which changes are looked for
_LINES = 200  # of one figure
_FIGURES = 16  # kept: a crowded one takes some megabytes
_RAW = 8  # lines whose single runs are drawn
_WIDE = 50  # times the smallest level
_TABLE = "levels of the figure"
_SCALED = ("zoom",)  # what means nothing on other axes
_DRAWN = ("zoom", "hide")  # nor with other lines
_ROWS = 2000  # of the table; the download has all


def render(context: Context) -> None:
    """The page."""
    source = context.source
    known = loaders.catalog(*source)
    view = choice.settled(current(TrendsView), known, lambda benchmark: loaders.richest(*source, benchmark))
    heading("Trends", view)
    if not known.series:
        _nothing(source)
        return
    drawing.ahead()
    _pick(view, known)
    chosen = choice.chosen(view, known)
    names = loaders.names(*source)
    if not chosen:
        boxes.nothing_here("No time series has this combination.", "Take away a case, a metric or a host above.")
        return
    lines = loaders.lines(*source, tuple(one.id for one in chosen[:_LINES]), view.boot)
    view = _shape(view, lines, names)
    kept = choice.within(lines, names, view)
    if not kept:
        boxes.nothing_here("No revision is left.", "Widen the range, or clear the text that revisions must contain.")
        return
    found = _steps(source, view, kept)
    _figure(source, view, kept, names, found)
    _caption(view, kept, len(chosen))
    _changes(source, found, kept, names)
    folded("Table and download", "table", "levels", lambda: _table(source, kept))


def _steps(source: tuple[str, str], view: TrendsView, lines: Sequence[Line]) -> list[Step]:
    """The changes at revisions that are shown, found in the whole history."""
    if len(lines) > _JUDGED:
        return []
    shown = {(line.series.id, point.revision.id) for line in lines for point in line.points}
    found = loaders.steps(*source, tuple(line.series.id for line in lines), view.boot)
    return [one for one in found if (one.series_id, one.point.revision.id) in shown]


def _nothing(source: tuple[str, str]) -> None:
    counts, names = loaders.run_counts(*source), loaders.names(*source)
    if counts:
        boxes.nothing_here("No run has passed yet.", "Runs that fail have no measurements to draw.")
        boxes.unfinished(counts, names, list(names.values()))
    else:
        boxes.nothing_stored()


def _pick(view: TrendsView, known: choice.Catalog) -> None:
    offered = choice.options(view, known)
    left, right = st.columns(2)
    with left:
        st.selectbox(
            "Benchmark",
            offered.benchmark,
            format_func=shortened,
            **bound(view, "benchmark", ["case", "metric", "host", "relative", "start", "end", *_DRAWN]),
        )
    with right:
        labels = known.labels.get(view.benchmark, {})
        st.multiselect(
            "Test cases", offered.case, format_func=labels.__getitem__, placeholder="all", **bound(view, "case", _DRAWN)
        )
    left, right = st.columns(2)  # a row of their own: the keyboard goes row by row, as the eye does
    with left:
        st.multiselect(
            "Metrics", offered.metric, format_func=shortened, placeholder="all", **bound(view, "metric", _DRAWN)
        )
    with right:
        st.multiselect("Hosts", offered.host, format_func=shortened, placeholder="all", **bound(view, "host", _DRAWN))


def _shape(view: TrendsView, lines: Sequence[Line], names: Mapping[int, str]) -> TrendsView:
    """The controls of the figure; the view without revisions that these lines lack."""
    seen = {point.revision.id for line in lines for point in line.points}
    measured = [name for revision, name in names.items() if revision in seen]
    view = replace(
        view,
        relative=view.relative if view.relative in measured else "",
        start=view.start if view.start in measured else "",
        end=view.end if view.end in measured else "",
    )
    folded("Revisions and axes", "tune", "shape", lambda: _controls(view, measured), expanded=_is_shaped(view))
    return view


def _controls(view: TrendsView, measured: Sequence[str]) -> None:
    first, second, third, fourth = st.columns(4)
    first.selectbox(
        "From", measured, placeholder="the first", format_func=shortened, **optional(view, "start", _SCALED)
    )
    second.selectbox("To", measured, placeholder="the last", format_func=shortened, **optional(view, "end", _SCALED))
    third.text_input("Revisions containing", placeholder="text", **bound(view, "revision", _SCALED))
    fourth.selectbox(
        "Relative to", measured, placeholder="absolute", format_func=shortened, **optional(view, "relative", _SCALED)
    )
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.text_input("Boots (glob)", placeholder="all", width=240, **bound(view, "boot"))
    row.toggle("Logarithmic axis", **bound(view, "log", _SCALED))
    row.toggle("Single runs", help="One mark per run under each level.", **bound(view, "raw"))


def _figure(
    source: tuple[str, str], view: TrendsView, lines: Sequence[Line], names: Mapping[int, str], found: Sequence[Step]
) -> None:
    zoom.remember()
    st.plotly_chart(
        _drawn(*source, view, _shown=(lines, names, found)),
        key="trend",
        on_select=visit.clicked("trend", source, [line.series for line in lines]),
        selection_mode="points",
        config=PLAIN,
        alt="Levels over revisions; the table below has every number",
    )


@st.cache_resource(show_spinner="Drawing …", max_entries=_FIGURES)
def _drawn(
    url: str, token: str, view: TrendsView, _shown: tuple[Sequence[Line], Mapping[int, str], Sequence[Step]]
) -> go.Figure:
    """The finished figure. Database, token and view say all that it is made from; `_shown` is no part of the key."""
    lines, names, found = _shown
    relative = next((revision for revision, name in names.items() if name == view.relative), None)
    raw: dict[int, Sequence[RawPoint]] = {}
    if view.raw:
        raw = {line.series.id: loaders.raw(url, token, line.series.id) for line in lines[:_RAW]}
    shown = {point.revision.id for line in lines for point in line.points}
    titles = wording.titles([line.series for line in lines])
    options = TrendOptions(relative, view.log, raw, _releases(lines), found)
    figure = trend(thinned(lines), titles, {r: name for r, name in names.items() if r in shown}, options)
    return zoom.applied(figure, view.zoom, view.hide)


def _releases(lines: Sequence[Line]) -> dict[int, str]:
    seen = {point.revision.id: point.revision for line in lines for point in line.points}
    return releases(sorted(seen.values(), key=lambda revision: revision.order))


def _is_shaped(view: TrendsView) -> bool:
    """Whether a control of the figure is set."""
    return bool(view.boot or view.revision or view.start or view.end or view.relative or view.log or view.raw)


def _caption(view: TrendsView, lines: Sequence[Line], wanted: int) -> None:
    levels = sum(len(line.points) for line in lines)
    directions = {line.series.better for line in lines}
    is_crowded, is_absolute = len(lines) > BANDS, not (view.log or view.relative)
    told = (
        (True, f"{len(lines)} lines, {levels} levels"),
        (wanted > _LINES, f"the first {_LINES} of {wanted} time series: narrow the choice"),
        (is_crowded, f"intervals are in the hover and in the table (bands up to {BANDS} lines)"),
        (not is_crowded, "bands are 95% intervals"),
        (view.raw and len(lines) > _RAW, f"single runs of the first {_RAW} lines only"),
        (len(lines) > _JUDGED, f"changes are looked for in up to {_JUDGED} lines"),
        (levels > THIN, "drawn by their lowest and highest points: narrow the range to see all"),
        (
            is_absolute and is_wide(lines),
            "levels lie far apart: a logarithmic axis, or levels relative to a revision, show more",
        ),
        (
            any(point.host_changed for line in lines for point in line.points),
            "dashed: the state of a host changed (the mark on top says what)",
        ),
        (len(directions) == 1, wording.direction(next(iter(directions)))),
    )
    st.caption("; ".join(text for holds, text in told if holds) + ".")


def is_wide(lines: Sequence[Line]) -> bool:
    """Whether lines of one panel start so far apart that the smaller ones lie flat."""
    has_panel = len({(line.series.metric, line.series.unit) for line in lines}) <= PANELS
    starts: dict[tuple[str, str], list[float]] = {}
    for line in lines:
        panel = (line.series.metric if has_panel else "", line.series.unit)
        starts.setdefault(panel, []).append(abs(line.points[0].level.value))
    return any(max(found) > _WIDE * min(found) for found in starts.values())


def _changes(source: tuple[str, str], found: Sequence[Step], lines: Sequence[Line], names: Mapping[int, str]) -> None:
    """The change points in words; choosing one opens a run behind it."""
    if not found:
        return
    series = {line.series.id: line.series for line in lines}
    titles = dict(zip(series, wording.titles(list(series.values())), strict=True))
    places = [(series[one.series_id], one.point.revision.id) for one in found]
    columns: dict[str, list[object]] = {
        "from revision": [shortened(names.get(one.point.revision.id, ""), 60) for one in found],
        "line": [titles[one.series_id] for one in found],
        "change": [f"{100 * one.effect:+.1f}%" for one in found],
        "meaning": [one.meaning for one in found],
        "state": ["the host changed too" if one.host_changed else one.state for one in found],
        "why": [shortened(one.why) for one in found],
    }
    folded(
        f"Changes of level: {len(found)}",
        "stairs",
        "changes",
        lambda: tables.show(
            columns,
            selection_mode="single-row",
            key=chosen_row(_STEPS, None),
            on_select=on_pick(_STEPS, visit.level_picked(source, places)),
        ),
    )


def _table(source: tuple[str, str], lines: Sequence[Line]) -> None:
    total = sum(len(line.points) for line in lines)
    shown = list(islice(rows(lines), _ROWS))
    places = list(islice(((line.series, point.revision.id) for line in lines for point in line.points), _ROWS))
    st.caption("Select a row (its box at the left, or Shift+Space) to open a run behind it.")
    st.dataframe(
        pd.DataFrame([{k: shortened(v) if isinstance(v, str) else v for k, v in row.items()} for row in shown]),
        hide_index=True,
        selection_mode="single-row",
        key=chosen_row(_TABLE, None),
        on_select=on_pick(_TABLE, visit.level_picked(source, places)),
    )
    if total > _ROWS:
        st.caption(f"The first {_ROWS} of {total} rows: the download has all.")
    st.download_button("CSV", lambda: to_csv(lines), file_name="trend.csv", mime="text/csv", on_click="ignore")
