"""Run: what exactly was measured? One execution with its context, its numbers, and the output they were read from."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from dashboard import loaders
from dashboard.page import Context
from dashboard.parts import boxes, output, runs, tables, wording
from dashboard.parts.folded import folded
from dashboard.parts.link import heading
from dashboard.parts.plain import markdown_text, shortened
from dashboard.parts.verbatim import verbatim
from dashboard.parts.wording import counted
from dashboard.state import RunView, TrendsView, bound, chosen_row, current, encode, on_row, to_set
from db.errors import UserError
from db.hoststate import severity, summary_line
from report.run import RunReport, summaries
from report.text import case_line, described

_METRICS = "metrics of the run"


def render(context: Context) -> None:
    """The page: one run, or the newest ones to choose from."""
    source = context.source
    view = current(RunView)
    heading("Run", view)
    if not view.run:
        _newest(source, view)
        return
    try:
        report = loaders.run(*source, _number(view.run))
    except UserError as error:
        boxes.problem(error)
        st.button("Newest runs", icon=":material/list:", **to_set(view, run="", metric=""))
        return
    _top(context, report, view)
    _where_from(report)
    view = _measurements(report, view)
    output.show(source, report, view)
    _state(source, report)
    _around(source, report, view)


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise UserError(f"{text[:40]!r} is no number of a run", "choose one from the newest runs")
    return int(text)


def _newest(source: tuple[str, str], view: RunView) -> None:
    st.segmented_control("Ended", runs.ENDINGS, required=True, wrap=True, **bound(view, "status"))
    status = "" if view.status not in runs.ENDINGS or view.status == "any" else view.status
    found = loaders.newest_runs(*source, status)
    if found:
        st.caption(f"The {len(found)} runs stored last. Select one (its box at the left, or Shift+Space).")
        runs.table(found, loaders.names(*source), view, "newest runs")
    elif status:
        boxes.nothing_here("No run ended like this.", "Choose another ending above.")
    else:
        boxes.nothing_stored()


def _top(context: Context, report: RunReport, view: RunView) -> None:
    run = report.run
    st.markdown(f"##### {markdown_text(case_line(run.benchmark, sorted(run.params.items())))}")
    row = st.container(horizontal=True, vertical_alignment="center")
    row.badge(run.status, color="green" if run.status == "pass" else "orange", icon=runs.icon(run.status))
    if run.reported:
        row.badge("reported in a mail, not measured here", color="violet")
    row.button("Newest runs", type="tertiary", icon=":material/list:", **to_set(view, run="", metric=""))
    measured = [one.metric for one in report.measured if one.better != "none"]
    if "trends" in context.pages and measured:
        there = TrendsView(
            benchmark=run.benchmark,
            case=(wording.parameters_text(run.params),),
            metric=(view.metric,) if view.metric in measured else tuple(measured[:2]),
            host=(run.host,),
        )
        row.page_link(
            context.pages["trends"], label="History", icon=":material/show_chart:", query_params=encode(there)
        )


def _where_from(report: RunReport) -> None:
    run, revision = report.run, report.revision
    verbatim(shortened(f"$ {run.command}", 4000) if run.command else "command unknown")
    took = ""
    if run.started_at and run.ended_at:
        took = f", took {(run.ended_at - run.started_at).total_seconds():.3g} s"
    when = f"{run.started_at:%Y-%m-%d %H:%M:%S} UTC{took}" if run.started_at else "unknown"
    told = [
        ("Revision", f"{described(revision)}, {wording.dated(revision)}"),
        ("Host", f"{run.host} ({summary_line(run.state)})" if run.state else f"{run.host} (no host facts)"),
        ("Boot", run.boot or "unknown"),
        ("Started", when),
        ("Exit status", "unknown" if run.exit_status is None else str(run.exit_status)),
        ("Uploaded", f"{run.received_at:%Y-%m-%d %H:%M} UTC from {run.origin or 'unknown'}: {run.source}"),
        ("Read by", f"{run.format} {run.format_version}"),
        *((name, value) for name, value in sorted({**run.labels, **run.tags}.items())),
    ]
    st.text("\n".join(f"{shortened(name, 60)}: {shortened(value, 400)}" for name, value in told))
    if run.warnings:
        st.warning("\n\n".join(markdown_text(text, 400) for text in run.warnings), icon=":material/info:")


def _measurements(report: RunReport, view: RunView) -> RunView:
    """The numbers; the view without a metric that this run does not have."""
    rows = summaries(report)
    if not rows:
        ended = "it passed without a number" if report.run.status == "pass" else f"it ended with {report.run.status}"
        boxes.nothing_here("This run has no measurements:", f"{ended}. Missing is never zero.")
        return view
    names = [row.metric for row in rows]
    many = any(row.listed != row.median for row in rows)
    st.caption("What it measured. Select a metric to point at its lines in the output.")
    st.dataframe(
        pd.DataFrame(
            {
                "metric": [shortened(row.metric, 80) for row in rows],
                "median": [row.median for row in rows],
                **({"range": [row.spread for row in rows]} if many else {}),
                "direction": [wording.direction(row.better) for row in rows],
                "n": [row.n for row in rows],
                **({"values": [row.listed for row in rows]} if many else {}),
            }
        ),
        hide_index=True,
        selection_mode="single-row",
        key=chosen_row(_METRICS, names.index(view.metric) if view.metric in names else None),
        on_select=on_row(view, _METRICS, names, "metric"),
    )
    return view


def _state(source: tuple[str, str], report: RunReport) -> None:
    state = report.run.state
    title = f"Host state: {len(state)} fields" if state else "Host state: unknown"
    folded(title, "dns", "state of the host", lambda: _fields(source, report))


def _fields(source: tuple[str, str], report: RunReport) -> None:
    state = report.run.state
    if not state:
        boxes.nothing_here("This run came without host facts.", "`kvmperf facts` on the bench host records them.")
        return
    fields = sorted(state)
    tables.show(
        {
            "field": [shortened(field) for field in fields],
            "value": [shortened(state[field]) for field in fields],
            "a difference": [wording.SEVERITIES[severity(field)] for field in fields],
        }
    )
    if report.run.facts:
        st.download_button(
            "Host facts as collected",
            lambda: loaders.artifact(*source, report.run.facts),
            file_name=f"run-{report.run.id}-host.json",
            mime="application/octet-stream",
            on_click="ignore",
        )


def _around(source: tuple[str, str], report: RunReport, view: RunView) -> None:
    names = loaders.names(*source)
    boots = {one.boot for one in report.same_point}
    folded(
        f"Same revision, test case and host: {counted(len(report.same_point), 'run')} in {counted(len(boots), 'boot')}",
        "scatter_plot",
        "same point",
        lambda: runs.table(report.same_point, names, view, "runs of the point", current=report.run.id),
    )
    folded(
        f"Same boot: {counted(len(report.same_boot), 'run')}",
        "restart_alt",
        "same boot",
        lambda: _same_boot(report, names, view),
    )


def _same_boot(report: RunReport, names: Mapping[int, str], view: RunView) -> None:
    if report.same_boot:
        runs.table(report.same_boot, names, view, "runs of the boot", current=report.run.id)
    else:
        boxes.nothing_here("The boot is unknown.", "`kvmperf upload --boot-id` says which it was.")
