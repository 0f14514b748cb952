"""Two-sample data in a CSV file: values to arrays, arrays to judged answers. No database."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from db.errors import UserError
from report.csv_rows import is_number, line_of
from stats.compare import Comparison, Policy, Samples, compare
from stats.policy import IntArray

REQUIRED = ("metric", "side", "value")
SIDES = {"base": 0, "head": 1}
BETTER = {"lower": -1, "higher": 1, "none": 0, "": -1}
HINT = "columns: metric,side,boot,run,iteration,value and optionally better,unit,start; side is base or head"


@dataclass(frozen=True, slots=True)
class SampleTable:
    """Samples with the names of their metrics, by metric code."""

    samples: Samples
    metrics: tuple[str, ...]
    better: IntArray
    units: tuple[str, ...]


def read_csv(path: Path) -> SampleTable:
    """Return the samples of a CSV file with a header line; metrics in order of appearance.

    A missing boot column, or an empty cell, is an unknown boot. The same boot name on both sides is the same boot.
    A missing run column makes every row a run of its own. Lower is better where no `better` column says otherwise.
    """
    header, rows = _rows(path)
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    names, metric = _codes(columns["metric"])
    side = _sides(path, columns["side"])
    boot = _boots(columns.get("boot"), len(rows))
    run = _runs(columns.get("run"), side, boot)
    value = _numbers(path, columns["value"], "value", side.size)
    start = _numbers(path, columns["start"], "start", side.size) if "start" in columns else None
    first = np.unique(metric, return_index=True)[1]
    samples = Samples(metric, side, boot, run, value, start)
    units = columns.get("unit")
    return SampleTable(
        samples, names, _better(path, columns.get("better"), first), tuple(units[i] for i in first) if units else ()
    )


def compare_csv(path: Path, policy: Policy) -> list[dict[str, Any]]:
    """Return one JSON object per metric of a CSV file, in order of appearance."""
    table = read_csv(path)
    answers = compare(table.samples, metrics=len(table.metrics), better=table.better, policy=policy)
    units = table.units or ("",) * len(table.metrics)
    return [
        {"metric": name, **({"unit": unit} if unit else {}), **as_json(answer)}
        for name, unit, answer in zip(table.metrics, units, answers, strict=True)
    ]


def as_json(answer: Comparison) -> dict[str, Any]:  # values of several JSON types
    """Return the public JSON fields of one answer; absent numbers are null."""
    base, head = ({"boots": side.boots, "runs": side.runs, "values": side.values} for side in answer.n)
    return {
        "verdict": answer.verdict.value,
        "effect": answer.effect,
        "ci": None if answer.ci is None else list(answer.ci),
        "p": answer.p,
        "q": answer.q,
        "n": {"base": base, "head": head},
        "why": answer.why,
        "base": answer.base,
        "head": answer.head,
        "design": answer.design,
        "method": answer.method,
        "interval_scope": answer.interval_scope,
        "boots_more": answer.boots_more,
        "power_at": answer.power_at,
        "warnings": list(answer.warnings),
    }


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            lines = csv.reader(handle, strict=True)
            header = [name.strip() for name in next(lines, [])]
            rows = [row for row in lines if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{path}: cannot be read as CSV: {reason}", HINT) from error
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise UserError(f"{path}:1: no column {', '.join(missing)} in the header line", HINT)
    if not rows:
        raise UserError(f"{path}: no rows after the header line", HINT)
    if len(set(map(len, rows))) > 1 or len(rows[0]) != len(header):
        at = next(i for i, row in enumerate(rows) if len(row) != len(header))
        raise UserError(f"{path}:{line_of(path, at)}: {len(rows[at])} fields, the header has {len(header)}", HINT)
    return header, rows


def _codes(names: Sequence[str]) -> tuple[tuple[str, ...], IntArray]:
    """Return the different names in order of appearance, and the code of each entry."""
    known = {name: code for code, name in enumerate(dict.fromkeys(names))}
    return tuple(known), np.fromiter(map(known.__getitem__, names), dtype=np.int64, count=len(names))


def _sides(path: Path, names: Sequence[str]) -> IntArray:
    try:
        return np.fromiter(map(SIDES.__getitem__, names), dtype=np.int64, count=len(names))
    except KeyError:
        at = next(i for i, name in enumerate(names) if name not in SIDES)
        raise UserError(f"{path}:{line_of(path, at)}: side is {names[at]!r}, not base or head", HINT) from None


def _boots(names: Sequence[str] | None, rows: int) -> IntArray:
    if names is None:
        return np.full(rows, -1, dtype=np.int64)
    known, code = _codes(names)
    empty = np.array([name.strip() == "" for name in known])
    return np.where(empty[code], -1, code)


def _runs(names: Sequence[str] | None, side: IntArray, boot: IntArray) -> IntArray:
    """Return run codes that are unique in the table: runs are numbered anew in every boot and on every side."""
    if names is None:
        return np.arange(side.size)
    _, code = _codes(names)
    combined = (code * 2 + side) * (boot.max(initial=0) + 2) + boot + 1
    unique: IntArray = np.unique(combined, return_inverse=True)[1].astype(np.int64, copy=False)
    return unique


def _numbers(path: Path, texts: Sequence[str], column: str, rows: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        numbers = np.fromiter(map(float, texts), dtype=np.float64, count=rows)
    except ValueError:
        at = next(i for i, text in enumerate(texts) if not is_number(text))
        raise UserError(f"{path}:{line_of(path, at)}: {column} is {texts[at]!r}, not a number", HINT) from None
    if column == "value" and not np.isfinite(numbers).all():
        at = int(np.flatnonzero(~np.isfinite(numbers))[0])
        hint = "leave out rows of runs that failed: missing is never zero"
        raise UserError(f"{path}:{line_of(path, at)}: value is {texts[at]!r}, not a finite number", hint)
    return numbers


def _better(path: Path, names: Sequence[str] | None, first: IntArray) -> IntArray:
    if names is None:
        return np.full(first.size, -1, dtype=np.int64)
    for at in first:
        if names[at].strip() not in BETTER:
            where = f"{path}:{line_of(path, int(at))}"
            raise UserError(f"{where}: better is {names[at]!r}, not lower, higher or none", HINT)
    return np.array([BETTER[names[at].strip()] for at in first], dtype=np.int64)
