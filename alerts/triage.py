"""What people say about alerts: one function that the command line, the HTTP interface and the pages all call.

Every act is written down with who did it, when, and what stood there before; `undo` puts that back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from db import alert_queries, alert_writes
from db.alert_queries import Event, Group
from db.errors import UserError
from db.words import Triage


class Action(StrEnum):
    """What can be said about an alert."""

    ACKNOWLEDGE = "acknowledge"
    EXPECT = "expect"  # it is real, wanted, and no reason to do anything
    FIX = "fix"
    INVALIDATE = "invalidate"  # it is no change of the code
    REOPEN = "reopen"
    ASSIGN = "assign"
    NOTE = "note"
    LINK = "link"
    MUTE = "mute"
    UNMUTE = "unmute"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Said:
    """The words of an act: the owner's name, the note, the link, or the reason; and until when to be silent."""

    text: str = ""
    until: datetime | None = None


_STATES = {
    Action.ACKNOWLEDGE: Triage.ACKNOWLEDGED,
    Action.EXPECT: Triage.EXPECTED,
    Action.FIX: Triage.FIXED,
    Action.INVALIDATE: Triage.INVALID,
    Action.REOPEN: Triage.REOPENED,
}
_COLUMNS = {Action.ASSIGN: "owner", Action.NOTE: "note", Action.LINK: "link"}
_CLOSING = (Triage.EXPECTED, Triage.FIXED, Triage.INVALID)
BY_HAND = "triage"  # closed_because of a group that someone closed


def triage(
    connection: Connection, group_id: int, action: Action, who: str, said: Said = Said(), *, at: datetime | None = None
) -> Group:
    """Do one act to a group; the group as it is then. Raises UserError where the act makes no sense."""
    now = at or datetime.now(UTC)
    group = find(connection, group_id)
    columns, detail = _undone(connection, group) if action is Action.UNDO else _changed(group, action, said, now)
    detail = {**detail, "before": {name: _plain(getattr(group, name)) for name in columns}}
    alert_writes.change_group(connection, group_id, columns)
    alert_writes.add_event(connection, group_id, now, (who, action.value), detail)
    return find(connection, group_id)


def find(connection: Connection, group_id: int) -> Group:
    """The group with this id; raises UserError where there is none."""
    found = alert_queries.group(connection, group_id)
    if not found:
        raise UserError(f"alert {group_id}: no such alert", "kvmperf alerts list --all")
    return found[0]


def possible(group: Group, now: datetime) -> tuple[Action, ...]:
    """The acts that make sense for a group, for menus; notes and links always do."""
    states = tuple(action for action, state in _STATES.items() if not _refusal(group, action, state))
    mute = (Action.UNMUTE,) if group.is_muted(now) else (Action.MUTE,) if group.is_open else ()
    return (*states, Action.ASSIGN, Action.NOTE, Action.LINK, *mute)


def _changed(
    group: Group, action: Action, said: Said, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:  # Any: column values
    """The columns to change and what the history says about it."""
    if action in _STATES:
        return _moved(group, action, said, now)
    if action in _COLUMNS:
        return _worded(action, said)
    if action is Action.UNMUTE:
        return {"muted_until": None, "mute_reason": ""}, {}
    if said.until is None or said.until <= now:
        raise UserError("mute until when? a date in the future", "kvmperf alerts mute 7 --until 2w --reason '...'")
    if not said.text.strip():
        raise UserError("why is it muted? whoever finds it silent will ask", "--reason 'host is being moved'")
    columns = {"muted_until": said.until, "mute_reason": said.text.strip()}
    return columns, {"until": said.until.isoformat(), "text": said.text.strip()}


def _moved(group: Group, action: Action, said: Said, now: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    state = _STATES[action]
    refusal = _refusal(group, action, state)
    if refusal:
        raise UserError(f"alert {group.id}: {refusal}", f"kvmperf alerts show {group.id} prints its history")
    columns: dict[str, Any] = {"triage": state.value}
    if state in _CLOSING:
        columns |= {"closed_at": now, "closed_because": BY_HAND}
    elif action is Action.REOPEN:
        columns |= {"closed_at": None, "closed_because": ""}
    if said.text.strip():
        columns["note"] = said.text.strip()
    return columns, {"text": said.text.strip()} if said.text.strip() else {}


def _refusal(group: Group, action: Action, state: Triage) -> str:
    """Why an act makes no sense now; empty where it does."""
    if group.triage == state.value and (state in _CLOSING or action is Action.ACKNOWLEDGE):
        return f"it is {state.value} already"
    if action is Action.REOPEN and group.is_open:
        return "it is open"
    if action is Action.ACKNOWLEDGE and not group.is_open:
        return "it is closed; reopen it first"
    return ""


def _worded(action: Action, said: Said) -> tuple[dict[str, Any], dict[str, Any]]:
    text = said.text.strip()
    if action is Action.LINK and text and not text.startswith(("https://", "http://")):
        raise UserError(f"{text!r} is no link", "it begins with https://")
    if action is Action.ASSIGN and (len(text) > 200 or "\n" in text):
        raise UserError("an owner is one name, in one line of at most 200 characters")
    return {_COLUMNS[action]: text}, {"text": text}


def _undone(connection: Connection, group: Group) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stood there before the last act of a person that is not undone yet."""
    event = last_act(alert_queries.events(connection, group.id))
    if event is None:
        raise UserError(f"alert {group.id}: nothing to undo", f"kvmperf alerts show {group.id} prints its history")
    before: Mapping[str, Any] = event.detail["before"]
    columns = {name: datetime.fromisoformat(v) if name.endswith(_TIMES) and v else v for name, v in before.items()}
    return columns, {"event": event.id, "text": event.action}


_TIMES = ("_at", "_until")


def last_act(events: Sequence[Event]) -> Event | None:
    """The newest act of a person that is not undone; None without one."""
    undone = {event.detail.get("event") for event in events if event.action == Action.UNDO}
    acts = [one for one in events if one.action in _UNDOABLE and one.id not in undone and "before" in one.detail]
    return acts[-1] if acts else None


_UNDOABLE = tuple(action.value for action in Action if action is not Action.UNDO)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
