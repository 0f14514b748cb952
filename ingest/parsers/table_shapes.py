"""Tables that authors type into mails: grids of `|`, columns of blanks, comma-headed lists; cells only, no meaning."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ingest.parsers.lines import Line

_RULE = re.compile(r"[-+=|: _*]{3,}\Z")
_BLANKS = re.compile(r"\s{2,}|\t")
_SIDE = re.compile(
    r"(?:before|after|old|new|base|baseline|vanilla|patched|unpatched|without|with|(?:not-|un)?mitigated|series)\b",
    re.IGNORECASE,
)
_HEADINGS = re.compile(r"[A-Z#][\w #]{1,40}(?:, ?[A-Z#][\w #()]{1,40}){2,8}\Z")
_CLAIMED = re.compile(r"(?:[~+-]\s?)?\d[\d.,]*\s?(?:%|x)(?: (?:faster|slower|better|worse))?\Z|[+-]\s?\d[\d.]*%?\Z")
_NUMERIC = re.compile(r"\d[\d,]*(?:\.\d+)?(?: ?[a-zA-Z]{1,6})?\Z")
_UNITS = frozenset({"ns", "nsec", "nsecs", "us", "usec", "usecs", "ms", "msec", "msecs", "s", "sec", "secs", "cycles"})
_CLAIM_HEADINGS = re.compile(
    r"(?:improvement|overhead|diff|difference|change|delta|gain|speed-?up|%.*)\Z", re.IGNORECASE
)
_MAX_CELLS = 40


@dataclass(slots=True)
class Row:
    """One row: the text of its first column and of the others, with the line."""

    line: Line
    key: str
    cells: list[str]


@dataclass(slots=True)
class Table:
    """A table as typed: lines above it that belong to it, what heads each column (several words, outer first), rows."""

    titles: list[str] = field(default_factory=list)
    key: str = ""
    columns: list[list[str]] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    sections: dict[int, str] = field(default_factory=dict)


def is_claim(cell: str) -> bool:
    """Whether a cell is an author's own calculation (`-6.02%`, `~17x faster`): no measurement."""
    return _CLAIMED.match(cell) is not None


def tables(lines: Sequence[Line]) -> Iterator[Table]:
    """The tables in the text, in order; a blank line ends one."""
    block: list[Line] = []
    for line in [*lines, Line(0, "", lines[0].stripped)] if lines else []:
        if line.text:
            block.append(line)
            continue
        if len(block) > 1:
            yield from _of_block(block)
        block = []


def _of_block(block: Sequence[Line]) -> Iterator[Table]:
    if any("|" in line.text for line in block):
        yield from _grids(block)
        return
    for index, line in enumerate(block[:-1]):
        if _HEADINGS.match(line.text):
            yield from _listed(line.text.split(","), block[index + 1 :], r"[\s,]+")
            return
        words = [word for word in _BLANKS.split(line.text) if word]
        if 1 < len(words) <= _MAX_CELLS and sum(_SIDE.match(word) is not None for word in words) > 1:
            yield from _listed(words, block[index + 1 :], _BLANKS.pattern)
            return


def _listed(words: Sequence[str], rest: Sequence[Line], separator: str) -> Iterator[Table]:
    """A table without rules: headings, perhaps a line of units, and rows of a key and as many numbers."""
    headings = [word.strip() for word in words if not _CLAIM_HEADINGS.match(word.strip())]
    table = Table()
    for line in rest:
        if _RULE.match(line.text):
            continue
        key, *cells = _split(line.text, separator)
        told = [cell for cell in (key, *cells) if cell.lower() in _UNITS]
        if told and not table.rows and len(told) >= len(cells):
            table.units = told
            continue
        values = [cell for cell in cells if not is_claim(cell)]
        if not table.columns and len(values) in {len(headings), len(headings) - 1}:
            inner = headings[len(headings) - len(values) :]
            table.key = headings[0] if inner != headings else ""
            table.columns = [[heading] for heading in inner]
        if not values or len(values) != len(table.columns) or not all(map(_NUMERIC.match, values)):
            break
        table.rows.append(Row(line, key, values))
    if table.rows:
        yield table


