"""Sums by group."""

import numpy as np

from stats.policy import BoolArray, FloatArray, IntArray


def totals(index: IntArray, weights: FloatArray | IntArray | BoolArray, size: int) -> FloatArray:
    """Return the sum of the weights of each group 0 … size-1, as floats."""
    return np.bincount(index, weights=weights, minlength=size).astype(np.float64, copy=False)


def codes(key: IntArray) -> IntArray:
    """Return a code 0, 1, … for each key, in the order of the keys; quick where equal keys mostly stand together."""
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]][: key.size])
    _, code = np.unique(key[first], return_inverse=True)
    return np.repeat(code, np.diff(np.r_[first, key.size]))
