"""Printed comparison tables as records, one per table and column: what somebody reported, never measured here."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ingest.parsers.mmtests import TABLE
from ingest.parsers.mmtests.catalog import Benchmark, Family, known, plain
from ingest.parsers.mmtests.rows import Cell, Row, Table, tables
from ingest.parsers.mmtests.tree import SUITE
from ingest.records import Better, FormatError, Measurement, Output, Record, Status, Unit

UNNAMED = "unnamed"
_MOST_RECORDS = 10_000
_WORD = re.compile(r"[A-Za-z][\w-]{1,60}")
# Benchmarks of MMTests that kvmperf has no logs of, by the names that stand above posted tables
_OTHERS = re.compile(
    r"(?:specjbb|specjvm|stream|schbench|pft|aim9|ebizzy|pgbench|will-it-scale|unixbench|coremark|tbench|dbench"
    r"|sqlite|bonnie|pipetest|adrestia|siege|cyclictest|gitsource|lmbench|imb|graph500|hpcg|iozone|tiobench)[\w-]{0,60}"
)
_IN_PERCENT = re.compile(r"H?CoeffVar|C[oO]V\b")
_PURE = ("Significant", "Ratio", "Gmean", "Dmean", "Dmin", "Dmax")
_SPREAD = re.compile(r"H?Stddev|Spread|H?CoeffVar")
_HIGHER = re.compile(r"Hmean|HStddev|HCoeffVar|BHmean")
_LOWER = re.compile(r"Amean|BAmean")


def parse(output: Output) -> list[Record]:
    """One record per table and column; FormatError when the text holds no table."""
    found = tables(output.text)
    if sum(len(table.rows[0].cells) for table in found) > _MOST_RECORDS:
        raise FormatError(output.source, 0, f"more than {_MOST_RECORDS} columns", "cut the text to the tables")
    if not found:
        raise FormatError(output.source, 0, "no rows of a compare-mmtests table", "a row reads: Amean op 1.0 (0.00%)")
    return [record for table in found for record in _columns(table)]


def benchmark_name(title: str) -> str:
    """The benchmark that a title names: `multi subtest netperf-tcp-rr` is netperf-tcp-rr; `unnamed` when none."""
    words: list[str] = [word.rstrip("-") for word in _WORD.findall(title)]
    for word in words:
        if known(word) or _OTHERS.fullmatch(word.lower()):
            return word.lower()
    return words[0].lower() if words == [title.strip(" :")] else UNNAMED


def _columns(table: Table) -> Iterable[Record]:
    name = benchmark_name(table.title)
    families = _families(name, table.rows)
    for column in range(len(table.rows[0].cells)):
        yield Record(
            benchmark=f"{SUITE}/{name}",
            format=TABLE,
            status=Status.PASS,
            labels=_labels(table, column),
            warnings=_warnings(families.values(), name),
            measurements=tuple(_measurements(table.rows, families, column)),
            reported=True,
        )


def _families(name: str, rows: Sequence[Row]) -> dict[str, Family]:
    """Unit and direction of each operation: of the benchmark where it is known, else as the table itself tells."""
    benchmark = (
        None if name.startswith("netperf") and "rr" in name else known(name)
    )  # netperf's rr: the log names its unit
    directions = _directions(rows)
    return {operation: _family(benchmark, operation, better) for operation, better in directions.items()}


def _family(benchmark: Benchmark | None, operation: str, better: Better) -> Family:
    if benchmark is not None and (better is Better.NONE or better.value == benchmark.preferred.lower()):
        return benchmark.family(operation)
    return plain(operation, better)


def _directions(rows: Sequence[Row]) -> dict[str, Better]:
    """By operation: an Hmean says that higher is better, an Amean lower; else the signs of the percents tell."""
    found: dict[str, Better] = {}
    for row in rows:
        if _HIGHER.match(row.stat):
            found[row.operation] = Better.HIGHER
        elif _LOWER.match(row.stat):
            found[row.operation] = Better.LOWER
    for row in rows:
        if found.get(row.operation, Better.NONE) is Better.NONE:
            found[row.operation] = Better.NONE if _SPREAD.match(row.stat) else _by_signs(row.cells)
    return found


def _by_signs(cells: Sequence[Cell]) -> Better:
    """A value above the base with a positive percent means that higher is better: positive is always better."""
    base = cells[0].value
    for cell in cells[1:]:
        if cell.percent and math.isfinite(cell.percent) and cell.value != base:
            return Better.HIGHER if (cell.value > base) == (cell.percent > 0) else Better.LOWER
    return Better.NONE


def _measurements(rows: Sequence[Row], families: dict[str, Family], column: int) -> Iterable[Measurement]:
    for row in rows:
        value = row.cells[column].value
        if not math.isfinite(value):
            continue
        family = _of_statistic(row, families[row.operation])
        base = family.base(repr(value))
        yield Measurement(row.operation, family.unit, family.better, base, phase=row.stat, line=row.line)


def _of_statistic(row: Row, family: Family) -> Family:
    """What a statistic's numbers are: a deviation in percent, a flag, a monitor's count, or in the operation's unit."""
    if _IN_PERCENT.match(row.stat):
        return Family(Unit.COUNT, Better.LOWER, "percent points")  # as printed: readers look for that number
    if row.stat in _PURE:
        return Family(Unit.RATIO, Better.NONE, "ratio")
    if row.stat == "Duration":
        return Family(Unit.SECOND, Better.NONE, "s")
    if row.stat == "Ops" and row.cells[0].percent is None:
        return Family(Unit.COUNT, Better.NONE, "count")
    return replace(family, better=Better.LOWER) if _SPREAD.match(row.stat) else family


def _labels(table: Table, column: int) -> dict[str, str]:
    """Which column it is, and the claims of the table: percents and stars, apart from the numbers."""
    labels = {"column": str(column)}
    if table.title:
        labels["title"] = table.title
    if table.columns:
        labels |= {"mmtests.run": table.columns[column], "base": table.columns[0]}
    for row in table.rows[:1000]:
        cell = row.cells[column]
        if column and cell.percent is not None:
            labels[f"percent {row.stat} {row.operation}"] = f"{cell.percent:g}{'*' if cell.is_significant else ''}"
    return labels


def _warnings(families: Iterable[Family], name: str) -> tuple[str, ...]:
    warnings = ["Read from a printed table: statistics over samples that are not here."]
    if any(family.unit is Unit.COUNT and family.printed == "as printed" for family in families):
        warnings.append("The table does not say its units: numbers are as printed.")
    if name == UNNAMED:
        warnings.append("No line above the table names its benchmark.")
    return tuple(warnings)
