"""The raw output of a run on its page: the lines that numbers stand in marked, and the bytes to take away."""

import re
from collections.abc import Mapping

import streamlit as st

from dashboard import loaders
from dashboard.parts.folded import folded
from dashboard.parts.plain import markdown_text, shortened
from dashboard.parts.raw import excerpt, to_html
from dashboard.state import RunView, bound
from report.run import RunReport, told

_BUTTONS = 4  # files with a download button of their own
_STDOUT = "stdout"


def show(source: tuple[str, str], report: RunReport, view: RunView) -> None:
    """Standard output with its marks, standard error, and the downloads."""
    st.markdown("##### Raw output")
    if not report.files:
        st.text("No bytes are stored for this run.")
        return
    if _STDOUT in report.files:
        _marked(source, report, view)
    others = [name for name in report.files if name != _STDOUT]
    for name in others[:_BUTTONS]:
        folded(markdown_text(name), "description", f"file {name}", lambda name=name: _other(source, report, view, name))  # type: ignore[misc]
    _downloads(source, report)


def _other(source: tuple[str, str], report: RunReport, view: RunView, name: str) -> None:
    text = loaders.raw_files(*source, report.run.id)[name].decode("utf-8", errors="replace")
    st.html(to_html(excerpt(text.split("\n"), {}, whole=view.whole)))


def _marked(source: tuple[str, str], report: RunReport, view: RunView) -> None:
    reading = loaders.marked(*source, report.run.id)
    said: dict[int, list[str]] = {}
    for mark in reading.marks:
        said.setdefault(mark.line, []).append(told(mark.metric, mark.value, mark.unit, mark.iteration))
    lines = {line: _joined(texts) for line, texts in said.items()}
    meant = frozenset(mark.line for mark in reading.marks if mark.metric == view.metric) if view.metric else frozenset()
    if reading.problem:
        st.text(f"No line is marked: {shortened(reading.problem)}.")
    else:
        about = f"; ▶ marks those of {markdown_text(view.metric)}" if meant else ""
        st.caption(f"{len(reading.lines)} lines; • marks the {len(lines)} that numbers were read from{about}.")
    if not any(reading.lines):
        st.text("The program printed nothing.")
        return
    st.toggle("All lines", help="Without the gaps, as far as a page can hold them.", **bound(view, "whole"))
    st.html(to_html(excerpt(reading.lines, lines, meant, whole=view.whole)))


def _joined(texts: list[str]) -> str:
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")


def _downloads(source: tuple[str, str], report: RunReport) -> None:
    row = st.container(horizontal=True)
    for name in report.files if len(report.files) <= _BUTTONS else ():
        _download(row, source, report, name)
    if len(report.files) > _BUTTONS:
        chosen = row.selectbox("File", list(report.files), format_func=shortened, key="file of the run")
        _download(row, source, report, chosen)


def _download(row: st.delta_generator.DeltaGenerator, source: tuple[str, str], report: RunReport, name: str) -> None:
    files: Mapping[str, str] = report.files
    row.download_button(
        markdown_text(f"{name}, as uploaded"),
        lambda: loaders.raw_files(*source, report.run.id)[name],
        file_name=f"run-{report.run.id}-{re.sub(r'[^A-Za-z0-9.@+_-]+', '-', name)[-80:]}",
        mime="application/octet-stream",
        help=f"SHA-256 {files[name]}",
        icon=":material/download:",
        key=f"download {name}",
        on_click="ignore",
    )
