"""What a page shows, as one frozen value that lives in the URL. The only place that touches query and session state.

The URL is the truth: each run reads it, sets the widgets by it, and a widget's change writes it. A link copied from
the address bar therefore restores the whole view in a fresh browser, and the browser's back button works.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

import streamlit as st

_LONGEST = 4096  # characters of one value in a URL; what is longer was not written by us

Value = str | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """What some page shows: texts, switches and lists of texts.

    `LIVE` names the fields that parts of the page change without running the page again: what the page was run with
    may be behind the URL.
    """

    LIVE: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class CompareView(View):
    """The Compare page. `show` and `sort` are words of the pickers, `row` names the row whose details are open."""

    LIVE = ("show", "sort", "row")
    base: str = ""
    head: tuple[str, ...] = ()
    benchmark: str = ""
    metric: str = ""
    host: str = ""
    boot: str = ""
    vary: tuple[str, ...] = ()
    show: str = "changes"
    sort: str = "significance"
    row: str = ""


@dataclass(frozen=True, slots=True)
class TrendsView(View):
    """The Trends page. `case` holds parameter texts, `start` and `end` revisions, `relative` the one that is 1.

    `zoom` (`xaxis:0.5:4.2`) and `hide` (ids of time series) are written by the figure itself in the browser.
    """

    LIVE = ("zoom", "hide")
    benchmark: str = ""
    case: tuple[str, ...] = ()
    metric: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    boot: str = ""
    revision: str = ""
    start: str = ""
    end: str = ""
    relative: str = ""
    log: bool = False
    raw: bool = False
    zoom: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InboxView(View):
    """The Inbox. `alert` is the one whose details are open; `which` (open, closed, all) narrows the list."""

    host: tuple[str, ...] = ()
    benchmark: tuple[str, ...] = ()
    which: str = "open"
    triage: tuple[str, ...] = ()
    owner: str = ""
    alert: str = ""


@dataclass(frozen=True, slots=True)
class SeriesView(View):
    """The Patch series page. `row` is the time series whose waterfall is open."""

    LIVE = ("host", "metric", "everything", "row")

    series: str = ""
    version: str = ""
    host: str = ""
    metric: str = ""
    vary: tuple[str, ...] = ()
    everything: bool = False
    row: str = ""


@dataclass(frozen=True, slots=True)
class RunView(View):
    """The Run page. `metric` is the one whose lines are pointed at; `status` narrows the list of runs."""

    run: str = ""
    metric: str = ""
    whole: bool = False
    status: str = "any"


@dataclass(frozen=True, slots=True)
class HostsView(View):
    """The Hosts page. `notes`: also changes of state that are only mentioned; `benchmark`: whose noise is told."""

    LIVE = ("benchmark",)
    host: str = ""
    notes: bool = False
    benchmark: str = ""


@dataclass(frozen=True, slots=True)
class OperationView(View):
    """The Operation page. `capture` is the one in quarantine whose text is shown."""

    capture: str = ""


Some = TypeVar("Some", bound=View)


def decode(kind: type[Some], query: Mapping[str, Sequence[str]]) -> Some:
    """The view that a query string means. Unknown keys are left alone; what is absent has its default."""
    default = kind()
    given: dict[str, Any] = {}  # Any: each field has a type of its own
    for field in fields(kind):
        texts = [text for text in query.get(field.name, ()) if len(text) <= _LONGEST]
        if texts:
            given[field.name] = _parsed(texts, getattr(default, field.name))
    return replace(default, **given)


def encode(view: View) -> dict[str, list[str]]:
    """The query string of a view: only what differs from the defaults, lists as repeated keys."""
    default = type(view)()
    return {
        field.name: _texts(getattr(view, field.name))
        for field in fields(view)
        if getattr(view, field.name) != getattr(default, field.name)
    }


def current(kind: type[Some]) -> Some:
    """The view that the URL asks for; on coming back to a page, the one that was left there.

    When a page is left by `leave_for`, the browser keeps one step with this page's address and the other one's query:
    the back button comes by there, and shall find what was left.
    """
    page, remembered = kind.__name__, f"view of {kind.__name__}"
    query = {name: st.query_params.get_all(name) for name in st.query_params}
    view = decode(kind, query)
    is_arrival = st.session_state.get("page") != page
    if remembered in st.session_state and _is_of_another_page(query, kind):
        view = decode(kind, st.session_state[remembered])
    elif is_arrival and view == kind() and remembered in st.session_state:
        view = decode(kind, st.session_state[remembered])
        write(view)
    st.session_state["page"] = page
    st.session_state[remembered] = encode(view)
    return view


def write(view: View) -> None:
    """Make the URL say this view. Keys that are not ours (`embed`) stay."""
    ours = {field.name for field in fields(view)}
    rest = {name: st.query_params.get_all(name) for name in st.query_params if name not in ours}
    st.query_params.from_dict({**rest, **encode(view)})


def address(view: View) -> str:
    """The link that restores this view in any browser."""
    query = urlencode(encode(view), doseq=True)
    here = (st.context.url or "").split("?", 1)[0]
    return f"{here}?{query}" if query else here


def with_url(view: Some) -> Some:
    """The view with its live fields as the URL has them by now."""
    now = decode(type(view), {name: st.query_params.get_all(name) for name in st.query_params})
    live: dict[str, Any] = {name: getattr(now, name) for name in view.LIVE}
    return replace(view, **live)


def bound(view: View, name: str, clears: Sequence[str] = ()) -> dict[str, Any]:
    """Keyword arguments that tie a widget to a field of the view: its value now, and the URL on its change.

    `clears` names fields that mean nothing any more once this one has changed.
    """
    key = f"{type(view).__name__}.{name}"
    value = getattr(view, name)
    st.session_state[key] = list(value) if isinstance(value, tuple) else value
    return {"key": key, "on_change": _changed, "args": (view, name, tuple(clears))}


def optional(view: View, name: str, clears: Sequence[str] = ()) -> dict[str, Any]:
    """The same for a widget whose empty value is None."""
    found = bound(view, name, clears)
    st.session_state[found["key"]] = getattr(view, name) or None
    return found


def to_set(view: View, **changes: Any) -> dict[str, Any]:  # Any: each field has a type of its own
    """Keyword arguments of a button that changes these fields of the view."""
    return {"on_click": _set, "args": (view, changes)}


def chosen_row(key: str, position: int | None) -> str:
    """The key of a table whose selection is this row."""
    st.session_state[key] = {"selection": {"rows": [] if position is None else [position], "columns": [], "cells": []}}
    return key


def on_row(
    view: View, key: str, names: Sequence[str], field: str = "row", *, keeps: bool = False
) -> Any:  # Any: callbacks
    """The callback of a table whose rows have these names: the chosen one goes into this field of the view.

    Letting go of a row empties the field, unless the table `keeps` it.
    """

    def chosen() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows or not keeps:
            changes: dict[str, Any] = {field: names[rows[0]] if rows else ""}
            write(replace(with_url(view), **changes))

    return chosen


def introduce(local: str) -> None:
    """Remember who works on this machine; `dashboard.parts.user` decides whether that counts."""
    st.session_state["local user"] = local


def local_name() -> str:
    """The local user's name; empty without one."""
    found: str = st.session_state.get("local user", "")
    return found


