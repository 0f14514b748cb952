"""What a page shows, as one frozen value that lives in the URL. The only place that touches query and session state.

The URL is the truth: each run reads it, sets the widgets by it, and a widget's change writes it. A link copied from
the address bar therefore restores the whole view in a fresh browser, and the browser's back button works.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar
from urllib.parse import urlencode

import streamlit as st

_LONGEST = 4096  # characters of one value in a URL; what is longer was not written by us

Value = str | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompareView:
    """The Compare page. `show` and `sort` are words of the pickers, `row` names the row whose details are open."""

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
class TrendsView:
    """The Trends page. `case` holds parameter texts, `start` and `end` revisions, `relative` the one that is 1."""

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


View = TypeVar("View", CompareView, TrendsView)


def decode(kind: type[View], query: Mapping[str, Sequence[str]]) -> View:
    """The view that a query string means. Unknown keys are left alone; what is absent has its default."""
    default = kind()
    given: dict[str, Any] = {}  # Any: each field has a type of its own
    for field in fields(kind):
        texts = [text for text in query.get(field.name, ()) if len(text) <= _LONGEST]
        if texts:
            given[field.name] = _parsed(texts, getattr(default, field.name))
    return replace(default, **given)


def encode(view: CompareView | TrendsView) -> dict[str, list[str]]:
    """The query string of a view: only what differs from the defaults, lists as repeated keys."""
    default = type(view)()
    return {
        field.name: _texts(getattr(view, field.name))
        for field in fields(view)
        if getattr(view, field.name) != getattr(default, field.name)
    }


def current(kind: type[View]) -> View:
    """The view that the URL asks for; on coming back to a page, the one that was left there."""
    page, remembered = kind.__name__, f"view of {kind.__name__}"
    query = {name: st.query_params.get_all(name) for name in st.query_params}
    view = decode(kind, query)
    is_arrival = st.session_state.get("page") != page
    if is_arrival and view == kind() and remembered in st.session_state:
        view = decode(kind, st.session_state[remembered])
        write(view)
    st.session_state["page"] = page
    st.session_state[remembered] = encode(view)
    return view


def write(view: CompareView | TrendsView) -> None:
    """Make the URL say this view. Keys that are not ours (`embed`) stay."""
    ours = {field.name for field in fields(view)}
    rest = {name: st.query_params.get_all(name) for name in st.query_params if name not in ours}
    st.query_params.from_dict({**rest, **encode(view)})


def address(view: CompareView | TrendsView) -> str:
    """The link that restores this view in any browser."""
    query = urlencode(encode(view), doseq=True)
    here = (st.context.url or "").split("?", 1)[0]
    return f"{here}?{query}" if query else here


def bound(view: CompareView | TrendsView, name: str, clears: Sequence[str] = ()) -> dict[str, Any]:
    """Keyword arguments that tie a widget to a field of the view: its value now, and the URL on its change.

    `clears` names fields that mean nothing any more once this one has changed.
    """
    key = f"{type(view).__name__}.{name}"
    value = getattr(view, name)
    st.session_state[key] = list(value) if isinstance(value, tuple) else value
    return {"key": key, "on_change": _changed, "args": (view, name, tuple(clears))}


def optional(view: CompareView | TrendsView, name: str, clears: Sequence[str] = ()) -> dict[str, Any]:
    """The same for a widget whose empty value is None."""
    found = bound(view, name, clears)
    st.session_state[found["key"]] = getattr(view, name) or None
    return found


def to_set(view: CompareView | TrendsView, **changes: Any) -> dict[str, Any]:  # Any: each field has a type of its own
    """Keyword arguments of a button that changes these fields of the view."""
    return {"on_click": write, "args": (replace(view, **changes),)}


def chosen_row(key: str, position: int | None) -> str:
    """The key of a table whose selection is this row."""
    st.session_state[key] = {"selection": {"rows": [] if position is None else [position], "columns": [], "cells": []}}
    return key


def on_row(view: CompareView, key: str, names: Sequence[str]) -> Any:  # Any: the callback type of the table
    """The callback of a table whose rows have these names: the chosen one goes into the view."""

    def chosen() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        write(replace(view, row=names[rows[0]] if rows else ""))

    return chosen


def _changed(view: CompareView | TrendsView, name: str, clears: tuple[str, ...]) -> None:
    value = st.session_state[f"{type(view).__name__}.{name}"]
    settled = tuple(value) if isinstance(value, list | tuple) else "" if value is None else value
    default = type(view)()
    changes: dict[str, Any] = {name: settled, **{other: getattr(default, other) for other in clears}}
    write(replace(view, **changes))


def _parsed(texts: Sequence[str], default: Value) -> Value:
    if isinstance(default, tuple):
        return tuple(dict.fromkeys(texts))
    return texts[-1] in ("1", "true", "yes") if isinstance(default, bool) else texts[-1]


def _texts(value: Value) -> list[str]:
    if isinstance(value, bool):
        return ["1" if value else "0"]
    return [value] if isinstance(value, str) else list(value)
