"""The first thing to read of a comparison: counts, range, mean, and how much of it was judged."""

import streamlit as st

from dashboard.parts.plain import shortened
from dashboard.parts.verdicts import badges
from report.comparison import Report
from report.text import judged, notes

_NOTES = 20


def summary(report: Report) -> None:
    """Badges per head, then sentences."""
    for head in report.heads:
        row = st.container(horizontal=True, vertical_alignment="center", gap="small")
        row.text(f"{shortened(head.name, 60)} against {shortened(report.base.name, 60)}:")
        badges(report, head.name, row)
        row.text(_range(report, head.name))
    st.text(judged(report))
    said = notes(report)
    if said:
        with st.expander(
            f"{len(said)} {'note' if len(said) == 1 else 'notes'} on these numbers", icon=":material/info:"
        ):
            st.text("\n".join(shortened(note, 400) for note in said[:_NOTES]))
            if len(said) > _NOTES:
                st.caption(f"and {len(said) - _NOTES} more in the exports")


def _range(report: Report, head: str) -> str:
    effects = [row.result.effect for row in report.rows if row.head == head and row.result.effect is not None]
    if not effects:
        return "No row has a change to show."
    told = f"Changes from {100 * min(effects):+.1f}% to {100 * max(effects):+.1f}%."
    ratio = report.geomeans.get(head)
    return (
        told if ratio is None else f"{told} Geometric mean of the times measured on both sides: x{ratio:.3f} of base."
    )
