"""Commands and other text to be copied, as they are: a click selects all of it.

Not `st.code`: its highlighter makes the browser learn three hundred languages, which takes longer than the rest of a
page. Where text stands behind an expander or a popover, `st.code` with its copy button is welcome.
"""

from html import escape

import streamlit as st

_STYLE = (
    "<style>.kvmperf-verbatim{font:14px/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;"
    "user-select:all;margin:0;border:1px solid #8886;border-radius:.5rem;padding:.6rem .9rem}</style>"
)


def verbatim(text: str) -> None:
    """The text in a box of its own, every character of it; the caller shortens what was stored."""
    st.html(f'{_STYLE}<pre class="kvmperf-verbatim" tabindex="0">{escape(text)}</pre>')
