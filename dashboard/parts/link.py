"""The link that restores a view, ready to copy."""

import streamlit as st

from dashboard.state import CompareView, TrendsView, address


def heading(title: str, view: CompareView | TrendsView) -> None:
    """The page's title with its link beside it."""
    row = st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute")
    row.subheader(title, anchor=False)
    with row.popover("Copy link", icon=":material/link:"):
        st.caption("This link opens exactly this view, here and in any other browser.")
        st.code(address(view), language=None, wrap_lines=True)
