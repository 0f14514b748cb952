"""Arrays in, changes out: one series, or thousands at once."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from stats.changepoints.answer import Change, Segmentation, State
from stats.changepoints.compiled import runner
from stats.changepoints.hosts import SIDE, compare_sides, splits
from stats.changepoints.limits import DEFAULTS, FloatArray, IntArray, Limits, Tuning

LARGEST = 1e150  # magnitude of a value; sums of squares of larger ones overflow


def detect(values: FloatArray, *, limits: Limits = DEFAULTS, host_states: IntArray | None = None) -> Segmentation:
    """Return the changes of a series: one value per revision, oldest first.

    Positive values are looked at as logarithms. `host_states` (a code per value) splits the series where it changes;
    a step exactly there is labelled `host_changed`. Fewer than four values have no changes.
    """
    series = checked(values)
    tuning = constants(limits)
    ends = splits(host_states, series.size)
    changes, counts, excursions, more = runner("follow_all", series.size)(series, ends, tuning)
    starts = np.concatenate(([0], ends[:-1]))
    changes[:, 0] += np.repeat(starts, counts)
    excursions[:, :2] += np.repeat(starts, more)[:, None]
    steps = [_host_step(series, changes[:, 0], end, ends, tuning) for end in ends[:-1]]
    return assemble(series.size, changes, excursions, np.concatenate([changes[:0], *steps]), limits)


def detect_many(arrays: Sequence[FloatArray], *, limits: Limits = DEFAULTS) -> list[Segmentation]:
    """Return the changes of every series, in their order; much faster than one by one."""
    series = [checked(values) for values in arrays]
    if not series:
        return []
    ends = np.cumsum([one.size for one in series])
    together = np.concatenate(series)
    changes, counts, excursions, more = runner("follow_all", together.size)(together, ends, constants(limits))
    answers = []
    first, early = 0, 0
    for one, count, aside in zip(series, counts.tolist(), more.tolist(), strict=True):
        if count or aside:
            rows, runs = changes[first : first + count], excursions[early : early + aside]
            answers.append(assemble(one.size, rows, runs, changes[:0], limits))
        else:
            answers.append(Segmentation(one.size))
        first, early = first + count, early + aside
    return answers


def checked(values: Any) -> FloatArray:  # anything that numpy takes for numbers
    """Return the values as a flat array of finite floats, or raise."""
    series = np.ascontiguousarray(values, dtype=np.float64)
    if series.ndim != 1:
        raise ValueError(f"a series has one dimension, not {series.ndim}")
    if series.size and not np.abs(series).max() <= LARGEST:  # also true of NaN
        place = int(np.flatnonzero(~(np.abs(series) <= LARGEST))[0])
        raise ValueError(f"value {place} is {series[place]}: missing and infinite values have no place in a series")
    return series


def constants(limits: Limits) -> Tuning:
    """Return the constants of the method with the user's limits among them."""
    return Tuning(min_z=float(limits.min_z), min_effect=float(limits.min_effect))


def assemble(
    n: int, changes: FloatArray, excursions: FloatArray, host_steps: FloatArray, limits: Limits
) -> Segmentation:
    """Return the rows of the scan as values with states."""
    rows = [(row, False) for row in changes.tolist()] + [(row, True) for row in host_steps.tolist()]
    rows.sort(key=lambda one: one[0][0])
    ends = [int(row[0]) for row, _ in rows[1:]] + [n]
    found = tuple(_change(row, end, limits, at_host=at_host) for (row, at_host), end in zip(rows, ends, strict=False))
    aside = tuple(_excursion(row, n) for row in sorted(excursions.tolist()))
    return Segmentation(n, found, aside)


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


def _host_step(series: FloatArray, indices: FloatArray, at: int, ends: IntArray, tuning: Tuning) -> FloatArray:
    """Return the row of the step at a host-state change, from the pieces on both sides of it."""
    first = max([0, *(ends[ends < at]), *(indices[indices < at])], default=0)
    final = min([*(ends[ends > at]), *(indices[indices > at])])
    row = compare_sides(series[max(int(first), at - SIDE) : at], series[at : min(int(final), at + SIDE)], tuning)
    row[:, 0] += at
    return row
