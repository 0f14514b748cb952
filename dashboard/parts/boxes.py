"""Boxes that say what is wrong or missing, and what to do about it."""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd
import streamlit as st

from dashboard.parts.plain import markdown_text, shortened
from dashboard.parts.verbatim import verbatim
from db.errors import UserError
from db.values import RunCount
from report.text import case_line

_SERIES = "kvmperf series add cover-and-patches.mbox\nkvmperf upload PATH --series NAME --version N --patch K/M"
_START = "kvmperf demo\nkvmperf upload PATH --label NAME"


def problem(error: UserError) -> None:
    """An error in plain words with its hint."""
    hint = f"\n\nWhat to do: {markdown_text(error.hint, 600)}" if error.hint else ""
    st.error(markdown_text(str(error), 600) + hint)


def broken(reference: str) -> None:
    """A page that failed: one line, and where the rest is told."""
    st.error(
        f"This page failed; the other pages may work. The server's log says why: look for reference {reference}.",
        icon=":material/report:",
    )


def nothing_stored() -> None:
    """What to do with a database without measurements."""
    st.info("Nothing is stored yet. Fill this database with real example outputs, or with your own:")
    verbatim(_START)


def no_series(is_filled: bool) -> None:
    """What to do without a patch series."""
    if not is_filled:
        nothing_stored()
        return
    st.info("No patch series is known yet. Register what was posted, then upload what was measured patch by patch:")
    verbatim(_SERIES)


def nothing_here(what: str, todo: str) -> None:
    """An empty part of a page: what is missing, what to do. Both are our own words."""
    st.info(f"{what} {todo}")


def unfinished(counts: Sequence[RunCount], names: Mapping[int, str], revisions: Collection[str]) -> None:
    """The runs of these revisions that did not pass: they contribute no measurement."""
    failed = [one for one in counts if one.status != "pass" and names[one.revision_id] in revisions]
    if failed:
        st.text("Runs of these revisions that did not pass:")
        st.dataframe(
            pd.DataFrame(
                {
                    "revision": [shortened(names[one.revision_id], 60) for one in failed],
                    "ended": [one.status for one in failed],
                    "runs": [one.runs for one in failed],
                    "test case": [shortened(case_line(one.benchmark, sorted(one.params.items()))) for one in failed],
                    "host": [shortened(one.host, 60) for one in failed],
                }
            ),
            hide_index=True,
        )
