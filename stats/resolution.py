"""Coarse values: the smallest step that a metric's values can take, where repeats show that there is one."""

import numpy as np

from stats.policy import FloatArray, IntArray

PROBE = 32  # values per metric looked at for repeats; continuous measurements never repeat exactly


def steps(metric: IntArray, value: FloatArray, metrics: int) -> FloatArray:
    """Return the grid [metrics] that each metric's values sit on, in their unit; 0 where there is none.

    `metric` is sorted. Only metrics with repeated values are looked at: the step is the smallest gap between
    two values, if all values are whole multiples of it away from each other.
    """
    found = np.zeros(metrics)
    first = np.searchsorted(metric, np.arange(metrics + 1))
    for m in _repeating(first, value):
        levels = np.unique(value[first[m] : first[m + 1]])
        if levels.size < 2:
            continue
        step = float(np.diff(levels).min())
        away = (levels - levels[0]) / step
        if np.abs(away - np.round(away)).max() < 0.01:
            found[m] = step
    return found


def _repeating(first: IntArray, value: FloatArray) -> IntArray:
    """Return the metrics of which some of the first values are equal."""
    rows = np.minimum(first[:-1, None] + np.arange(PROBE), np.maximum(first[1:, None] - 1, 0))
    if not value.size:
        return np.zeros(0, dtype=np.int64)
    probe = value[np.minimum(rows, value.size - 1)]
    beyond = first[:-1, None] + np.arange(PROBE) >= first[1:, None]
    probe = np.sort(np.where(beyond, np.nan, probe), axis=1)
    return np.flatnonzero((np.diff(probe, axis=1) == 0).any(axis=1))
