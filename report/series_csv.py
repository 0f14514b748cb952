"""Series in a CSV file: rows to one value per revision, answers to JSON. No database."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from db.errors import UserError
from report.csv_rows import is_number, line_of
from report.words import counted
from stats.changepoints import Change, Segmentation, detect_many
from stats.changepoints.limits import FloatArray, IntArray

REQUIRED = ("series", "x", "value")
HINT = "columns: series,x,value and optionally rep (several rows of one x are repetitions)"


@dataclass(frozen=True, slots=True, eq=False)
class NamedSeries:
    """One series: the places on its x axis in order, and the median of the repetitions at each."""

    name: str
    x: tuple[str, ...]
    values: FloatArray


def read_csv(path: Path) -> list[NamedSeries]:
    """Return the series of a CSV file in order of appearance.

    An x axis of numbers is sorted; any other (commits, dates) keeps the order of its first appearance.
    """
    names, places, texts = _columns(path)
    values = _numbers(path, texts)
    known, series = _codes(names)
    spelled, place = _codes(places)
    rank = _rank(spelled)
    order = np.lexsort((values, rank[place], series))
    series, place, values = series[order], place[order], values[order]
    starts = np.flatnonzero(np.diff(series, prepend=-1) | np.diff(rank[place], prepend=-1))
    counts = np.diff(starts, append=values.size)
    middle = 0.5 * (values[starts + (counts - 1) // 2] + values[starts + counts // 2])
    cuts = np.searchsorted(series[starts], np.arange(len(known) + 1))
    labels = [spelled[code] for code in place[starts]]
    return [
        NamedSeries(name, tuple(labels[first:final]), middle[first:final])
        for name, first, final in zip(known, cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)
    ]


def detect_csv(path: Path) -> list[tuple[NamedSeries, Segmentation]]:
    """Return each series of a CSV file with its changes."""
    series = read_csv(path)
    return list(zip(series, detect_many([one.values for one in series]), strict=True))


def as_json(series: NamedSeries, found: Segmentation) -> dict[str, Any]:  # values of several JSON types
    """Return the public JSON fields of one series; what was set aside is never in `changes`."""
    return {
        "series": series.name,
        "points": found.n,
        "changes": [_change(change, series) for change in found.changes],
        "set_aside": [_change(change, series) for change in found.set_aside],
    }


def as_text(answers: Sequence[tuple[NamedSeries, Segmentation]]) -> str:
    """Return the changes as a table for people, and what was looked at."""
    rows = [
        (series.name, series.x[change.index], f"{change.effect:+.1%}", change.state.value, change.why)
        for series, found in answers
        for change in found.changes
    ]
    lines = []
    if rows:
        table = [("series", "at", "effect", "state", "why"), *rows]
        widths = [max(len(row[column]) for row in table) for column in range(4)]
        lines = ["  ".join([*map(str.ljust, row, widths), row[4]]) for row in table]
    aside = sum(len(found.set_aside) for _, found in answers)
    count = f"{counted(len(rows), 'change')} in {len(answers)} series"
    lines.append(f"{count}; {counted(aside, 'short-lived or noisy run')} set aside")
    return "\n".join(lines) + "\n"


def _change(change: Change, series: NamedSeries) -> dict[str, Any]:
    return {
        "index": change.index,
        "x": series.x[change.index],
        "before": change.before,
        "after": change.after,
        "effect": change.effect,
        "p": change.p,
        "z": change.z,
        "points": change.points,
        "state": change.state.value,
        "why": change.why,
    }


def _columns(path: Path) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{path}: cannot be read as CSV: {reason}", HINT) from error
    text = text.replace("\r\n", "\n")
    header = [name.strip() for name in text.partition("\n")[0].split(",")]
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise UserError(f"{path}:1: no column {', '.join(missing)} in the header line", HINT)
    columns = _split(text, len(header)) or _parse(path, len(header))
    if not columns[0]:
        raise UserError(f"{path}: no rows after the header line", HINT)
    series, x, value = (columns[header.index(name)] for name in REQUIRED)
    return series, x, value


def _split(text: str, width: int) -> list[list[str]] | None:
    """Return the columns of a regular text without quotes: one split instead of a row at a time; else None.

    Every line but the last must end in the mark that follows its last field, and nothing else may hold one.
    """
    body = text.partition("\n")[2].rstrip("\n")
    if '"' in body or not body or width < 2:
        return None
    fields = body.replace("\n", ",\n").split(",")
    first = "".join(fields[::width])
    rows = len(fields) // width
    if len(fields) % width or body.count("\n") != rows - 1 or first.count("\n") != rows - 1:
        return None
    return [first.split("\n"), *(fields[k::width] for k in range(1, width))]


def _parse(path: Path, width: int) -> list[list[str]]:
    """Return the columns of any CSV text, or raise with the line that is wrong."""
    rows = []
    with path.open(newline="", encoding="utf-8-sig") as handle:
        lines = csv.reader(handle, strict=True)
        try:
            next(lines)
            for row in lines:
                if row and len(row) != width:
                    where = f"{path}:{lines.line_num}"
                    raise UserError(f"{where}: {len(row)} fields, the header has {width}", HINT)
                rows.extend([row] if row else [])
        except csv.Error as error:
            raise UserError(f"{path}:{lines.line_num}: cannot be read as CSV: {error}", HINT) from error
    return [[row[k] for row in rows] for k in range(width)]


def _codes(names: Sequence[str]) -> tuple[tuple[str, ...], IntArray]:
    """Return the different names in order of appearance, and the code of each entry."""
    known = {name: code for code, name in enumerate(dict.fromkeys(names))}
    return tuple(known), np.fromiter(map(known.__getitem__, names), dtype=np.int64, count=len(names))


def _rank(spelled: Sequence[str]) -> IntArray:
    """Return the place of each spelling on the x axis; two spellings of one number share it."""
    try:
        numbers = np.array([float(text) for text in spelled])
    except ValueError:
        return np.arange(len(spelled))
    if not np.isfinite(numbers).all():
        return np.arange(len(spelled))
    return np.unique(numbers, return_inverse=True)[1].astype(np.int64)


def _numbers(path: Path, texts: Sequence[str]) -> FloatArray:
    try:
        numbers = np.fromiter(map(float, texts), dtype=np.float64, count=len(texts))
    except ValueError:
        at = next(row for row, text in enumerate(texts) if not is_number(text))
        raise UserError(f"{path}:{line_of(path, at)}: value is {texts[at]!r}, not a number", HINT) from None
    wrong = np.flatnonzero(~(np.abs(numbers) <= 1e150))
    if wrong.size:
        at = int(wrong[0])
        hint = "leave out rows of runs that failed: missing is never zero"
        raise UserError(f"{path}:{line_of(path, at)}: value is {texts[at]!r}, not a finite number", hint)
    return numbers
