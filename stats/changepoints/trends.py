"""Trends among the cuts: a drift is not a staircase of changes, its beginning, its end and its turns are changes.

Least squares with constant pieces cuts every slope into stairs. Here pieces may be straight lines too, at a price.
"""

import math

import numpy as np

from stats.changepoints.limits import JUMP, PIECE_PRICE, SHORTEST_LINE, SLOPE_PRICE, FloatArray, IntArray
from stats.changepoints.noise import mean
from stats.changepoints.steps import edges, without


def bend(y: FloatArray, cuts: IntArray) -> IntArray:
    """Return the cuts that are steps, ends of slopes or turns, when pieces may be lines.

    Where no line is worth its price, only cuts that a line over both their sides describes better are taken out.
    """
    starts, lines = best_pieces(y, cuts)
    if not lines.any():
        return straighten(y, cuts)
    kept = np.empty(starts.size, dtype=np.int64)
    count = 0
    for k in range(1, starts.size):
        final = starts[k + 1] if k + 1 < starts.size else y.size
        place = (starts[k - 1], starts[k], final)
        if not (lines[k - 1] and lines[k]) or is_turn(y, place):
            kept[count] = starts[k]
            count += 1
    return kept[:count]


def best_pieces(y: FloatArray, cuts: IntArray) -> tuple[IntArray, IntArray]:
    """Return starts of the cheapest pieces between some of the cuts, and 1 for those that are lines."""
    n = y.size
    price = math.log(n)
    bounds = np.empty(cuts.size + 2, dtype=np.int64)
    bounds[0], bounds[cuts.size + 1] = 0, n
    for k in range(cuts.size):
        bounds[k + 1] = cuts[k]
    sums = moments(y)
    best = np.zeros(bounds.size)
    previous = np.zeros(bounds.size, dtype=np.int64)
    line = np.zeros(bounds.size, dtype=np.int64)
    for j in range(1, bounds.size):
        best[j] = math.inf
        for i in range(j):
            level_rest, line_rest, _, _ = fit(sums, bounds[i], bounds[j])
            line_rest += SLOPE_PRICE * price
            is_line = line_rest < level_rest and bounds[j] - bounds[i] >= SHORTEST_LINE
            cost = best[i] + PIECE_PRICE * price + (line_rest if is_line else level_rest)
            if cost < best[j]:
                best[j] = cost
                previous[j] = i
                line[j] = 1 if is_line else 0
    return walk_back(bounds, previous, line)


def walk_back(bounds: IntArray, previous: IntArray, line: IntArray) -> tuple[IntArray, IntArray]:
    """Return starts and kinds of the pieces that end at the last bound, first piece first."""
    count = 0
    j = bounds.size - 1
    while j > 0:
        j = previous[j]
        count += 1
    starts = np.zeros(count, dtype=np.int64)
    kinds = np.zeros(count, dtype=np.int64)
    j = bounds.size - 1
    for k in range(count - 1, -1, -1):
        kinds[k] = line[j]
        j = previous[j]
        starts[k] = bounds[j]
    return starts, kinds


def moments(y: FloatArray) -> FloatArray:
    """Return running sums of y, y^2 and t y, one row each, element i for what comes before index i."""
    sums = np.zeros((3, y.size + 1))
    for i in range(y.size):
        sums[0, i + 1] = sums[0, i] + y[i]
        sums[1, i + 1] = sums[1, i] + y[i] * y[i]
        sums[2, i + 1] = sums[2, i] + i * y[i]
    return sums


def fit(sums: FloatArray, a: int, b: int) -> tuple[float, float, float, float]:
    """Return what a level and what a line leave of the squares of y[a:b], then their mean and the line's slope."""
    n = b - a
    total = sums[0, b] - sums[0, a]
    level = sums[1, b] - sums[1, a] - total * total / n
    tilt = sums[2, b] - sums[2, a] - total * (a + 0.5 * (n - 1))
    spread = n * (n * n - 1.0) / 12.0
    slope = tilt / spread if n > 2 else 0.0
    return level, level - slope * tilt, total / n, slope


def is_turn(y: FloatArray, place: tuple[int, int, int]) -> bool:
    """Return whether two lines in a row go opposite ways, or the second starts clearly off the first's end."""
    a, b, c = place
    sums = moments(y)
    _, _, before, slope = fit(sums, a, b)
    _, _, after, next_slope = fit(sums, b, c)
    gap = (after - 0.5 * next_slope * (c - b)) - (before + 0.5 * slope * (b - a))
    return slope * next_slope <= 0.0 or abs(gap) >= JUMP * math.sqrt(4.0 / (b - a) + 4.0 / (c - b))


def is_drift(y: FloatArray, place: tuple[int, int, int]) -> bool:
    """Return whether one straight line describes the two pieces better than two levels do."""
    a, b, c = place
    n = c - a
    if b - a < 2 or c - b < 2:
        return False
    middle = mean(y, a, c)
    tilt = 0.0
    for i in range(a, c):
        tilt += (i - a - 0.5 * (n - 1)) * (y[i] - middle)
    by_line = tilt * tilt / (n * (n * n - 1.0) / 12.0)
    by_step = (mean(y, b, c) - mean(y, a, b)) ** 2 * (b - a) * (c - b) / n
    return by_line > by_step


def straighten(y: FloatArray, cuts: IntArray) -> IntArray:
    """Return the cuts without those that only follow a drift, the lowest dropped first."""
    while cuts.size > 0:
        weakest, lowest = -1, math.inf
        for k in range(cuts.size):
            place = edges(cuts, k, y.size)
            if is_drift(y, place):
                a, b, c = place
                clear = abs(mean(y, b, c) - mean(y, a, b)) / math.sqrt(1.0 / (b - a) + 1.0 / (c - b))
                if clear < lowest:
                    weakest, lowest = k, clear
        if weakest < 0:
            break
        cuts = without(cuts, weakest)
    return cuts
