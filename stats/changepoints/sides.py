"""Two runs of values side by side: one step, however it came about. Compiled like the rest of the scan."""

import math

import numpy as np

from stats.changepoints.limits import FloatArray
from stats.changepoints.noise import pull_in
from stats.changepoints.scan import CHANGE, describe, rescale, scale


def side_step(before: FloatArray, after: FloatArray, min_z: float, min_effect: float) -> FloatArray:
    """Return the step between two runs as one change row, its index 0, or no row where it is not clear."""
    y, noise, centre, unit = scale(np.concatenate((before, after)), min_effect)
    pulled = np.concatenate((pull_in(y[: before.size]), pull_in(y[before.size :])))
    rows = describe(y, pulled, np.array([before.size], dtype=np.int64), 0.0)
    rescale(rows, 1, (noise, centre, unit))
    low, high = rows[0, 1], rows[0, 2]
    height = abs(high - low) / unit if unit else abs(math.expm1(high - low))
    if rows[0, 3] < min_z or height < min_effect:
        return np.zeros((0, CHANGE))
    rows[0, 0], rows[0, 4], rows[0, 5] = 0.0, noise, unit
    return rows
