"""The banner that says whether the two sides were measured on hosts that may be compared."""

import pandas as pd
import streamlit as st

from dashboard.parts.plain import markdown_text, shortened
from dashboard.parts.wording import SEVERITIES
from dashboard.state import CompareView, bound, to_set
from db.hoststate import Difference, Severity
from report.comparison import Report


def banner(report: Report, view: CompareView) -> None:
    """Which fields of the host state differ, how much that matters, and a way to say that it is meant."""
    grave = [one for one in report.differences if one.severity is not Severity.NOTE]
    rows = sum(bool(row.comparability.why) for row in report.rows)
    if grave:
        fields = ", ".join(one.field for one in grave[:4]) + (f" and {len(grave) - 4} more" if len(grave) > 4 else "")
        st.warning(
            f"**The hosts differ** in {markdown_text(fields)}: {rows} of {len(report.rows)} rows are not judged.",
            icon=":material/compare_arrows:",
        )
        _claim([one.field for one in grave if one.severity is Severity.DOWNGRADE], view)
    elif not any(report.hosts.values()):
        st.info("Nothing is known of the hosts' state: these results were uploaded without host facts.")
    _fields(report.differences, view)


def _claim(fields: list[str], view: CompareView) -> None:
    """One click for what is set differently on purpose; another machine is never waved through by one click."""
    if fields:
        named = ", ".join(fields[:3]) + (f" and {len(fields) - 3} more" if len(fields) > 3 else "")
        st.button(
            f"This is what I compare: {markdown_text(named)}",
            help="These fields no longer count against comparability.",
            **to_set(view, vary=tuple(dict.fromkeys((*view.vary, *fields)))),
        )


def _fields(differences: tuple[Difference, ...], view: CompareView) -> None:
    if not differences and not view.vary:
        return
    told = [f"{len(differences)} {'field' if len(differences) == 1 else 'fields'} of the host state differ"]
    told = (told if differences else []) + ([f"under comparison: {', '.join(view.vary)}"] if view.vary else [])
    title = "; ".join(told)
    with st.expander(markdown_text(title[:1].upper() + title[1:]), icon=":material/dns:"):
        options = list(dict.fromkeys((*view.vary, *(one.field for one in differences))))
        st.multiselect(
            "Fields that are themselves under comparison",
            options,
            format_func=shortened,
            help="The command line says --vary FIELD.",
            **bound(view, "vary"),
        )
        if differences:
            st.dataframe(_frame(differences), hide_index=True)


def _frame(differences: tuple[Difference, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "field": [shortened(one.field) for one in differences],
            "base": [shortened(one.left) or "(unknown)" for one in differences],
            "head": [shortened(one.right) or "(unknown)" for one in differences],
            "a difference": [SEVERITIES[one.severity] for one in differences],
        }
    )
