"""The comparison to take away, word for word what the command line prints."""

import re
from collections.abc import Callable

import streamlit as st

from dashboard.parts.folded import folded
from report import markup, text
from report.comparison import Report

_FORMATS: tuple[tuple[str, str, str, Callable[[Report], str]], ...] = (
    ("Text", "txt", "text/plain", text.render),
    ("Markdown", "md", "text/markdown", markup.to_markdown),
    ("CSV", "csv", "text/csv", markup.to_csv),
    ("JSON", "json", "application/x-ndjson", markup.to_json),
    ("HTML", "html", "text/html", markup.to_html),
)


@st.fragment
def offer(report: Report) -> None:
    """The text for a cover letter with its copy button, and a download in each format."""
    folded("Copy for the cover letter, or download", "content_copy", "exports", lambda: _formats(report))


def _formats(report: Report) -> None:
    st.caption("At most 72 columns of ASCII. The button in the corner copies it.")
    st.code(text.render(report), language=None)
    row = st.container(horizontal=True)
    for label, extension, mime, make in _FORMATS:
        row.download_button(
            label,
            lambda make=make: make(report),  # type: ignore[misc]  # made on the click, not on every run
            file_name=f"{_file_name(report)}.{extension}",
            mime=mime,
            on_click="ignore",
        )


def _file_name(report: Report) -> str:
    names = "-vs-".join((report.base.name, *(head.name for head in report.heads)))
    return re.sub(r"[^A-Za-z0-9.@+_-]+", "-", names)[:100].strip("-.") or "comparison"
