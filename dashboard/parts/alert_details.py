"""One alert: why it was flagged, what it consists of, who said what, and what can be said now."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from alerts.notices.telling import details, title
from alerts.triage import Action, Said, last_act, possible
from alerts.why import why
from dashboard import alerting
from dashboard.page import Context
from dashboard.parts import alert_figure, boxes, tables, user, wording
from dashboard.parts.plain import shortened
from dashboard.state import CompareView, InboxView, TrendsView, leave_for, to_set
from db.alert_queries import Event, Group, Member
from db.errors import UserError
from report.scales import axis_scale, with_unit
from report.words import bounds, percent

_BUTTONS = {
    Action.ACKNOWLEDGE: "Acknowledge",
    Action.EXPECT: "Expected",
    Action.FIX: "Fixed",
    Action.INVALIDATE: "Invalid",
    Action.REOPEN: "Reopen",
    Action.NOTE: "Only a note",
}
_HELP = {
    Action.ACKNOWLEDGE: "Somebody looks at it.",
    Action.EXPECT: "It is real and wanted; closes it.",
    Action.FIX: "It is mended; closes it.",
    Action.INVALIDATE: "It is no change of the code; closes it.",
}
_SHOWN = 100  # time series of one alert
_LONGEST = 4000  # characters of a note


def show(context: Context, view: InboxView) -> None:
    """The alert that the view names; nothing where it names none."""
    if not view.alert:
        return
    found = alerting.group(context.url, view.alert)
    box = st.container(border=True)
    with box:
        if not found:
            st.text(f"There is no alert {shortened(view.alert, 20)}.")
            return
        group, events = found
        _what(group, view)
        alert_figure.draw(context, group)
        _members(group)
        _triage(context, group, events)
        _history(events)


def _what(group: Group, view: InboxView) -> None:
    now = datetime.now(UTC)
    row = st.container(horizontal=True, vertical_alignment="center")
    row.badge(group.triage, color="blue" if group.triage == "new" else "gray")
    row.badge("open" if group.is_open else f"closed: {group.closed_because}", color="red" if group.is_open else "green")
    if group.is_muted(now) and group.muted_until is not None:
        row.badge(f"muted until {group.muted_until:%Y-%m-%d}", color="violet")
    row.button("Close details", icon=":material/close:", **to_set(view, alert=""))
    st.text(f"{group.id}: {shortened(title(group))}")
    st.text(why(group, now))
    told = [
        ("owner", group.owner),
        ("note", group.note),
        ("link", group.link),
        ("muted because", group.mute_reason if group.is_muted(now) else ""),
        ("takes back", f"alert {group.reverts_id}" if group.reverts_id else ""),
        ("taken back by", ", ".join(f"alert {one}" for one in group.reverted_by)),
        *(("", line) for line in details(group)),
    ]
    if lines := [f"{name}: {shortened(text)}" if name else shortened(text) for name, text in told if text]:
        st.text("\n".join(lines))
    _ways(group)


def _ways(group: Group) -> None:
    """Buttons to the comparison of both revisions and to the history of what moved."""
    if group.base is None or group.head is None or not group.members:
        return
    first = (group.live or group.members)[0].series
    base, head = group.base.name, group.head.name
    compare = CompareView(base=base, head=(head,), benchmark=first.benchmark)
    trends = TrendsView(benchmark=first.benchmark, case=(wording.parameters(first),), metric=(first.metric,))
    row = st.container(horizontal=True)
    row.button(
        "Compare both revisions", icon=":material/compare_arrows:", on_click=leave_for, args=("compare", compare)
    )
    row.button("Show the history", icon=":material/show_chart:", on_click=leave_for, args=("trends", trends))


def _members(group: Group) -> None:
    if not group.members:
        return
    shown: Sequence[Member] = group.members[:_SHOWN]
    tables.show(
        {
            "": ["worse" if one.worse else "better" for one in shown],
            "metric": [shortened(one.series.metric, 120) for one in shown],
            "change": [f"{percent(one.effect)} {bounds((one.low, one.high))}" for one in shown],
            "before": [_level(one, one.before) for one in shown],
            "after": [_level(one, one.after) for one in shown],
            "direction": [wording.direction(one.series.better) for one in shown],
            "host": [shortened(one.series.host, 60) for one in shown],
            "test case": [shortened(wording.case(one.series), 160) for one in shown],
            "n": [f"{wording.counted(one.points, 'revision')}, {wording.counted(one.boots, 'boot')}" for one in shown],
            "data": ["recovered" if one.recovered else one.evidence for one in shown],
        }
    )
    if len(group.members) > _SHOWN:
        st.caption(f"The first {_SHOWN} of {len(group.members)} time series.")


def _level(one: Member, value: float) -> str:
    return with_unit(value, *axis_scale((one.before, one.after), one.series.unit))


def _triage(context: Context, group: Group, events: Sequence[Event]) -> None:
    """Forms for somebody who is known; a line that says why there are none for anybody else."""
    who = user.who()
    if who is None:
        st.caption(
            "Read only. Whoever logs in may say something about an alert; on this machine: "
            "`kvmperf dashboard --local-user NAME`, or `kvmperf alerts`."
        )
        return
    can = possible(group, datetime.now(UTC))
    acts = [_states(group, can), _undo(group, events), _more(group, can)]
    for action, said in (one for one in acts if one):
        _do(context, group, (action, said), who)


Act = tuple[Action, Said] | tuple[()]


def _states(group: Group, can: Sequence[Action]) -> Act:
    with st.form(f"state of {group.id}", clear_on_submit=True, border=False):
        note = st.text_input("Note", max_chars=_LONGEST, placeholder="what you found, or why")
        row = st.container(horizontal=True)
        for action, label in _BUTTONS.items():
            if action in can and row.form_submit_button(label, help=_HELP.get(action)):
                return action, Said(note)
    return ()


def _undo(group: Group, events: Sequence[Event]) -> Act:
    last = last_act(events)
    if last is None:
        return ()
    label = f"Undo: {last.action} by {shortened(last.actor, 60)}"
    return (Action.UNDO, Said()) if st.button(label, icon=":material/undo:", key=f"undo {group.id}") else ()


def _more(group: Group, can: Sequence[Action]) -> Act:
    """Owner, link and mute, behind a button: they are rarer."""
    with st.popover("Owner, link, mute", icon=":material/more_horiz:"):
        with st.form(f"owner of {group.id}", border=False):
            owner = st.text_input("Owner", value=group.owner, max_chars=200)
            if st.form_submit_button("Assign"):
                return Action.ASSIGN, Said(owner)
        with st.form(f"link of {group.id}", border=False):
            link = st.text_input("Link to a thread", value=group.link, max_chars=1000, placeholder="https://")
            if st.form_submit_button("Keep the link"):
                return Action.LINK, Said(link)
        if Action.UNMUTE in can:
            return (Action.UNMUTE, Said()) if st.button("Unmute", key=f"unmute {group.id}") else ()
        return _mute(group) if Action.MUTE in can else ()


def _mute(group: Group) -> Act:
    with st.form(f"mute {group.id}", border=False):
        tomorrow = datetime.now(UTC).date() + timedelta(days=1)
        until = st.date_input("Mute until", value=tomorrow + timedelta(days=13), min_value=tomorrow)
        reason = st.text_input("Reason", max_chars=_LONGEST)
        if st.form_submit_button("Mute") and isinstance(until, date):
            return Action.MUTE, Said(reason, datetime.combine(until, time(), UTC))
    return ()


def _do(context: Context, group: Group, act: tuple[Action, Said], who: str) -> None:
    try:
        alerting.say(context.url, group.id, act[0], who, act[1])
    except UserError as error:
        boxes.problem(error)
    else:
        st.rerun()


def _history(events: Sequence[Event]) -> None:
    """The newest acts first, as text: it wraps on a phone, can be searched and copied."""
    st.caption("Who did what")
    shown = list(reversed(events))[:_SHOWN]
    told = [f"{one.at:%Y-%m-%d %H:%M} UTC  {shortened(one.actor, 80)}: {one.action}{_words(one)}" for one in shown]
    st.text("\n".join(told))
    if len(events) > _SHOWN:
        st.caption(f"The newest {_SHOWN} of {len(events)}.")


def _words(event: Event) -> str:
    until = str(event.detail.get("until", ""))[:10]
    text = str(event.detail.get("text") or event.detail.get("was") or "")
    said = " ".join(part for part in (f"until {until}" if until else "", text) if part)
    return f" ({shortened(said, 300)})" if said else ""
