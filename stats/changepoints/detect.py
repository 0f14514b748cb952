"""Arrays in, changes out: one series, or thousands at once."""

import math
from collections.abc import Sequence
from itertools import islice
from typing import Any, TypeAlias

import numpy as np

from stats.changepoints.answer import Change, Segmentation, State
from stats.changepoints.compiled import runner
from stats.changepoints.hosts import SIDE, compare_sides, splits
from stats.changepoints.limits import DEFAULTS, WINDOW, FloatArray, IntArray, Limits

Rows: TypeAlias = list[list[float]]


def detect(values: FloatArray, *, limits: Limits = DEFAULTS, host_states: IntArray | None = None) -> Segmentation:
    """Return the changes of a series: one value per revision, oldest first.

    Positive values are looked at as logarithms. `host_states` (a code per value) splits the series where it changes;
    a step exactly there is labelled `host_changed`. Fewer than four values have no changes.
    """
    series = checked(values)
    if host_states is not None:
        return _detect_across_hosts(series, splits(host_states, series.size), limits)
    whole = "scan" if series.size <= WINDOW else "follow"
    changes, excursions = runner(whole, series.size)(series, limits.min_z, limits.min_effect)
    return assemble(series.size, changes.tolist(), excursions.tolist(), [], limits)


def detect_many(arrays: Sequence[FloatArray], *, limits: Limits = DEFAULTS) -> list[Segmentation]:
    """Return the changes of every series, in their order; much faster than one by one."""
    series = [checked(values) for values in arrays]
    if not series:
        return []
    sizes = [one.size for one in series]
    changes, excursions = _follow_all(np.concatenate(series), np.cumsum(sizes), limits)
    return [assemble(n, rows, aside, [], limits) for n, rows, aside in zip(sizes, changes, excursions, strict=True)]


def checked(values: Any) -> FloatArray:  # anything that numpy takes for numbers
    """Return the values as a flat array of finite floats, or raise."""
    series = np.ascontiguousarray(values, dtype=np.float64)
    if series.ndim != 1:
        raise ValueError(f"a series has one dimension, not {series.ndim}")
    with np.errstate(over="ignore"):
        is_finite = float(series.dot(series)) < math.inf  # false for NaN
    if not is_finite:
        place = int(np.flatnonzero(~(np.abs(series) < 1e140))[0])
        raise ValueError(f"value {place} is {series[place]}: missing and infinite values have no place in a series")
    return series


def assemble(n: int, changes: Rows, excursions: Rows, host_steps: Rows, limits: Limits) -> Segmentation:
    """Return the rows of the scan as values with states."""
    if not (changes or excursions or host_steps):
        return Segmentation(n)
    rows = sorted([(row, False) for row in changes] + [(row, True) for row in host_steps])
    ends = [int(row[0]) for row, _ in rows[1:]] + [n]
    found = tuple(_change(row, end, limits, at_host=at_host) for (row, at_host), end in zip(rows, ends, strict=False))
    return Segmentation(n, found, tuple(_excursion(row, n) for row in sorted(excursions)))


def _detect_across_hosts(series: FloatArray, ends: IntArray, limits: Limits) -> Segmentation:
    """Return the changes inside every run of one host state, and the steps between the runs."""
    changes, excursions = _follow_all(series, ends, limits)
    starts = [0, *ends.tolist()[:-1]]
    moved = [[row[0] + start, *row[1:]] for start, rows in zip(starts, changes, strict=True) for row in rows]
    aside = [
        [row[0] + start, row[1] + start, *row[2:]]
        for start, rows in zip(starts, excursions, strict=True)
        for row in rows
    ]
    edges = np.unique([*ends.tolist(), *(row[0] for row in moved)]).astype(np.int64)
    steps = [row for at in ends.tolist()[:-1] for row in _host_step(series, edges, at, limits)]
    return assemble(series.size, moved, aside, steps, limits)


def _follow_all(together: FloatArray, ends: IntArray, limits: Limits) -> tuple[list[Rows], list[Rows]]:
    """Return the rows of changes and of excursions of each of several series that lie one behind the other."""
    call = runner("follow_all", together.size)
    changes, counts, excursions, more = call(together, ends, limits.min_z, limits.min_effect)
    return _dealt(changes.tolist(), counts.tolist()), _dealt(excursions.tolist(), more.tolist())


def _dealt(rows: Rows, counts: list[int]) -> list[Rows]:
    rest = iter(rows)
    return [list(islice(rest, count)) for count in counts]


def _change(row: list[float], end: int, limits: Limits, *, at_host: bool) -> Change:
    index, before, after, z, noise, unit = row
    before, after, effect = _levels(before, after, unit)
    state = State.CONFIRMED if end - index >= limits.confirmed_after else State.CANDIDATE
    p = math.erfc(z / math.sqrt(2.0))
    share = noise / unit if unit else noise
    return Change(int(index), end, before, after, effect, p, z, state, noise=share, host_changed=at_host)


def _excursion(row: list[float], n: int) -> Change:
    start, end, before, after, expected, unit = row
    before, after, effect = _levels(before, after, unit)
    is_back = start > 0 and end < n
    state = State.TRANSIENT if is_back and expected < 0.5 else State.NOISY
    return Change(int(start), int(end), before, after, effect, 1.0, 0.0, state, expected=expected)


def _levels(before: float, after: float, unit: float) -> tuple[float, float, float]:
    """Return the levels and the effect; `unit` is 0 where the levels are logarithms."""
    if unit:
        return before, after, (after - before) / unit
    return math.exp(before), math.exp(after), math.expm1(after - before)


def _host_step(series: FloatArray, edges: IntArray, at: int, limits: Limits) -> Rows:
    """Return the row of the step at a host-state change, from the pieces on both sides of it."""
    place = int(np.searchsorted(edges, at))
    first = int(edges[place - 1]) if place else 0
    final = int(edges[place + 1])
    rows = compare_sides(series[max(first, at - SIDE) : at], series[at : min(final, at + SIDE)], limits)
    return [[row[0] + at, *row[1:]] for row in rows]
