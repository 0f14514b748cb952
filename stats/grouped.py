"""Sums by group."""

import numpy as np

from stats.policy import BoolArray, FloatArray, IntArray


def totals(index: IntArray, weights: FloatArray | IntArray | BoolArray, size: int) -> FloatArray:
    """Return the sum of the weights of each group 0 … size-1, as floats."""
    return np.bincount(index, weights=weights, minlength=size).astype(np.float64, copy=False)
