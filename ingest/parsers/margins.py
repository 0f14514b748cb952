"""What loggers and old mail programs write in front of every line: time stamps, a bar, the initials of who is quoted.

Only asked for where no parser could read a text as it is: a program may begin its own lines like that.
"""

import re
from typing import NamedTuple

_LOOKED_AT = 60  # lines that tell whether a text has a margin
_SHARE = 0.9
_FEWEST = 3


class Margin(NamedTuple):
    """One kind of margin; `is_quote`: somebody quotes, so the text is out of a mail."""

    name: str
    pattern: re.Pattern[str]
    is_quote: bool


class Bare(NamedTuple):
    """A text without its margin, with as many lines; `margin` is None where it has none."""

    text: str
    margin: Margin | None = None


_MARGINS = (
    Margin("times since boot", re.compile(r"^\[ {0,8}\d{1,9}\.\d{1,9}\](?:\[[ TC\d]{1,9}\])? ?", re.MULTILINE), False),
    Margin(
        "time stamps",
        re.compile(
            r"^\[?(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\]?:?[ \t]", re.MULTILINE
        ),
        False,
    ),
    Margin("bars", re.compile(r"^[ \t]{0,8}\| ?", re.MULTILINE), True),
    Margin("initials of who is quoted", re.compile(r"^ ?[A-Za-z]{1,12}> ?", re.MULTILINE), True),
)


def without_margin(text: str) -> Bare:
    """The text without what stands in front of nearly all of its lines."""
    lines = [line for line in text[: 1 << 16].split("\n", 4 * _LOOKED_AT) if line.strip()][:_LOOKED_AT]
    if len(lines) >= _FEWEST:
        for margin in _MARGINS:
            if sum(margin.pattern.match(line) is not None for line in lines) >= _SHARE * len(lines):
                return Bare(margin.pattern.sub("", text), margin)
    return Bare(text)