def leave_for(page: str, view: View) -> None:
    """From a callback: the next run opens that page with this view, before anything of the present one is made."""
    st.session_state["leaving for"] = (page, encode(view))


def go_if_leaving() -> None:
    """At the beginning of a fragment: a callback in it may want another page, which only a whole run can open."""
    if "leaving for" in st.session_state:
        st.rerun()


def leaving() -> tuple[str, dict[str, list[str]]] | tuple[()]:
    """The page to open instead of this one and its query, or nothing; asked once."""
    found: tuple[str, dict[str, list[str]]] | tuple[()] = st.session_state.pop("leaving for", ())
    return found


def on_point(key: str, go: Callable[[Mapping[str, Any]], None]) -> Any:  # Any: the figure's callback type
    """The callback of a figure that hands on the point that was clicked."""

    def clicked() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            go(points[0])

    return clicked


def on_pick(key: str, go: Callable[[int], None]) -> Any:  # Any: the table's callback type
    """The callback of a table that hands on the row that was chosen."""

    def clicked() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows:
            go(rows[0])

    return clicked


def _is_of_another_page(query: Iterable[str], kind: type[View]) -> bool:
    """Whether a query string says what only other pages say."""
    ours = {field.name for field in fields(kind)}
    others = {field.name for other in View.__subclasses__() for field in fields(other)}
    return any(name in others - ours for name in query)


def _set(view: View, changes: Mapping[str, Any]) -> None:
    write(replace(with_url(view), **changes))


def _changed(view: View, name: str, clears: tuple[str, ...]) -> None:
    value = st.session_state[f"{type(view).__name__}.{name}"]
    settled = tuple(value) if isinstance(value, list | tuple) else "" if value is None else value
    default = type(view)()
    changes: dict[str, Any] = {name: settled, **{other: getattr(default, other) for other in clears}}
    _set(view, changes)


def _parsed(texts: Sequence[str], default: Value) -> Value:
    if isinstance(default, tuple):
        return tuple(dict.fromkeys(texts))
    return texts[-1] in ("1", "true", "yes") if isinstance(default, bool) else texts[-1]


def _texts(value: Value) -> list[str]:
    if isinstance(value, bool):
        return ["1" if value else "0"]
    return [value] if isinstance(value, str) else list(value)
