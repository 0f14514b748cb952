"""A comparison over one parameter, the classic table of cover letters: vCPUs down, base and heads across. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from db.errors import UserError
from report.comparison import Report, Row
from report.text import MARKS, change, footer, interval
from report.words import WIDTH, ascii_only, case_line, field
from stats.units import scaled

LONG = 24  # characters of a name that still stands above a column
_Values = Mapping[float, Sequence[Row]]


def render(report: Report, parameter: str) -> str:
    """One table a metric whose test cases differ in this parameter only; columns that do not fit follow below.

    Raises UserError where nothing was measured at two values of the parameter.
    """
    families = _families(report.rows, parameter)
    if not families:
        numeric = sorted({n for row in report.rows for n, v in row.series.params.items() if _is_number(v)})
        raise UserError(
            f"no metric was measured at two values of {parameter!r}", f"numeric parameters here: {', '.join(numeric)}"
        )
    lines: list[str] = []
    for rows in families:
        lines += [*_heading(rows, parameter), *_table(_by_value(rows, parameter), parameter), ""]
    lines += footer(report)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _families(rows: Sequence[Row], parameter: str) -> list[list[Row]]:
    """The rows that differ in the parameter only, where it takes two values or more."""
    found: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        series = row.series
        if _is_number(series.params.get(parameter)):
            rest = tuple(sorted((name, str(value)) for name, value in series.params.items() if name != parameter))
            found.setdefault((series.host, series.benchmark, series.metric, series.unit, rest), []).append(row)
    return [family for family in found.values() if len({row.series.params[parameter] for row in family}) > 1]


def _by_value(rows: Sequence[Row], parameter: str) -> dict[float, list[Row]]:
    found: dict[float, list[Row]] = {}
    for row in rows:
        found.setdefault(float(row.series.params[parameter]), []).append(row)
    return dict(sorted(found.items()))


def _heading(rows: Sequence[Row], parameter: str) -> Iterator[str]:
    series = rows[0].series
    rest = sorted((name, value) for name, value in series.params.items() if name != parameter)
    yield from field("Test", f"{case_line(series.benchmark, rest)} on {series.host}")
    yield from field("Metric", f"{series.metric}, {series.better} is better")
    for name, label in _labels(rows).items():
        if label != ascii_only(name):
            yield from field(label, name)


def _table(values: _Values, parameter: str) -> Iterator[str]:
    """Blocks of columns: the parameter first in each, then as many as fit; a number is never cut."""
    first = [f"{value:g}" for value in values]
    width = max(len(cell) for cell in (*first, parameter))
    blocks: list[list[list[str]]] = [[]]
    for group in _groups(values):
        together = sum(2 + max(map(len, column)) for column in group)
        parts = [group] if width + together <= WIDTH else [[column] for column in group]
        for part in parts:
            used = width + sum(2 + max(map(len, column)) for column in (*blocks[-1], *part))
            if used > WIDTH and blocks[-1]:
                blocks.append([])
            blocks[-1] += part
    for block in blocks:
        yield ""
        for i, cell in enumerate((ascii_only(parameter), *first)):
            yield f"{cell:>{width}}" + "".join(f"  {column[i]:>{max(map(len, column))}}" for column in block)


def _groups(values: _Values) -> Iterator[list[list[str]]]:
    """Columns with their headings, in groups: the level of a base; level, change and interval of a head."""
    rows = [row for same in values.values() for row in same]
    levels = [v for row in rows for v in (row.result.base, row.result.head) if v is not None]
    shown, unit = scaled(levels, rows[0].series.unit)
    texts = dict(zip(levels, shown, strict=True))
    labels = _labels(rows)
    cells = {(row.base, row.head, value): row for value, same in values.items() for row in same}
    seen: set[str] = set()
    for base, head in dict.fromkeys((row.base, row.head) for row in rows):
        own = [cells.get((base, head, value)) for value in values]
        if base not in seen:
            yield [[f"{labels[base]} [{unit}]", *(_level(row, texts, base=True) for row in own)]]
            seen.add(base)
        yield [
            [labels[head], *(_level(row, texts, base=False) for row in own)],
            ["change", *(f"{change(row.result)} {MARKS[row.result.verdict]}" if row else "-" for row in own)],
            ["95% CI", *(interval(row.result) if row else "-" for row in own)],
        ]


def _labels(rows: Sequence[Row]) -> dict[str, str]:
    """What revisions are called above a column: their names, or numbers where names are long."""
    names = dict.fromkeys(name for row in rows for name in (row.base, row.head))
    return {name: ascii_only(name) if len(name) <= LONG else f"({i})" for i, name in enumerate(names, start=1)}


def _level(row: Row | None, texts: Mapping[float, str], *, base: bool) -> str:
    value = (row.result.base if base else row.result.head) if row else None
    return "-" if value is None else texts[value]
