"""Printed tables of compare-mmtests as values: rows of cells, columns by name, the title above. No units, no judgement.

Tables come out of mails: quoted, with one header for several tables or none, with column names that run together.
"""

import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

_LONGEST = 2000
_MOST_TABLES = 10_000
_QUOTE = re.compile(r"[ \t]{0,20}(?:>[ ]?){1,40}")
_CELL = re.compile(
    r"(?P<value>-?\d[\d.]{0,40}|-?nan|-?inf)[ \t]{1,40}(?P<open>[(*])[ \t]{0,20}"
    r"(?P<percent>-?(?:\d{1,15}(?:\.\d{0,9})?|nan|inf))%(?P<close>[)*])(?:[ \t]{1,8}\([+-][\d.]{1,20}s\))?"
)
_NUMBER = re.compile(r"-?\d{1,25}(?:\.\d{1,10})?\Z")
_RULE = re.compile(r"[-=_*~ ]+\Z")
_INDENT = re.compile(r"(?:\S{1,3}[).])? {4,}")
_STAT = re.compile(r"\S{1,24}\Z")
_BARE = ("Duration", "Ops")
_REMARK = re.compile(r"(?<=[\d)*]) {1,20}<[-=<~]")  # what an author writes behind a row
_REST = re.compile(r"[ \t]*[-(*\d][-\d.()*% \t]{0,400}\Z")
_SOFT_BREAK = re.compile(r"=\r?\n")


