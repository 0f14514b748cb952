"""Compare: is this patch series slower? Base against one to five heads."""

from collections.abc import Sequence

import streamlit as st

from dashboard import loaders
from dashboard.page import Context
from dashboard.parts import boxes, comparability, exports, pickers, rows, verdicts, wording
from dashboard.parts.details import details
from dashboard.parts.link import heading
from dashboard.parts.plain import shortened
from dashboard.parts.summary import summary
from dashboard.state import CompareView, bound, chosen_row, current, go_if_leaving, on_row, to_set, with_url
from db.errors import UserError
from report.comparison import Absent, Report, Request, Row
from report.text import hidden

_TABLE = "rows of the comparison"


def render(context: Context) -> None:
    """The page."""
    source = context.source
    view, errors = pickers.settled(current(CompareView), source)
    heading("Compare", view)
    if not loaders.revisions(*source):
        boxes.nothing_stored()
        return
    pickers.revisions(view, source)
    for error in errors:
        boxes.problem(error)
    pickers.filters(view, source)
    if not view.base or not view.head:
        boxes.nothing_here("Nothing to compare yet.", "Choose a base and at least one head above.")
        return
    try:
        report = loaders.comparison(*source, _request(view))
    except UserError as error:
        boxes.problem(error)
        boxes.unfinished(loaders.run_counts(*source), loaders.names(*source), (view.base, *view.head))
        return
    _show(context, source, report, view)


def _request(view: CompareView) -> Request:
    return Request(view.base, view.head, pickers.wanted(view), view.vary)


def _show(context: Context, source: tuple[str, str], report: Report, view: CompareView) -> None:
    summary(report)
    comparability.banner(report, view)
    _rows(context, source, report, view)
    _absent(report.absent)
    exports.offer(report)


@st.fragment
def _rows(context: Context, source: tuple[str, str], report: Report, view: CompareView) -> None:
    """Table and details. Choosing a row, an order or what is shown runs only this part of the page."""
    go_if_leaving()
    view = with_url(view)
    listed = _table(report, view)
    chosen = [row for row in report.rows if rows.name(row, many=len(verdicts.pairs(report)) > 1) == view.row]
    if chosen:
        details(context, source, report, chosen[0], view)
    elif listed:
        st.caption("Select a row (its box at the left, or Shift+Space) to see why, its values, runs and history.")


def _table(report: Report, view: CompareView) -> list[Row]:
    """The controls of the table, the table, and the rows in it."""
    many = len(verdicts.pairs(report)) > 1
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    controls.segmented_control("Show", list(verdicts.SHOWS), required=True, wrap=True, **bound(view, "show"))
    controls.segmented_control("Sort by", list(verdicts.SORTS), required=True, wrap=True, **bound(view, "sort"))
    listed = verdicts.ordered(verdicts.shown(report.rows, view.show), view.sort)
    kept = {id(row) for row in listed}
    _hidden([row for row in report.rows if id(row) not in kept], view)
    if listed:
        common, _ = wording.common_and_own([row.series for row in listed])
        st.text(f"Test: {shortened(common, 400)}" if common else "Several tests:")
        names = [rows.name(row, many=many) for row in listed]
        position = names.index(view.row) if view.row in names else None
        st.dataframe(
            rows.frame(listed, many=many),
            column_config=rows.columns(),
            hide_index=True,
            selection_mode="single-row",
            key=chosen_row(_TABLE, position),
            on_select=on_row(view, _TABLE, names),
        )
    return listed


def _hidden(left: Sequence[Row], view: CompareView) -> None:
    if not left:
        return
    row = st.container(horizontal=True, vertical_alignment="center")
    row.text(f"{hidden(left)}.")
    row.button("Show everything", type="tertiary", icon=":material/visibility:", **to_set(view, show="everything"))


def _absent(absent: tuple[Absent, ...]) -> None:
    if not absent:
        return
    words = ("missing", "new", "failed", "skipped")
    counts = {word: sum(one.what == word for one in absent) for word in words}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    with st.expander(shortened(f"Not compared: {told}"), icon=":material/report:"):
        st.caption("Missing is never zero and never a pass.")
        st.dataframe(rows.absent_frame(absent), hide_index=True)
