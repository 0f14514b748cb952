"""The dashboard that `kvmperf dashboard` starts (`streamlit run dashboard/app.py`). Only here settings are read."""

import os
from collections.abc import Callable

import streamlit as st
from streamlit.navigation.page import Page

from dashboard.page import Context, Render
from dashboard.parts import boxes
from dashboard.views import compare, trends
from db.errors import UserError

# word in the URL, title, icon, page
PAGES: tuple[tuple[str, str, str, Render], ...] = (
    ("compare", "Compare", ":material/compare_arrows:", compare.render),
    ("trends", "Trends", ":material/show_chart:", trends.render),
)


def main() -> None:
    """Show the page that the URL names."""
    st.set_page_config(page_title="kvmperf", page_icon=":material/speed:", layout="wide")
    pages: dict[str, Page] = {}
    context = Context(os.environ.get("KVMPERF_DB", ""), pages)
    for position, (word, title, icon, render) in enumerate(PAGES):
        pages[word] = st.Page(_guarded(render, context), title=title, icon=icon, url_path=word, default=position == 0)
    st.navigation(list(pages.values()), position="top").run()


def _guarded(render: Render, context: Context) -> Callable[[], None]:
    """The page, with errors for people in a box; anything else is a bug and keeps its traceback."""

    def page() -> None:
        if not context.url:
            boxes.problem(UserError("KVMPERF_DB is not set: no database to show", "start with `kvmperf dashboard`"))
            return
        try:
            render(context)
        except UserError as error:
            boxes.problem(error)

    return page


if __name__ == "__main__":
    main()
