"""Verdicts for the eye: a mark, a word and a colour, never the colour alone; and the order and choice of rows."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from dashboard.parts.plain import markdown_text
from report.comparison import Report, Row
from report.text import MARKS

SHOWS = {
    "changes": ("regression", "improvement"),
    "regressions": ("regression",),
    "improvements": ("improvement",),
    "everything": (),
}
SORTS = ("significance", "size", "name")
_BADGES = {
    "regression": "orange",
    "improvement": "green",
    "equivalent": "blue",
    "inconclusive": "gray",
    "not comparable": "violet",
}
_RANK = {"regression": 0, "improvement": 1, "not comparable": 2, "inconclusive": 3, "equivalent": 4}


def shown(rows: Sequence[Row], show: str) -> list[Row]:
    """The rows that the picker lets through; an unknown word lets all through."""
    words = SHOWS.get(show, ())
    return [row for row in rows if not words or row.result.verdict.value in words]


def ordered(rows: Sequence[Row], sort: str) -> list[Row]:
    """Rows by significance (claims first, then by q), by size of the effect, or as the report has them."""
    if sort == "size":
        return sorted(rows, key=lambda row: -abs(row.result.effect or 0.0))
    if sort == "significance":
        return sorted(rows, key=lambda row: (_RANK[row.result.verdict.value], _q(row), -abs(row.result.effect or 0.0)))
    return list(rows)


def pair(row: Row) -> str:
    """What the two revisions of a row are called together."""
    return row.pair or row.head


def pairs(report: Report) -> dict[str, str]:
    """The pairs of a report in order, each with the name of its base."""
    return {one.name: one.base.name for one in report.pairs} or {head.name: report.base.name for head in report.heads}


def badges(rows: Sequence[Row], where: st.delta_generator.DeltaGenerator) -> None:
    """How many rows have which verdict."""
    counts = Counter(row.result.verdict for row in rows)
    for verdict, mark in MARKS.items():
        if count := counts[verdict]:
            word = (
                f"{verdict.value}s" if count > 1 and verdict.value in ("regression", "improvement") else verdict.value
            )
            where.badge(markdown_text(f"{mark} {count} {word}"), color=_BADGES[verdict.value])  # type: ignore[arg-type]


def word(row: Row) -> str:
    """The verdict of a row: mark and word."""
    return f"{MARKS[row.result.verdict]} {row.result.verdict.value}"


def _q(row: Row) -> float:
    return 1.0 if row.result.q is None else row.result.q
