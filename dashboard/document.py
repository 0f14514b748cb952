"""The document that a browser asks for first: Streamlit's own, with what it would otherwise find out by trying."""

from pathlib import Path

import streamlit as st

from dashboard.parts.drawing import library

# Streamlit tries the page's own address as that of the server, is told that nothing is there, and waits 0.1 s before
# it tries the folder above. All its files are asked for relative to that folder, below whatever path it is served.
_ADDRESS = '<script>window.__streamlit ??= {BACKEND_BASE_URL: new URL("./", document.baseURI).href}</script>'

# Streamlit leaves a hand's breadth above the heading. A style of the script's would be one more part to draw.
_BLOCK = "[data-testid=stMain] [data-testid=stMainBlockContainer]"
_STYLE = f"<style>{_BLOCK}{{padding-top:4.5rem;padding-bottom:3rem}}</style>"


def document(*, figures: bool) -> str:
    """Streamlit's document for one of our pages. With `figures` their library is fetched while the page starts."""
    text = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    early = _ADDRESS + _STYLE
    if figures and (name := library()):
        early += f'<link rel="modulepreload" crossorigin href="./static/js/{name}">'
    return text.replace("<head>", f"<head>{early}", 1)
