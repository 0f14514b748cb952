"""One row of a comparison in full: why, the values boot by boot, the history, and the scaling curve."""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard import loaders
from dashboard.charts.distribution import BootValues, Side, distribution
from dashboard.charts.scaling import Curve, ScalePoint, scaling
from dashboard.charts.style import PLAIN
from dashboard.charts.trend import TrendOptions, trend
from dashboard.page import Context
from dashboard.parts import drawing, visit, wording
from dashboard.parts.folded import folded
from dashboard.parts.plain import markdown_text, plotly_text, shortened
from dashboard.parts.rows import level
from dashboard.parts.verdicts import word
from dashboard.state import CompareView, TrendsView, encode, to_set
from db.values import RevisionRow, SampleTable, SeriesRow
from report.comparison import Report, Row
from report.selection import scaling_family
from report.text import change, interval
from report.trend import Line


def details(context: Context, source: tuple[str, str], report: Report, row: Row, view: CompareView) -> None:
    """The chosen row, top to bottom."""
    drawing.ahead()
    with st.container(border=True):
        top = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
        top.markdown(f"##### {markdown_text(row.series.metric)}")
        top.button("Close", icon=":material/close:", type="tertiary", **to_set(view, row=""))
        _words(row)
        left, right = st.columns(2)
        with left:
            _distribution(source, report, row.series, view.boot)
            _runs(source, report, row.series)
        with right:
            _history(context, source, report, row.series)
        _scaling(source, report, row.series, view.boot)


def _words(row: Row) -> None:
    result, series = row.result, row.series
    said = [
        f"{shortened(wording.case(series))} on {shortened(series.host)}",
        f"{word(row)}: {_moved(row)}, {wording.direction(series.better)}",
        f"Why: {shortened(result.why, 600)}",
        f"Base: {wording.measured(row, 0)}. Head: {wording.measured(row, 1)}.",
        *(f"Note: {shortened(warning, 400)}" for warning in result.warnings),
    ]
    st.text("\n".join(said))


def _moved(row: Row) -> str:
    result = row.result
    return f"{level(result.base, row)} to {level(result.head, row)}, {change(result)} {interval(result)}"


def _distribution(source: tuple[str, str], report: Report, series: SeriesRow, boot: str) -> None:
    revisions = (report.base, *report.heads)
    table = loaders.samples(*source, series.id, tuple(revision.id for revision in revisions), boot)
    boots = {boot.id: boot.boot_id for boot in loaders.boots(*source)}
    st.caption("Every value, boot by boot. Two clusters in one boot are two modes. Click a point to open its run.")
    st.plotly_chart(
        distribution(sides(table, revisions, boots), series.metric, series.unit, series.id),
        key="distribution",
        on_select=visit.clicked("distribution", source, [series]),
        selection_mode="points",
        config=PLAIN,
        alt=f"Every value of {plotly_text(series.metric)} boot by boot; the runs are listed below",
    )


def _runs(source: tuple[str, str], report: Report, series: SeriesRow) -> None:
    order = {revision.id: at for at, revision in enumerate((report.base, *report.heads))}
    found = [one for one in loaders.raw(*source, series.id) if one.revision_id in order]
    boots = {boot.id: boot.boot_id for boot in loaders.boots(*source)}
    ordered = sorted(found, key=lambda one: order[one.revision_id])

    def runs() -> None:
        st.caption("Select one to open it: its command, host, and output with the lines read from it.")
        visit.table("runs of the row", ordered, loaders.names(*source), boots, series)

    folded(f"{wording.counted(len(found), 'run')} behind this row", "receipt_long", "runs", runs)


def sides(table: SampleTable, revisions: Sequence[RevisionRow], boots: Mapping[int, str]) -> list[Side]:
    """The values of one time series, by revision and boot, in the order of the revisions."""
    found: dict[int, dict[int, tuple[list[int], list[float]]]] = {revision.id: {} for revision in revisions}
    start = 0
    for run, revision, boot, count in zip(table.run, table.revision, table.boot, table.counts, strict=True):
        of_runs, of_values = found.get(int(revision), {}).setdefault(int(boot), ([], []))
        of_runs += [int(run)] * int(count)
        of_values += table.values[start : start + count].tolist()
        start += int(count)
    roles = ["base", *(["head"] if len(revisions) == 2 else [f"head {n}" for n in range(1, len(revisions))])]
    return [
        Side(
            role,
            r.name,
            tuple(BootValues(boots.get(b, "unknown"), tuple(i), tuple(v)) for b, (i, v) in found[r.id].items()),
        )
        for role, r in zip(roles, revisions, strict=True)
    ]


def _history(context: Context, source: tuple[str, str], report: Report, series: SeriesRow) -> None:
    lines = loaders.lines(*source, (series.id,))
    marks = {report.base.id: "base"} | {
        head.id: "head" if len(report.heads) == 1 else f"head {n}" for n, head in enumerate(report.heads, start=1)
    }
    st.caption("The same metric at every revision, with its 95% interval.")
    st.plotly_chart(
        trend(lines, [series.metric], loaders.names(*source), TrendOptions(marks=marks)),
        key="history",
        on_select=visit.clicked("history", source, [series]),
        selection_mode="points",
        config=PLAIN,
        alt=f"History of {plotly_text(series.metric)} over revisions",
    )
    if "trends" in context.pages:
        there = TrendsView(
            benchmark=series.benchmark,
            case=(wording.parameters(series),),
            metric=(series.metric,),
            host=(series.host,),
        )
        st.page_link(
            context.pages["trends"], label="Open in Trends", icon=":material/show_chart:", query_params=encode(there)
        )


def _scaling(source: tuple[str, str], report: Report, series: SeriesRow, boot: str) -> None:
    parameter, family = scaling_family(series, loaders.series(*source))
    if not family:
        return
    lines = loaders.lines(*source, tuple(one.id for one in family), boot)
    curves = [c for r in (report.base, *report.heads) if (c := _curve(r, lines, parameter)).points]
    if len({point.x for curve in curves for point in curve.points}) < 2:
        return
    st.caption(markdown_text(f"{series.metric} against {parameter}, all else equal, with 95% intervals"))
    st.plotly_chart(scaling(curves, parameter, series.metric, series.unit), key="scaling", config=PLAIN)


def _curve(revision: RevisionRow, lines: Sequence[Line], parameter: str) -> Curve:
    points = [
        ScalePoint(
            float(line.series.params[parameter]),
            point.level.value,
            point.level.low,
            point.level.high,
            wording.replication(point.level.boots, point.level.runs, point.level.values),
        )
        for line in lines
        for point in line.points
        if point.revision.id == revision.id
    ]
    return Curve(revision.name, tuple(sorted(points, key=lambda point: point.x)))