def _split(text: str, separator: str) -> list[str]:
    """The cells of a line; `name: 1.5s` is two, however few blanks are between."""
    key, colon, rest = text.partition(": ")
    if colon and len(key) < 60:
        return [key.strip(), *(cell for cell in re.split(separator, rest.strip()) if cell)]
    return [cell.rstrip(":") for cell in re.split(separator, text) if cell] or [""]


def _grids(block: Sequence[Line]) -> Iterator[Table]:
    """Tables of `|`: lines before the first row of numbers head it; a heading after a row begins another table."""
    heads: list[Line] = []
    table = Table()
    for line in block:
        cells = _cells(line.text)
        if _means_nothing(line.text, cells):
            continue
        if _is_row(cells):
            _add_row(table, heads, Row(line, cells[0], cells[1:]))
        elif len(cells) > 1 and not any(cells[1:]) and (table.rows or _is_section(heads)):
            table.sections[len(table.rows)] = cells[0]
        elif table.rows:
            yield table
            heads, table = [line], Table()
        else:
            heads.append(line)
    if table.rows:
        yield table


def _add_row(table: Table, heads: Sequence[Line], row: Row) -> None:
    """Keep a row whose columns are named: what no heading names is no number that could be told."""
    if not table.columns:
        _head(table, heads, len(row.cells) + 1)
    if len(table.columns) == len(row.cells):
        table.rows.append(row)


def _means_nothing(text: str, cells: Sequence[str]) -> bool:
    """Whether a line is a rule, holds only claims, or is no line of a table."""
    no_line = "|" not in text or len(cells) > _MAX_CELLS
    return no_line or _RULE.match(text) is not None or all(is_claim(cell) for cell in cells if cell)


def _is_row(cells: Sequence[str]) -> bool:
    """Whether a line is a key and numbers (or claims)."""
    filled = [cell for cell in cells[1:] if cell]
    return bool(filled and cells[0]) and all(_NUMERIC.match(cell) or is_claim(cell) for cell in filled)


def _is_section(heads: Sequence[Line]) -> bool:
    """Whether a row with nothing but its first cell can be a section: the columns are named already."""
    return any(len(_cells(line.text)) > 2 for line in heads)


def _cells(text: str) -> list[str]:
    inner = text[1:-1] if text.startswith("|") and text.endswith("|") and len(text) > 1 else text.removesuffix("|")
    return [cell.strip() for cell in inner.split("|")]


def _head(table: Table, heads: Sequence[Line], width: int) -> None:
    """Name the columns by the innermost line of headings, and by the wider cells that stand over them."""
    whole = [line for line in heads if len(_cells(line.text)) == width]
    table.titles = [_cells(line.text)[0] for line in heads if len(_cells(line.text)) == 1]
    if not whole:
        return
    inner = whole[-1]
    over = [line for line in heads if line is not inner and 1 < len(_cells(line.text)) <= width]
    middles = [(start + end) / 2 for start, end, _text in _spans(inner.text)]
    names = [[_over(line.text, middle) for line in over] for middle in middles]
    full = [
        [word for word in [*above, own] if word]
        for above, own in zip(names, (text for _start, _end, text in _spans(inner.text)), strict=True)
    ]
    table.key, table.columns = " ".join(full[0]), full[1:]


def _spans(text: str) -> list[tuple[int, int, str]]:
    """Where each cell of a line begins and ends."""
    spans: list[tuple[int, int, str]] = []
    start = 1 if text.startswith("|") and text.endswith("|") and len(text) > 1 else 0
    for cell in (text[1:-1] if start else text.removesuffix("|")).split("|"):
        spans.append((start, start + len(cell), cell.strip()))
        start += len(cell) + 1
    return spans


def _over(text: str, place: float) -> str:
    return next((cell for start, end, cell in _spans(text) if start <= place <= end), "")
