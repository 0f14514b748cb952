"""The first thing to read of a comparison: counts, range, mean, and how much of it was judged."""

from collections.abc import Sequence

import streamlit as st

from dashboard.parts import verdicts
from dashboard.parts.plain import shortened
from report.comparison import Report, Row
from report.text import geometric_mean, judged, notes

_NOTES = 20


def summary(report: Report) -> None:
    """Badges per pair of revisions, then sentences."""
    for name, base in verdicts.pairs(report).items():
        rows = [row for row in report.rows if verdicts.pair(row) == name]
        line = st.container(horizontal=True, vertical_alignment="center", gap="small")
        against = "" if " -> " in name else f" against {shortened(base, 60)}"
        line.text(f"{shortened(name, 60)}{against}:")
        verdicts.badges(rows, line)
        mean = report.geomeans.get(name)
        line.text(" ".join([_range(rows), *([geometric_mean(mean)] if mean else [])]))
    for sentence in report.told:
        st.text(shortened(f"{sentence[:1].upper()}{sentence[1:]}", 600))
    st.text(judged(report))
    said = notes(report)
    if said:
        with st.expander(
            f"{len(said)} {'note' if len(said) == 1 else 'notes'} on these numbers", icon=":material/info:"
        ):
            st.text("\n".join(shortened(note, 400) for note in said[:_NOTES]))
            if len(said) > _NOTES:
                st.caption(f"and {len(said) - _NOTES} more in the exports")


def _range(rows: Sequence[Row]) -> str:
    effects = [row.result.effect for row in rows if row.result.effect is not None]
    if not effects:
        return "No row has a change to show."
    return f"Changes from {100 * min(effects):+.1f}% to {100 * max(effects):+.1f}%."
