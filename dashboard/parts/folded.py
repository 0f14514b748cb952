"""Parts of a page that are made when somebody unfolds them: what nobody looks at costs neither server nor browser."""

from collections.abc import Callable, Sequence

import streamlit as st


def folded(title: str, icon: str, key: str, draw: Callable[[], object], *, expanded: bool = False) -> None:
    """An expander that runs `draw` while it is open. `icon` is a Material name; `key` is its own on the page.

    Unfolding runs whatever it stands in: the page, or a fragment. `expanded` is how it is found.
    """
    box = st.expander(title, icon=f":material/{icon}:", key=key, on_change="rerun", expanded=expanded)
    if box.open:
        with box:
            draw()


def filters(active: Sequence[str], draw: Callable[[], object]) -> None:
    """The filters of a page. Those that are set (`active`) stand in the title, and unfold it."""
    title = f"Filters: {', '.join(active)}" if active else "Filters"
    folded(title, "filter_alt", "filters", draw, expanded=bool(active))
