"""The widgets that choose revisions and narrow a comparison, tied to the view."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard import loaders
from dashboard.parts import folded, wording
from dashboard.parts.plain import shortened
from dashboard.state import CompareView, bound, optional
from db.errors import UserError
from db.queries import Filters
from db.values import RevisionRow
from report.names import resolve
from report.selection import first_pair
from report.text import described

HEADS = 5
FILTERS = ("benchmark", "metric", "host", "boot")


def settled(view: CompareView, source: tuple[str, str]) -> tuple[CompareView, list[UserError]]:
    """The view with names as the pickers spell them and defaults filled in, and what is wrong with the names."""
    known, names = loaders.revisions(*source), loaders.names(*source)
    if not view.base and not view.head:
        return replace(view, **_first(known, names, source)), []
    errors: list[UserError] = []
    found = [_spelled(name, known, names, errors) for name in (view.base, *view.head[:HEADS])]
    return replace(view, base=found[0], head=tuple(dict.fromkeys(filter(None, found[1:])))), errors


def revisions(view: CompareView, source: tuple[str, str]) -> None:
    """Base and heads, each described in full underneath."""
    names = loaders.names(*source)
    newest_first = list(reversed(list(names.values())))
    chosen = {view.base, *view.head}
    told = {names[r.id]: _in_full(r) for r in loaders.revisions(*source) if names[r.id] in chosen}
    left, right = st.columns(2)
    left.selectbox("Base", newest_first, placeholder="Choose a revision", **_named(), **optional(view, "base", ["row"]))
    right.multiselect(
        "Heads (1 to 5)",
        [name for name in newest_first if name != view.base],
        max_selections=HEADS,
        placeholder="Choose revisions",
        **_named(),
        **bound(view, "head", ["row"]),
    )
    left.text(told.get(view.base, ""))
    for name in view.head:
        right.text(told.get(name, ""))


def filters(view: CompareView, source: tuple[str, str]) -> None:
    """Four globs, each with what is stored to pick from."""
    folded.filters([name for name in FILTERS if getattr(view, name)], lambda: _globs(view, source))


def _globs(view: CompareView, source: tuple[str, str]) -> None:
    stored = {**loaders.stored_names(*source), "boot": tuple(boot.boot_id for boot in loaders.boots(*source))}
    for column, name in zip(st.columns(len(FILTERS)), FILTERS, strict=True):
        value, known = getattr(view, name), stored[name]
        column.selectbox(
            name.capitalize(),
            [value, *known] if value and value not in known else known,
            accept_new_options=True,
            placeholder="all, or a glob",
            help="Pick one, or type a shell glob: dirty_*",
            **_named(),
            **optional(view, name, ["row"]),
        )


def wanted(view: CompareView) -> Filters:
    """The filters of the view as the database takes them."""
    return Filters(benchmark=view.benchmark, metric=view.metric, host=view.host, boot=view.boot)


def _named() -> dict[str, Any]:  # Any: keyword arguments of widgets
    return {"format_func": shortened}


def _in_full(revision: RevisionRow) -> str:
    return f"{shortened(described(revision), 200)}, {wording.dated(revision)}"


def _first(known: Sequence[RevisionRow], names: Mapping[int, str], source: tuple[str, str]) -> dict[str, Any]:
    pair = first_pair(known, loaders.run_counts(*source))
    if not pair:
        pair = (known[-2].id, known[-1].id) if len(known) > 1 else ()
    return {"base": names[pair[0]], "head": (names[pair[1]],)} if pair else {}


def _spelled(name: str, known: Sequence[RevisionRow], names: Mapping[int, str], errors: list[UserError]) -> str:
    if not name:
        return ""
    exact = [spelling for spelling in names.values() if spelling == name]
    if exact:
        return name
    try:
        return names[resolve(name, known).id]
    except UserError as error:
        errors.append(error)
        return ""
