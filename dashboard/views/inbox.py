"""Inbox: what changed, what needs me? Alerts, tests that fail now, hosts that fell silent, what came in last."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard import loaders
from dashboard.page import Context
from dashboard.parts import alerts, boxes, folded, tables, wording
from dashboard.parts.link import heading
from dashboard.parts.plain import shortened
from dashboard.state import CompareView, InboxView, RunView, bound, chosen_row, current, leave_for, on_pick, optional
from db.operation_queries import Ended
from db.values import RevisionRow
from db.words import Triage
from report.hosts import HostReport
from report.inbox import InboxReport, before
from report.text import case_line

_FAILING, _ARRIVED = "tests that did not pass", "revisions that came in"
_FILTERS = (("hosts", "host"), ("benchmarks", "benchmark"), ("said", "triage"), ("owner", "owner"))
_ROWS = 200


def render(context: Context) -> None:
    """The page."""
    source = context.source
    view = current(InboxView)
    heading("Inbox", view)
    if not loaders.revisions(*source):
        boxes.nothing_stored()
        return
    report = loaders.inbox(*source)
    _filters(report, view)
    failing = report.failing(view.host, view.benchmark)
    silent = [one for one in loaders.hosts(*source) if one.is_silent(datetime.now(UTC))]
    _counts(context, report, failing, len(silent))
    alerts.open_alerts(context, view)
    _failing(failing, loaders.names(*source))
    _silent(silent)
    _arrived(report, loaders.revisions(*source), loaders.names(*source))


def _filters(report: InboxReport, view: InboxView) -> None:
    """Folded: most who come look at everything, and four widgets take as long to appear as the rest of the page."""
    folded.filters([name for name, field in _FILTERS if getattr(view, field)], lambda: _pickers(report, view))


def _pickers(report: InboxReport, view: InboxView) -> None:
    left, right = st.columns(2)
    hosts = sorted({*view.host, *(one.host for one in report.ended)})
    benchmarks = sorted({*view.benchmark, *(one.benchmark for one in report.ended)})
    left.multiselect("Hosts", hosts, placeholder="all", format_func=shortened, **bound(view, "host"))
    right.multiselect("Benchmarks", benchmarks, placeholder="all", format_func=shortened, **bound(view, "benchmark"))
    left, right = st.columns(2)
    left.multiselect("Said", [one.value for one in Triage], placeholder="anything", **bound(view, "triage"))
    right.text_input("Owner", placeholder="anybody", **optional(view, "owner"))


def _counts(context: Context, report: InboxReport, failing: Sequence[Ended], silent: int) -> None:
    failed = sum(one.status != "skip" for one in failing)
    row = st.container(horizontal=True, vertical_alignment="center")
    opened = alerts.counted_open(context.url)
    row.badge(f"{wording.counted(opened, 'alert')} open", color="red" if opened else "gray")
    row.badge(f"{wording.counted(failed, 'test')} failing", color="orange" if failed else "gray")
    row.badge(f"{wording.counted(len(failing) - failed, 'test')} newly skipped", color="gray")
    row.badge(f"{wording.counted(silent, 'host')} silent", color="orange" if silent else "gray")
    kept = f"{wording.counted(report.quarantined, 'output')} in quarantine"
    row.badge(kept, color="violet" if report.quarantined else "gray")
    if report.quarantined and "operation" in context.pages:
        row.page_link(context.pages["operation"], label="Why", icon=":material/arrow_forward:")


def _failing(failing: Sequence[Ended], names: dict[int, str]) -> None:
    st.markdown("##### Tests that do not pass")
    if not failing:
        st.text("Every test case passed at the revision that was measured last on its host.")
        return
    shown = failing[:_ROWS]
    st.caption("At the revision measured last on each host. Select one to open its run. Missing is never a pass.")
    tables.show(
        {
            "ended": [one.status for one in shown],
            "since": ["new: it passed before" if one.passed_before else "never passed here" for one in shown],
            "test case": [shortened(case_line(one.benchmark, sorted(one.params.items())), 160) for one in shown],
            "host": [shortened(one.host, 60) for one in shown],
            "revision": [shortened(names.get(one.revision_id, ""), 60) for one in shown],
            "runs": [one.runs for one in shown],
        },
        selection_mode="single-row",
        key=chosen_row(_FAILING, None),
        on_select=on_pick(_FAILING, lambda row: leave_for("run", RunView(run=str(shown[row].run_id)))),
    )
    if len(failing) > _ROWS:
        st.caption(f"The first {_ROWS} of {len(failing)}.")


def _silent(silent: Sequence[HostReport]) -> None:
    if silent:
        now = datetime.now(UTC)
        st.markdown("##### Missing data")
        days = [(shortened(one.host.name, 80), wording.counted(one.silent(now).days, "day")) for one in silent[:50]]
        st.text("\n".join(f"{host}: silent for {count}" for host, count in days))


def _arrived(report: InboxReport, known: Sequence[RevisionRow], names: dict[int, str]) -> None:
    st.markdown("##### What came in last")
    by_id = {one.id: one for one in known}
    shown = [by_id[one.revision_id] for one in report.arrived if one.revision_id in by_id]
    runs = {one.revision_id: one.runs for one in report.arrived}
    st.caption("Select a revision to compare it with the one before it (a patch series with its base).")
    tables.show(
        {
            "revision": [shortened(names[one.id], 60) for one in shown],
            "subject": [shortened(one.subject, 120) for one in shown],
            "kernel": [shortened(one.kernel, 60) for one in shown],
            "dated": [wording.dated(one) for one in shown],
            "runs": [runs[one.id] for one in shown],
        },
        selection_mode="single-row",
        key=chosen_row(_ARRIVED, None),
        on_select=on_pick(_ARRIVED, _compare(shown, known, names)),
    )


def _compare(
    shown: Sequence[RevisionRow], known: Sequence[RevisionRow], names: dict[int, str]
) -> Callable[[int], None]:
    def go(row: int) -> None:
        base = "".join(names[one.id] for one in before(shown[row], known))
        leave_for("compare", CompareView(base=base, head=(names[shown[row].id],)))

    return go
