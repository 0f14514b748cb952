"""Stored text as text: nothing that somebody uploaded is ever read as markdown, HTML or a formula.

Where Streamlit shows markdown, `markdown_text`; where Plotly shows its HTML subset, `plotly_text`; everywhere else
`shortened`. Never `unsafe_allow_html`.
"""

import re

SHOWN = 300  # characters of one stored text on a page; exports carry all of it

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# Streamlit replaces these after the escapes are gone: emoji and icon codes, links, arrows, dashes.
_LATE = re.compile(r":(?=[\w/+\\-])|//|(?<=\w)@(?=\w)|\bwww(?=\.)|-(?=[->])|<(?=[-=])|>(?==)|~(?==)")
_JOINER = "\u2060"  # word joiner: invisible, breaks the pattern
_PLOTLY = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "%": "&#37;", "{": "&#123;", "}": "&#125;"}
)


def shortened(text: str, limit: int = SHOWN) -> str:
    """One line of printable text, at most this long; what cannot be printed is spelled with a backslash."""
    if len(text) <= limit and text.isprintable():
        return text
    cut = text[: limit + 1]
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in cut)
    return clean if len(clean) <= limit and len(text) <= limit else f"{clean[: limit - 1]}…"


def markdown_text(text: str, limit: int = SHOWN) -> str:
    """Text that a markdown renderer shows as it is."""
    joined = _LATE.sub(lambda match: f"{match[0]}{_JOINER}", shortened(text, limit))
    return _PUNCTUATION.sub(r"\\\1", joined)


def plotly_text(text: str, limit: int = 80) -> str:
    """Text that a Plotly label or hover shows as it is."""
    return shortened(text, limit).translate(_PLOTLY)
