"""The head of a page: its title, the link that restores the view, and who is looking."""

import streamlit as st

from dashboard.parts import user
from dashboard.parts.plain import markdown_text
from dashboard.state import View, address, with_url


def heading(title: str, view: View) -> None:
    """The page's title with its link and the reader's name beside it."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.subheader(title, anchor=False, width="content")
    with row:
        _link(view)
    _who(row)


def _who(row: st.delta_generator.DeltaGenerator) -> None:
    """Nothing for anonymous readers of a server without a log-in: they can do nothing about it."""
    name = user.who()
    if user.can_log_in() and not user.is_known():
        row.button("Log in", icon=":material/login:", on_click=st.login)
    elif user.can_log_in():
        with row.popover(markdown_text(name or "Read only", 40), icon=":material/person:"):
            if not name:
                st.text(
                    "This log-in is too old, or not one of the people who may write, "
                    "or its mail address is not verified. Reading is free."
                )
            st.button("Log out", icon=":material/logout:", on_click=st.logout)
    elif name:
        row.badge(markdown_text(name, 40), icon=":material/person:", color="gray")


@st.fragment
def _link(view: View) -> None:
    """Made when it is opened: parts of a page change the URL without running the page again."""
    right = st.container(horizontal=True, horizontal_alignment="right")
    popover = right.popover("Copy link", icon=":material/link:", key="link", on_change="rerun")
    if popover.open:
        with popover:
            st.caption("This link opens exactly this view, here and in any other browser.")
            st.code(address(with_url(view)), language=None, wrap_lines=True)
