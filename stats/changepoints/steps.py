"""Which cuts are changes: a step under autocorrelated noise, tested, compared and eliminated backwards.

Values are in units of the noise. The noise is taken as autoregressive of order one, because what wanders by itself
(a trend, a random walk, slow drift of a host) would otherwise be cut into a staircase of "changes".
"""

import math

import numpy as np

from stats.changepoints.limits import CHANGE_PRICE, PRIOR_DF, RHO_PRICE, RHOS, WANDER_PRICE, FloatArray, IntArray
from stats.changepoints.noise import mean


def edges(cuts: IntArray, k: int, n: int) -> tuple[int, int, int]:
    """Return start, cut and end of the two pieces around cut `k`."""
    before = cuts[k - 1] if k > 0 else 0
    after = cuts[k + 1] if k + 1 < cuts.size else n
    return before, cuts[k], after


def without(cuts: IntArray, k: int) -> IntArray:
    """Return the cuts without number `k`."""
    rest = np.empty(cuts.size - 1, dtype=np.int64)
    for i in range(rest.size):
        rest[i] = cuts[i] if i < k else cuts[i + 1]
    return rest


def innovations(y: FloatArray, rho: float) -> FloatArray:
    """Return the running sum of y[t] - rho y[t-1]: element i sums what comes before index i."""
    sums = np.zeros(y.size + 1)
    for t in range(1, y.size):
        sums[t + 1] = sums[t] + y[t] - rho * y[t - 1]
    return sums


def step(y: FloatArray, sums: FloatArray, place: tuple[int, int, int], rho: float) -> tuple[float, float, float]:
    """Return level before, step, and the step's variance in units of the innovations' variance.

    Exact generalised least squares for one step in AR(1) noise: the mean difference where there is no
    autocorrelation, the jump from one point to the next where there is nothing else.
    """
    a, b, c = place
    q = 1.0 - rho
    at = y[b] - rho * y[b - 1]
    after = sums[c] - sums[b + 1]
    n_after = c - b - 1
    a11 = (1.0 - rho * rho) + q * q * (c - a - 1)
    a12 = q + q * q * n_after
    a22 = 1.0 + q * q * n_after
    b1 = (1.0 - rho * rho) * y[a] + q * (sums[b] - sums[a + 1] + at + after)
    b2 = at + q * after
    det = a11 * a22 - a12 * a12
    return (a22 * b1 - a12 * b2) / det, (a11 * b2 - a12 * b1) / det, a11 / det


def roughness(y: FloatArray, cuts: IntArray, rho: float) -> float:
    """Return the sum of squared innovations that is left when every piece has its own level."""
    left = 0.0
    previous = 0.0
    for k in range(cuts.size + 1):
        a = cuts[k - 1] if k > 0 else 0
        b = cuts[k] if k < cuts.size else y.size
        level = mean(y, a, b)
        for i in range(a, b):
            rest = y[i] - level
            left += (1.0 - rho * rho) * rest * rest if i == 0 else (rest - rho * previous) ** 2
            previous = rest
    return left


def choose(y: FloatArray, cuts: IntArray) -> tuple[IntArray, float]:
    """Return the cuts and the autocorrelation that describe the series best together.

    For each autocorrelation the weakest cut is dropped again and again; of all descriptions on the way the cheapest
    wins: n log(variance) + price per cut. The price rises with the autocorrelation, whose estimate is the
    more flattered the more pieces there are.
    """
    n = y.size
    cheapest = math.inf
    best = cuts
    best_rho = 0.0
    for rho in RHOS:
        sums = innovations(y, rho)
        rest = cuts
        price = (CHANGE_PRICE + WANDER_PRICE * rho * rho) * math.log(n)
        entry = RHO_PRICE * rho * rho * math.log(n) - math.log(1.0 - rho * rho)
        while True:
            variance = roughness(y, rest, rho) / n + 1e-4
            cost = n * math.log(variance) + price * rest.size + entry
            if cost < cheapest:
                cheapest, best, best_rho = cost, rest, rho
            if rest.size == 0:
                break
            weakest, lowest = 0, math.inf
            for k in range(rest.size):
                _, height, variance = step(y, sums, edges(rest, k, n), rho)
                clear = height * height / variance
                if clear < lowest:
                    weakest, lowest = k, clear
            rest = without(rest, weakest)
    return best, best_rho


def clearness(y: FloatArray, sums: FloatArray, place: tuple[int, int, int], rho: float) -> float:
    """Return the z of the step at a cut; the variance around it is shrunk towards that of the whole window."""
    level, height, factor = step(y, sums, place, rho)
    a, b, c = place
    rest = y[a] - level
    left = (1.0 - rho * rho) * rest * rest
    for i in range(a + 1, c):
        previous = rest
        rest = y[i] - level - (height if i >= b else 0.0)
        left += (rest - rho * previous) ** 2
    variance = (PRIOR_DF * (1.0 - rho * rho) + left) / (PRIOR_DF + c - a - 2)
    return abs(height) / math.sqrt(variance * factor)


def eliminate(y: FloatArray, cuts: IntArray, rho: float, smallest: float, min_z: float) -> IntArray:
    """Return the cuts that are clear and at least `smallest` noise units high, the weakest dropped first."""
    sums = innovations(y, rho)
    while cuts.size > 0:
        weakest, lowest = 0, math.inf
        for k in range(cuts.size):
            place = edges(cuts, k, y.size)
            a, b, c = place
            z = clearness(y, sums, place, rho)
            height = abs(mean(y, b, c) - mean(y, a, b))
            if height < smallest:
                z = min(z, 1e-3 * height / smallest)
            if z < lowest:
                weakest, lowest = k, z
        if lowest >= min_z:
            break
        cuts = without(cuts, weakest)
    return cuts
