"""Results of any benchmark as CSV: a value a row, its parameters in columns of their own (`docs/format.md`)."""

import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.parsers.any_run import InvalidRunError, to_record
from ingest.parsers.any_unit import UNITS
from ingest.records import Better, Format, FormatError, Measurement, Output, Param, Record, Status, Unit

NAME = "csv"
VERSION = 1
MAX_RUNS = 200_000
_REQUIRED = ("benchmark", "metric", "unit", "better", "value")
_OPTIONAL = ("iteration", "phase", "warmup", "run", "status", "command")
_VALUE_COLUMNS = frozenset({"metric", "unit", "better", "value", "iteration", "phase", "warmup"})
_OWN = frozenset((*_REQUIRED, *_OPTIONAL))
_MOST_COLUMNS = 200
_HINT = "docs/format.md describes the columns"
_YES, _NO = frozenset({"1", "true", "yes"}), frozenset({"", "0", "false", "no"})
_NUMERAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?\Z")


_Kind = tuple[str, Unit, Better, float, float]


@dataclass(slots=True)
class _Run:
    """The rows of one run."""

    benchmark: str
    status: Status
    command: str
    params: dict[str, Param]
    measurements: list[Measurement] = field(default_factory=list)


class _Table:
    """The columns of one file, and what was read of its rows."""

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns
        self.runs: dict[tuple[str, ...], _Run] = {}
        self._of_case = [index for index, name in enumerate(columns) if name not in _VALUE_COLUMNS]
        self._metric, self._unit, self._better, self._value = (columns.index(name) for name in _REQUIRED[1:])
        self._phase, self._iteration, self._warmup = (
            columns.index(name) if name in columns else None for name in ("phase", "iteration", "warmup")
        )
        self._kinds: dict[tuple[str, str, str, str], _Kind] = {}

    def take(self, cells: list[str], line: int) -> None:
        """Read one row: a value of the run that its benchmark and parameters name."""
        case = tuple([cells[index] for index in self._of_case])
        run = self.runs.get(case)
        if run is None:
            self.runs[case] = run = _begin(dict(zip(self.columns, cells, strict=True)))
        phase = cells[self._phase] if self._phase is not None else ""
        key = (cells[self._metric], cells[self._unit], cells[self._better], phase)
        kind = self._kinds.get(key)
        if kind is None:
            self._kinds[key] = kind = _kind(*key)
        metric, unit, better, factor, divisor = kind
        value = _number(cells[self._value]) * factor / divisor
        if not math.isfinite(value):
            raise InvalidRunError("value", f"{cells[self._value][:60]!r} is no finite number in base units")
        told = cells[self._iteration] if self._iteration is not None else ""
        warmup = _flag(cells[self._warmup]) if self._warmup is not None else False
        number = _whole(told) if told else None
        run.measurements.append(Measurement(metric, unit, better, value, number, phase, warmup, line))


def _parse(output: Output) -> list[Record]:
    reader = csv.reader(io.StringIO(output.text, newline=""), strict=True)
    try:
        runs = _read(reader, output)
    except InvalidRunError as error:
        what = f"line {max(1, reader.line_num)}: {error}"
        raise FormatError(output.source, 0, what, error.hint or _HINT) from error
    except csv.Error as error:
        raise FormatError(output.source, 0, f"line {reader.line_num}: no valid CSV: {error}", _HINT) from error
    if not runs:
        raise FormatError(output.source, 0, "has columns and no row", _HINT)
    return [
        Record(run.benchmark, NAME, run.status, run.command, run.params, measurements=tuple(run.measurements))
        for run in runs
    ]


def _read(reader: Any, output: Output) -> list[_Run]:  # Any: csv gives its reader no public type
    table = _Table(_columns([name.strip() for name in next(reader, [])]))
    for cells in reader:
        if not any(cells):
            continue
        if len(cells) != len(table.columns):
            raise InvalidRunError("", f"{len(cells)} cells under {len(table.columns)} columns")
        table.take(cells, reader.line_num)
        if len(table.runs) > MAX_RUNS:
            raise FormatError(output.source, 0, f"more than {MAX_RUNS} runs in one file", "cut the file")
    return list(table.runs.values())


def _columns(names: list[str]) -> list[str]:
    if len(names) > _MOST_COLUMNS:
        raise InvalidRunError("", f"{len(names)} columns, more than {_MOST_COLUMNS}")
    for twice in (name for name in names if names.count(name) > 1):
        raise InvalidRunError(twice[:60], "the column stands twice")
    for missing in (name for name in _REQUIRED if name not in names):
        raise InvalidRunError(missing, "the column is missing")
    return names


def _begin(row: Mapping[str, str]) -> _Run:
    """A run with its parameters: every column that is none of the format's own; an empty cell is no parameter."""
    params = {name: _param(value) for name, value in row.items() if name not in _OWN and value}
    told = {"benchmark": row["benchmark"], "params": params, "command": row.get("command", ""), "measurements": []}
    record = to_record({**told, "status": row.get("status", "") or "pass"})
    return _Run(record.benchmark, record.status, record.command, dict(record.params))


def _kind(metric: str, unit: str, better: str, phase: str) -> _Kind:
    """What the values of a metric are, checked by the rules of the JSON format."""
    one = {"metric": metric, "unit": unit, "better": better, "phase": phase, "value": 0}
    try:
        to_record({"benchmark": "any", "measurements": [one]})
    except InvalidRunError as error:
        raise InvalidRunError(error.path.removeprefix("measurements[0]."), error.what, error.hint) from error
    base, factor, divisor = UNITS[unit]
    return metric, base, Better(better), factor, divisor


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidRunError("value", f"{text[:60]!r} is no number") from error


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidRunError("iteration", f"{text[:60]!r} is no whole number from 0 to 999999999")
    return int(text)


def _flag(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() not in _NO:
        raise InvalidRunError("warmup", f"{text[:60]!r} is neither true nor false")
    return False


def _param(text: str) -> Param:
    """A parameter as JSON would have it: whole numbers, numbers, true and false; all else is text."""
    if text in {"true", "false"}:
        return text == "true"
    if len(text) < 20 and _NUMERAL.match(text):
        return int(text) if text.lstrip("-").isdigit() else float(text)
    return text


def _recognises(output: Output) -> bool:
    first = output.text[:4096].lstrip().split("\n", 1)[0]
    names = {name.strip().strip('"') for name in first.split(",")}
    return {"benchmark", "metric", "unit", "value"} <= names


FORMATS = (Format(name=NAME, version=VERSION, recognises=_recognises, parse=_parse),)
