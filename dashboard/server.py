"""What `kvmperf dashboard` starts (`streamlit run dashboard/server.py`): the pages, and the document before them."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from dashboard.app import PAGES  # here already, so that the first visitor does not wait for its imports
from dashboard.document import document
from dashboard.headers import SecurityHeaders

# pages that show a figure at once, and what the address must have for that
_WITH_FIGURE = {"trends": "", "series": "", "compare": "row"}


async def _first(request: Request) -> HTMLResponse:
    """The document of a page. Browsers ask for it anew each time, as they do for Streamlit's own."""
    needed = _WITH_FIGURE.get(request.scope["path"].rpartition("/")[2])
    shows_figure = needed is not None and (not needed or needed in request.query_params)
    return HTMLResponse(document(figures=shows_figure), headers={"Cache-Control": "no-cache"})


def _paths() -> list[str]:
    """The addresses of the pages, below the path that Streamlit was told to serve at."""
    below = (st.get_option("server.baseUrlPath") or "").strip("/")
    return [f"/{below}/{word}".replace("//", "/") for word in ("", *(word for word, _, _, _ in PAGES))]


app = st.App(
    Path(__file__).with_name("app.py"),
    routes=[Route(path, _first) for path in _paths()],
    middleware=[Middleware(SecurityHeaders)],
)
