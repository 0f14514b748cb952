"""The best cut of a series into pieces of constant level, by least squares with a price per piece."""

import math

import numpy as np

from stats.changepoints.limits import FloatArray, IntArray


def partition(y: FloatArray, penalty: float) -> IntArray:
    """Return the first index of every piece but the first, for the optimal partitioning of `y`.

    Functional pruning (Maidstone et al. 2017, doi 10.1007/s11222-016-9636-3): for every level the last piece could
    have, only the best start is kept, so that a point costs a handful of candidates and not one per earlier point.
    """
    n = y.size
    low, high = y[0], y[0]
    for i in range(n):
        low = min(low, y[i])
        high = max(high, y[i])
    if not high > low:
        return np.zeros(0, dtype=np.int64)
    total = np.zeros(n + 1)
    gain = np.zeros(n + 1)  # cost up to a cut, without the sum of squares that all cuts share
    last = np.zeros(n + 1, dtype=np.int64)
    start = np.zeros(2 * n + 4, dtype=np.int64)  # candidate of each stretch of levels …
    upper = np.empty(2 * n + 4)  # … which reaches up to here
    next_start = np.zeros(2 * n + 4, dtype=np.int64)
    next_upper = np.empty(2 * n + 4)
    upper[0] = high
    inverse = reciprocals(n)
    count = 1
    for t in range(1, n + 1):
        total[t] = total[t - 1] + y[t - 1]
        best = math.inf
        left = low
        for i in range(count):
            s = start[i]
            rise = total[t] - total[s]
            level = min(max(rise * inverse[t - s], left), upper[i])
            cost = gain[s] + level * ((t - s) * level - 2.0 * rise)
            if cost < best:
                best = cost
                last[t] = s
            left = upper[i]
        gain[t] = best + penalty
        kept = 0
        left = low
        for i in range(count):
            s = start[i]
            right = upper[i]
            first, final = worth(inverse[t - s], total[t] - total[s], gain[t] - gain[s], left, right)
            kept = put(next_start, next_upper, kept, t, first) if first > left else kept
            if first < right:
                kept = put(next_start, next_upper, kept, s, final)
                kept = put(next_start, next_upper, kept, t, right) if final < right else kept
            left = right
        start, next_start = next_start, start
        upper, next_upper = next_upper, upper
        count = kept
    return trace(last)


def reciprocals(n: int) -> FloatArray:
    """Return 1 / i at i; the divisions were half of the time."""
    inverse = np.zeros(n + 1)
    for i in range(1, n + 1):
        inverse[i] = 1.0 / i
    return inverse


def worth(per_width: float, rise: float, room: float, left: float, right: float) -> tuple[float, float]:
    """Return the levels at which a candidate is no dearer than a cut here and now; (right, right) where there is none.

    Its cost at a level is level^2 / per_width - 2 * rise * level, and `room` is how dear it may be.
    """
    middle = rise * per_width
    square = middle * middle + room * per_width
    if square <= 0.0:
        return right, right
    root = math.sqrt(square)
    first, final = max(middle - root, left), min(middle + root, right)
    return (first, final) if final > first else (right, right)


def put(start: IntArray, upper: FloatArray, count: int, candidate: int, right: float) -> int:
    """Let a candidate have the levels up to `right`, and return how many stretches there are now."""
    if count > 0 and start[count - 1] == candidate:
        count -= 1
    start[count] = candidate
    upper[count] = right
    return count + 1


def trace(last: IntArray) -> IntArray:
    """Return the cuts in ascending order, from the last cut before every point."""
    pieces = 0
    t = last.size - 1
    while t > 0:
        t = last[t]
        pieces += 1
    cuts = np.zeros(max(pieces - 1, 0), dtype=np.int64)
    t = last[last.size - 1]
    for k in range(pieces - 2, -1, -1):
        cuts[k] = t
        t = last[t]
    return cuts
