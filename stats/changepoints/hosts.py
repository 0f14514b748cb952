"""The step at a host-state change: measured, shown, and never called a change of the code."""

import numpy as np

from stats.changepoints.compiled import runner
from stats.changepoints.limits import FloatArray, IntArray, Limits

SIDE = 50  # points on either side that are compared, at most


def splits(host_states: IntArray | None, n: int) -> IntArray:
    """Return the end of every run of equal host states; the last one is `n`."""
    if host_states is None or n == 0:
        return np.array([n], dtype=np.int64)
    states = np.asarray(host_states, dtype=np.int64)
    if states.shape != (n,):
        raise ValueError(f"{states.size} host states for {n} values")
    return np.append(np.flatnonzero(np.diff(states)) + 1, n).astype(np.int64)


def compare_sides(before: FloatArray, after: FloatArray, limits: Limits) -> list[list[float]]:
    """Return the step between two runs as one change row, its index 0, or no row where it is not clear."""
    before, after = before[-SIDE:], after[:SIDE]
    if before.size < 2 or after.size < 2:
        return []
    step = runner("side_step", before.size + after.size)
    rows: list[list[float]] = step(before, after, limits.min_z, limits.min_effect).tolist()
    return rows
