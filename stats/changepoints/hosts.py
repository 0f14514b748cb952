"""The step at a host-state change: measured, shown, and never called a change of the code."""

import math

import numpy as np

from stats.changepoints.limits import FloatArray, IntArray, Tuning
from stats.changepoints.noise import pull_in
from stats.changepoints.scan import CHANGE, describe, scale

SIDE = 50  # points on either side that are compared, at most


def splits(host_states: IntArray | None, n: int) -> IntArray:
    """Return the end of every run of equal host states; the last one is `n`."""
    if host_states is None or n == 0:
        return np.array([n], dtype=np.int64)
    states = np.asarray(host_states, dtype=np.int64)
    if states.shape != (n,):
        raise ValueError(f"{states.size} host states for {n} values")
    return np.append(np.flatnonzero(np.diff(states)) + 1, n).astype(np.int64)


def compare_sides(before: FloatArray, after: FloatArray, tuning: Tuning) -> FloatArray:
    """Return the step between two runs as one change row, its index 0, or no row where it is not clear."""
    before, after = before[-SIDE:], after[:SIDE]
    if before.size < 2 or after.size < 2:
        return np.zeros((0, CHANGE))
    y, noise, centre, unit = scale(np.concatenate((before, after)), tuning)
    pulled = np.concatenate((pull_in(y[: before.size], tuning), pull_in(y[before.size :], tuning)))
    rows = describe(pulled, np.array([before.size], dtype=np.int64), 0.0, tuning)
    rows[:, 1:3] = centre + noise * rows[:, 1:3]
    rows[:, 4], rows[:, 5] = noise, unit
    height = abs(rows[0, 2] - rows[0, 1]) if unit else abs(math.expm1(rows[0, 2] - rows[0, 1]))
    is_change = rows[0, 3] >= tuning.min_z and height >= tuning.min_effect * (unit or 1.0)
    rows[:, 0] = 0.0
    return rows if is_change else rows[:0]
