"""The dashboard's script: which pages there are and what each run begins with. Only here settings are read."""

import logging
import os
import secrets
from collections.abc import Callable, Mapping

import streamlit as st
from streamlit.navigation.page import Page

from dashboard.page import Context, Render
from dashboard.parts import boxes
from dashboard.state import introduce, leaving
from dashboard.views import compare, hosts, inbox, operation, run, series, trends
from db.errors import UserError

log = logging.getLogger("kvmperf.dashboard")

_ICON = (  # drawn here: an emoji or icon by name would be fetched from the network
    '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 16 16">'
    '<path d="M1 9h4v6H1zM6 5h4v10H6zM11 1h4v14h-4z" fill="#0072B2"/></svg>'
)
# word in the URL, title, icon, page
PAGES: tuple[tuple[str, str, str, Render], ...] = (
    ("inbox", "Inbox", ":material/inbox:", inbox.render),
    ("compare", "Compare", ":material/compare_arrows:", compare.render),
    ("trends", "Trends", ":material/show_chart:", trends.render),
    ("series", "Patch series", ":material/account_tree:", series.render),
    ("run", "Run", ":material/receipt_long:", run.render),
    ("hosts", "Hosts", ":material/dns:", hosts.render),
    ("operation", "Operation", ":material/monitor_heart:", operation.render),
)


def main() -> None:
    """Show the page that the URL names; the bare address leads to the first one."""
    # Before the navigation: it would make the page's icon that of the tab, and fetch it from the network.
    st.set_page_config(page_icon=_ICON, layout="wide")
    introduce(os.environ.get("KVMPERF_LOCAL_USER", ""))
    pages: dict[str, Page] = {}
    context = Context(os.environ.get("KVMPERF_DB", ""), pages)
    for word, title, icon, render in PAGES:
        pages[word] = st.Page(_guarded(render, context), title=title, icon=icon, url_path=word)
    # Streamlit serves its default page at the bare address only: with one of our pages there, its own link would die.
    home = st.Page(lambda: _go_on(pages), title="kvmperf", default=True, visibility="hidden")
    chosen = st.navigation([home, *pages.values()], position="top")
    st.set_page_config(page_title=f"{chosen.title} · kvmperf")
    chosen.run()


def _go_on(pages: Mapping[str, Page]) -> None:
    query = {name: st.query_params.get_all(name) for name in st.query_params}
    st.switch_page(next(iter(pages.values())), query_params=query)


def _guarded(render: Render, context: Context) -> Callable[[], None]:
    """The page, with errors for people in a box; a bug is one line there, and a traceback in the log."""

    def page() -> None:
        if not context.url:
            boxes.problem(UserError("KVMPERF_DB is not set: no database to show", "start with `kvmperf dashboard`"))
            return
        if there := leaving():
            st.switch_page(context.pages[there[0]], query_params=there[1])
        try:
            render(context)
        except UserError as error:
            boxes.problem(error)
        except Exception:  # the edge: whoever reads gets one line, whoever runs the server the traceback
            reference = secrets.token_hex(4)
            log.exception("could not show the page: reference %s", reference)
            boxes.broken(reference)

    return page


if __name__ == "__main__":
    main()
