"""The link that restores a view, ready to copy."""

import streamlit as st

from dashboard.state import View, address, with_url


def heading(title: str, view: View) -> None:
    """The page's title with its link beside it."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.subheader(title, anchor=False, width="content")
    with row:
        _link(view)


@st.fragment
def _link(view: View) -> None:
    """Made when it is opened: parts of a page change the URL without running the page again."""
    right = st.container(horizontal=True, horizontal_alignment="right")
    popover = right.popover("Copy link", icon=":material/link:", key="link", on_change="rerun")
    if popover.open:
        with popover:
            st.caption("This link opens exactly this view, here and in any other browser.")
            st.code(address(with_url(view)), language=None, wrap_lines=True)