class Cell(NamedTuple):
    """A value with what was printed behind it; `percent` is None where the table has none (monitors)."""

    value: float
    percent: float | None
    is_significant: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One statistic of one operation over all columns."""

    stat: str
    operation: str
    cells: tuple[Cell, ...]
    line: int


@dataclass(slots=True)
class Table:
    """Rows below one title and one header. `columns` is empty where no header stands above."""

    title: str = ""
    columns: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    is_quoted: bool = False


class _Layout(NamedTuple):
    """What helps to read a header: where the cells below it end, how many they are, and the columns before."""

    edges: tuple[int, ...]
    width: int
    before: tuple[str, ...]


class _Line(NamedTuple):
    number: int
    text: str
    is_quoted: bool


def tables(text: str) -> list[Table]:
    """Every table in the text, in order."""
    found: list[Table] = []
    above: list[_Line] = []
    edges: tuple[int, ...] = ()
    current: Table | None = None
    for line in _joined(_lines(text)):
        row, ends = _row(line, current)
        if row is None:
            above = _keep(above, line)
            continue
        if current is None or above or len(current.rows[-1].cells) != len(row.cells):
            current = _next_table(above, ends or edges, len(row.cells), current)
            found.append(current)
        edges, above = ends, []
        current.rows.append(row)
        if len(found) > _MOST_TABLES:  # the caller refuses so many; reading on would take seconds
            break
    return found


def _lines(text: str) -> Iterator[_Line]:
    if _SOFT_BREAK.search(text) and "=20" in text:
        text = quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw[:_LONGEST].rstrip().expandtabs().replace("\xa0", " ")
        if "<" in line and (remark := _REMARK.search(line)) is not None:
            line = line[: remark.start()]
        quote = _QUOTE.match(line)
        yield _Line(number, line[quote.end() :] if quote else line, quote is not None)


def _joined(lines: Iterator[_Line]) -> Iterator[_Line]:
    """Rows that a mail program broke at a blank are whole again: every row of a table begins with a statistic."""
    held: _Line | None = None
    for line in lines:
        if held is not None and held.text and len(held.text) < _LONGEST and _is_rest(line.text):
            held = held._replace(text=f"{held.text} {line.text.strip()}")
            continue
        if held is not None:
            yield held
        held = line
    if held is not None:
        yield held


def _is_rest(text: str) -> bool:
    return "%" in text and _REST.match(text) is not None


def _row(line: _Line, current: Table | None) -> tuple[Row | None, tuple[int, ...]]:
    """The row on a line with the places where its cells end, or None."""
    if "%" in line.text:
        return _row_with_percents(line)
    if line.text.startswith(_BARE):
        return _bare_row(line, current)
    return None, ()


def _row_with_percents(line: _Line) -> tuple[Row | None, tuple[int, ...]]:
    cells = list(_CELL.finditer(line.text))
    if not cells or line.text[cells[-1].end() :].strip():
        return None, ()
    stat, _, operation = line.text[: cells[0].start()].strip().partition(" ")
    gaps = (line.text[one.end() : other.start()].strip() for one, other in pairwise(cells))
    if any(gaps) or not operation or not _STAT.match(stat) or _float(cells[0]["percent"]) != 0:
        return None, ()
    found = tuple(Cell(_float(c["value"]), _float(c["percent"]), c["open"] == c["close"] == "*") for c in cells)
    return Row(stat, " ".join(operation.split()), found, line.number), tuple(c.end() for c in cells)


def _bare_row(line: _Line, current: Table | None) -> tuple[Row | None, tuple[int, ...]]:
    """A row of a monitor: values without percents, as many as the table before it has columns."""
    words = line.text.split()
    count = 0
    while count < len(words) - 2 and _NUMBER.match(words[-1 - count]):
        count += 1
    known = len(current.rows[-1].cells) if current else count
    count = known if 0 < known <= count else count
    if not count:
        return None, ()
    cells = tuple(Cell(float(word), None, is_significant=False) for word in words[-count:])
    ends = [match.end() for match in re.finditer(r"\S+", line.text)][-count:]
    return Row(words[0], " ".join(words[1:-count]), cells, line.number), tuple(ends)


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _keep(above: list[_Line], line: _Line) -> list[_Line]:
    """The lines above a table that can be its title and header: the last few, blank ones included."""
    return [*above[-7:], line]


def _next_table(above: Sequence[_Line], edges: tuple[int, ...], count: int, before: Table | None) -> Table:
    """A table below these lines.

    Without a header of its own it takes the columns, without a title the title, of a table before it that is as wide.
    """
    texts = [line.text for line in above]
    header, columns = _header(texts, _Layout(edges, count, before.columns if before else ()))
    title = _title(texts[: len(texts) - header] if header else texts)
    is_alike = before is not None and len(before.rows[0].cells) == count
    if before is not None and is_alike:
        columns = columns or before.columns
        title = title or before.title
    return Table(title, columns, is_quoted=any(line.is_quoted for line in above))


def _header(texts: Sequence[str], layout: _Layout) -> tuple[int, tuple[str, ...]]:
    """How many lines at the end belong to the header, and the columns it names."""
    skipped = 0
    while skipped < len(texts) and not texts[len(texts) - 1 - skipped].strip():
        skipped += 1
    lines = texts[: len(texts) - skipped]
    second = _parts(lines[-1], layout) if lines else ()
    if not second:
        return 0, ()
    first = _parts(lines[-2], layout) if len(lines) > 1 and lines[-2].strip() else ()
    if first:
        return skipped + 2, tuple(f"{one} {two}" for one, two in zip(first, second, strict=True))
    return skipped + 1, second


def _parts(line: str, layout: _Layout) -> tuple[str, ...]:
    """The names on a header line, one a column; empty when it is no header. A header is indented, or numbered `1)`."""
    head = _INDENT.match(line)
    if head is None or _RULE.match(line):
        return ()
    rest = line[head.end() :].strip()
    for words in (re.split(r" {2,}", rest), rest.split(), [name.rpartition(" ")[2] for name in layout.before]):
        if len(words) == layout.width and "".join(words).replace(" ", "") == rest.replace(" ", ""):
            return tuple(words)
    if len(layout.edges) != layout.width:
        return ()
    ends = (*layout.edges[:-1], len(line))
    cut = tuple(line[start:end].strip() for start, end in zip((head.end(), *layout.edges), ends, strict=False))
    return cut if all(cut) else ()


def _title(texts: Sequence[str]) -> str:
    """The nearest line above that is no rule."""
    for text in reversed(texts):
        if text.strip() and not _RULE.match(text.strip()):
            return text.strip()[:200]
    return ""
