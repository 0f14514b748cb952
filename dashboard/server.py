"""What `kvmperf dashboard` starts (`streamlit run dashboard/server.py`): the pages, and the document before them."""

from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from dashboard.app import PAGES  # here already, so that the first visitor does not wait for its imports
from dashboard.document import document

_WITH_FIGURE = {"trends": "", "hosts": "host"}  # pages that show one at once, and what the address must have for that


async def _first(request: Request) -> HTMLResponse:
    """The document of a page. Browsers ask for it anew each time, as they do for Streamlit's own."""
    needed = _WITH_FIGURE.get(request.scope["path"].strip("/"))
    shows_figure = needed is not None and (not needed or needed in request.query_params)
    return HTMLResponse(document(figures=shows_figure), headers={"Cache-Control": "no-cache"})


app = st.App(
    Path(__file__).with_name("app.py"),
    routes=[Route("/", _first), *(Route(f"/{word}", _first) for word, _, _, _ in PAGES)],
)
