"""One window of a series, from values to changes: the order of the steps is here, what they do is beside it."""

import math

import numpy as np

from stats.changepoints.excursions import EXCURSION, middle, settle
from stats.changepoints.limits import FEWEST, FLOOR, HALF_WINDOW, LAGS, PIECE_PRICE, WINSOR, FloatArray, IntArray
from stats.changepoints.noise import lag_noise, mean, median, pull_in
from stats.changepoints.partition import partition
from stats.changepoints.steps import choose, clear_enough, clearness, edges, eliminate, products
from stats.changepoints.trends import bend

CHANGE = 6  # index, level before, level after, z, noise, unit of an effect (0: levels are logs)


def scale(values: FloatArray, min_effect: float) -> tuple[FloatArray, float, float, float]:
    """Return the values in units of their noise, then the noise, the centre, and the unit of an effect (0 for logs).

    Noise much smaller than the smallest effect of interest is taken as a fifth of that: zero spread is no certainty.
    """
    n = values.size
    y, order = np.empty(n), np.empty(n)
    lowest, largest = values[0], 0.0
    for i in range(n):
        lowest = min(lowest, values[i])
        largest = max(largest, abs(values[i]))
        order[i] = abs(values[i])
    logs = lowest > 0.0
    unit = 0.0 if logs else median(order)
    if not logs and unit == 0.0:
        unit = max(largest, 1e-300)
    for i in range(n):
        y[i] = math.log(values[i]) if logs else values[i]
        order[i] = y[i]
    centre = median(order)
    least = FLOOR * min_effect * (1.0 if logs else unit)
    noise = max(lag_noise(y, LAGS), least, 1e-300)
    for i in range(n):
        y[i] = min(max((y[i] - centre) / noise, -1e8), 1e8)
    return y, noise, centre, unit


def scan(values: FloatArray, min_z: float, min_effect: float) -> tuple[FloatArray, FloatArray]:
    """Return the changes (rows of CHANGE columns) and the excursions (rows of EXCURSION columns) of one window."""
    n = values.size
    if n < FEWEST:
        return np.zeros((0, CHANGE)), np.zeros((0, EXCURSION))
    y, noise, centre, unit = scale(values, min_effect)
    pulled = pull_in(y)
    cuts = partition(pulled, PIECE_PRICE * math.log(n))
    if cuts.size == 0:
        return np.zeros((0, CHANGE)), np.zeros((0, EXCURSION))
    smallest = (math.log1p(min_effect) if unit == 0.0 else min_effect * unit) / noise
    cuts, early = settle(y, pulled, cuts)
    cuts, rho = choose(pulled, cuts)
    cuts = bend(pulled, eliminate(pulled, cuts, rho, smallest, clear_enough(y, pulled, min_z)))
    cuts, late = settle(y, pulled, cuts)
    cuts = eliminate(pulled, cuts, rho, smallest, clear_enough(y, pulled, min_z))
    excursions = append(early, early.shape[0], late, 0)
    changes = describe(y, pulled, cuts, rho)
    rescale(excursions, 2, (noise, centre, unit))
    rescale(changes, 1, (noise, centre, unit))
    for row in range(changes.shape[0]):
        changes[row, 4] = noise
    return changes, excursions


def rescale(rows: FloatArray, column: int, scales: tuple[float, float, float]) -> None:
    """Bring two columns of levels back from units of the noise, and write the unit of an effect into the last one."""
    noise, centre, unit = scales
    for row in range(rows.shape[0]):
        for level in (column, column + 1):
            rows[row, level] = centre + noise * rows[row, level]
        rows[row, 5] = unit


def describe(y: FloatArray, pulled: FloatArray, cuts: IntArray, rho: float) -> FloatArray:
    """Return one row per cut with its index, the levels on both sides, and its z.

    The levels are those of the values themselves: a short piece has been pulled in towards its neighbours, which is
    caution for z and would be a wrong effect.
    """
    sums = products(pulled)
    rows = np.zeros((cuts.size, CHANGE))
    for k in range(cuts.size):
        a, b, c = edges(cuts, k, pulled.size)
        rows[k, 0] = b
        rows[k, 1] = typical(y, pulled, a, b)
        rows[k, 2] = typical(y, pulled, b, c)
        rows[k, 3] = clearness(pulled, sums, (a, b, c), rho)
    return rows


def typical(y: FloatArray, pulled: FloatArray, a: int, b: int) -> float:
    """Return the level of y[a:b]: the mean, with values far from the piece's own median pulled in to it."""
    if b - a > 2 * HALF_WINDOW:
        return mean(pulled, a, b)
    centre = middle(y, a, b)
    total = 0.0
    for i in range(a, b):
        total += min(max(y[i], centre - WINSOR), centre + WINSOR)
    return total / (b - a)


def append(rows: FloatArray, used: int, more: FloatArray, spare: int) -> FloatArray:
    """Return the array with rows added behind the used ones; a full one grows by `spare` rows more than needed."""
    count = more.shape[0]
    if used + count > rows.shape[0]:
        grown = np.zeros((used + count + spare, rows.shape[1]))
        for row in range(used):
            for column in range(rows.shape[1]):
                grown[row, column] = rows[row, column]
        rows = grown
    for row in range(count):
        for column in range(rows.shape[1]):
            rows[used + row, column] = more[row, column]
    return rows
