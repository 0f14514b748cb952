"""Alerts, newest first: the first part of the Inbox. One is chosen by its row; its details stand below."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from alerts.notices.telling import title
from alerts.why import why
from dashboard import alerting, loaders
from dashboard.page import Context
from dashboard.parts import alert_details, tables
from dashboard.parts.plain import shortened
from dashboard.parts.verbatim import verbatim
from dashboard.state import InboxView, bound, chosen_row, on_row
from db.alert_queries import Group, GroupFilters
from report.words import bounds, percent

_KEY = "alerts"
_OPEN = {"open": True, "closed": False, "all": None}
_POINTS = 40  # of a sparkline


def open_alerts(context: Context, view: InboxView) -> None:
    """The alerts that the view asks for, and the one that is chosen."""
    st.markdown("##### Alerts")
    st.segmented_control(
        "Which", tuple(_OPEN), required=True, width="content", label_visibility="collapsed", **bound(view, "which")
    )
    found = _found(context.url, view)
    if found:
        _table(context, view, found)
    else:
        _none(context.url, view)
    alert_details.show(context, view)


def counted_open(url: str) -> int:
    """How many alerts are open and not muted."""
    now = datetime.now(UTC)
    return sum(not one.is_muted(now) for one in alerting.groups(url, GroupFilters()))


def _found(url: str, view: InboxView) -> Sequence[Group]:
    is_open = _OPEN.get(view.which, True)
    filters = GroupFilters(is_open=is_open, triage=view.triage, owner=view.owner)
    return [
        one
        for one in alerting.groups(url, filters)
        if (not view.host or set(one.hosts) & set(view.host))
        and (not view.benchmark or set(one.benchmarks) & set(view.benchmark))
    ]


def _none(url: str, view: InboxView) -> None:
    is_narrow = bool(view.host or view.benchmark or view.triage or view.owner or view.which != "open")
    if is_narrow:
        st.info("No alert passes these filters.")
    elif judged := alerting.judged(url):
        st.info(f"No alert is open. What came in so far was judged ({judged} time series) and needs nobody.")
    else:
        st.info("No alert is open. New data is judged by this command, after uploads or from a timer:")
        verbatim("kvmperf detect")


def _table(context: Context, view: InboxView, found: Sequence[Group]) -> None:
    now = datetime.now(UTC)
    names = [str(one.id) for one in found]
    tables.show(
        {
            "alert": [f"{'▶ ' if str(one.id) == view.alert else ''}{one.id}" for one in found],
            "state": [_state(one, now) for one in found],
            "what": [shortened(title(one), 120) for one in found],
            "change": [_change(one) for one in found],
            "history": _sparklines(context, found),
            "series": [str(len(one.members) or "") for one in found],
            "hosts": [shortened(", ".join(one.hosts), 80) for one in found],
            "between": [_range(one) for one in found],
            "owner": [shortened(one.owner, 60) for one in found],
            "since": [one.announced_at or one.opened_at for one in found],
            "why": [shortened(why(one, now), 300) for one in found],
        },
        {"history": st.column_config.LineChartColumn("history", width="small")},
        selection_mode="single-row",
        key=chosen_row(_KEY, names.index(view.alert) if view.alert in names else None),
        on_select=on_row(view, _KEY, names, "alert"),
    )
    st.caption("Select one to see why it was flagged, what it consists of, and to say something about it.")
    if len(found) == alerting.MOST:
        st.caption(f"The newest {alerting.MOST}; kvmperf alerts list shows all.")


def _state(one: Group, now: datetime) -> str:
    told = [one.triage] + ([f"closed: {one.closed_because}"] if not one.is_open else [])
    return ", ".join(told + (["muted"] if one.is_muted(now) else []))


def _change(one: Group) -> str:
    first = (one.live or one.members)[:1]
    return f"{percent(first[0].effect)} {bounds((first[0].low, first[0].high))}" if first else ""


def _range(one: Group) -> str:
    if one.base is None or one.head is None:
        return ""
    return f"{shortened(one.base.name, 40)} → {shortened(one.head.name, 40)}"


def _sparklines(context: Context, found: Sequence[Group]) -> list[list[float] | None]:
    """The last levels of the time series that names each alert."""
    first = [(one.live or one.members)[0].series.id if one.members else 0 for one in found]
    wanted = tuple(sorted({one for one in first if one}))
    lines = loaders.lines(*context.source, wanted) if wanted else ()
    levels = {line.series.id: [point.level.value for point in line.points][-_POINTS:] for line in lines}
    return [levels.get(one) for one in first]
