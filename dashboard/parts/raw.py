"""Raw output as a page shows it: every line as text, the lines that numbers were read from marked. Pure.

The HTML is ours, whatever was uploaded is escaped in it: stored text never becomes markup.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from dashboard.parts.plain import shortened

AROUND = 3  # lines shown before and after a marked one
ENDS = 12  # lines shown at the beginning and at the end
MOST = 600  # lines of one excerpt
_WIDE = 400  # characters of one line
_STYLE = (
    "<style>.kvmperf-raw{font:13px/1.5 ui-monospace,monospace;overflow-x:auto;border:1px solid #8886;"
    "border-radius:.5rem;padding:.5rem 0}.kvmperf-raw div{white-space:pre;padding:0 .75rem;min-width:max-content}"
    ".kvmperf-raw .n{display:inline-block;width:5ch;text-align:right;margin-right:2ch;opacity:.6}"
    ".kvmperf-raw .read{background:#0072b222;border-left:4px solid #0072b2;padding-left:calc(.75rem - 4px)}"
    ".kvmperf-raw .meant{background:#d55e0033;border-left-color:#d55e00;font-weight:600}"
    ".kvmperf-raw .told{opacity:.75;font-weight:400;font-style:italic}.kvmperf-raw .gap{opacity:.6}</style>"
)


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line with its number (1-based), what was read from it in words, and whether it is the one that is meant."""

    number: int
    text: str
    told: str = ""
    is_meant: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines that are left out."""

    lines: int


def excerpt(
    lines: Sequence[str], told: Mapping[int, str], meant: frozenset[int] = frozenset(), *, whole: bool = False
) -> list[RawLine | Gap]:
    """The lines worth showing: both ends, those that numbers were read from (`told`, by line), what is around them.

    At most `MOST`: of more, those around the meant lines come first.
    """
    wanted = _wanted(len(lines), told, meant, whole=whole)
    found: list[RawLine | Gap] = []
    last = 0
    for number in wanted:
        if number - last > 1:
            found.append(Gap(number - last - 1))
        found.append(RawLine(number, lines[number - 1], told.get(number, ""), number in meant))
        last = number
    if last < len(lines):
        found.append(Gap(len(lines) - last))
    return found


def to_html(pieces: Sequence[RawLine | Gap]) -> str:
    """The excerpt as HTML. A mark is a sign and words as well as a colour."""
    body = "".join(_line(one) if isinstance(one, RawLine) else _gap(one) for one in pieces)
    return f'{_STYLE}<div class="kvmperf-raw" tabindex="0" role="region" aria-label="raw output">{body}</div>'


def _wanted(count: int, told: Mapping[int, str], meant: frozenset[int], *, whole: bool) -> list[int]:
    if whole or count <= 2 * ENDS:
        return list(range(1, min(count, MOST) + 1))
    kept: set[int] = set()
    for numbers in (_around(sorted(meant), count), _ends(count), _around(sorted(told), count)):
        for number in numbers:
            if len(kept) >= MOST:
                break
            kept.add(number)
    return sorted(kept)


def _around(numbers: Sequence[int], count: int) -> Iterator[int]:
    for number in numbers:
        yield from range(max(1, number - AROUND), min(count, number + AROUND) + 1)


def _ends(count: int) -> Iterator[int]:
    yield from range(1, ENDS + 1)
    yield from range(count - ENDS + 1, count + 1)


def _line(one: RawLine) -> str:
    text = escape(shortened(one.text.rstrip("\r"), _WIDE)) or " "
    sign = "▶" if one.is_meant else "•" if one.told else " "
    kind = "read meant" if one.is_meant else "read" if one.told else "line"
    told = f'  <span class="told">→ {escape(shortened(one.told))}</span>' if one.told else ""
    return f'<div class="{kind}"><span class="n">{one.number}</span>{sign} {text}{told}</div>'


def _gap(one: Gap) -> str:
    return (
        f'<div class="gap"><span class="n">⋮</span>{one.lines} {"line" if one.lines == 1 else "lines"} left out</div>'
    )
