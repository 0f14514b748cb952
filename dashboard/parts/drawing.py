"""The library that draws figures, asked for before the figure is: it loads while the server still reads and judges."""

from functools import cache
from pathlib import Path

import streamlit as st

# Streamlit names its parts after their content and fetches this one (5 MB) when the first figure has arrived. Relative
# to its own script, as the page may be served below a path. Where it is not found, all is as without it. Nothing is to
# be seen of it, not even the gap that Streamlit leaves between elements.
_SCRIPT = """<script>
(() => {
  const place = document.currentScript?.closest("[data-testid=stElementContainer]");
  if (place) place.style.display = "none";
  const own = document.querySelector('script[type=module][src*="/static/js/"]');
  if (own) import(new URL("%s", own.src).href).catch(() => {});
})();
</script>"""


def ahead() -> None:
    """To be called on a page that will show a figure, before what the figure needs is read."""
    if name := library():
        st.html(_SCRIPT % name, unsafe_allow_javascript=True)


@cache
def library() -> str:
    """The file's name among Streamlit's scripts; empty where it is not found."""
    parts = Path(st.__file__).parent / "static" / "static" / "js"
    return next((part.name for part in sorted(parts.glob("PlotlyChart.*.js"))), "")
