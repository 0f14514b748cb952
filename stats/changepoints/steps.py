"""Which cuts are changes: a step under autocorrelated noise, tested, compared and eliminated backwards.

Values are in units of the noise. The noise is taken as autoregressive of order one, because what wanders by itself
(a trend, a random walk, slow drift of a host) would otherwise be cut into a staircase of "changes".
"""

import math

import numpy as np

from stats.changepoints.limits import (
    CHANGE_PRICE,
    NEAR,
    PRIOR_DF,
    RHO_PRICE,
    RHOS,
    STRAY_PRICE,
    STRAYS_UNSEEN,
    WANDER_PRICE,
    FloatArray,
    IntArray,
)
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


def products(y: FloatArray) -> FloatArray:
    """Return running sums of y, y^2 and y[t] y[t-1], one row each, element i for what comes before index i."""
    sums = np.zeros((3, y.size + 1))
    for t in range(y.size):
        sums[0, t + 1] = sums[0, t] + y[t]
        sums[1, t + 1] = sums[1, t] + y[t] * y[t]
        sums[2, t + 1] = sums[2, t] + (y[t] * y[t - 1] if t > 0 else 0.0)
    return sums


def step(y: FloatArray, sums: FloatArray, place: tuple[int, int, int], rho: float) -> tuple[float, float, float]:
    """Return level before, step, and the step's variance in units of the innovations' variance.

    Exact generalised least squares for one step in AR(1) noise: the mean difference where there is no
    autocorrelation, the jump from one point to the next where there is nothing else.
    """
    a, b, c = place
    q = 1.0 - rho
    at = y[b] - rho * y[b - 1]
    before = sums[0, b] - sums[0, a + 1] - rho * (sums[0, b - 1] - sums[0, a])
    after = sums[0, c] - sums[0, b + 1] - rho * (sums[0, c - 1] - sums[0, b])
    n_after = c - b - 1
    a11 = (1.0 - rho * rho) + q * q * (c - a - 1)
    a12 = q + q * q * n_after
    a22 = 1.0 + q * q * n_after
    b1 = (1.0 - rho * rho) * y[a] + q * (before + at + after)
    b2 = at + q * after
    det = a11 * a22 - a12 * a12
    return (a22 * b1 - a12 * b2) / det, (a11 * b2 - a12 * b1) / det, a11 / det


def leftovers(y: FloatArray, sums: FloatArray, cuts: IntArray) -> tuple[float, float, float, float]:
    """Return what is left when every piece has its own level: sums of squares and of neighbours' products, the ends.

    From running sums, so that it costs as much as there are pieces and not as there are points.
    """
    squares, neighbours, before = 0.0, 0.0, 0.0
    ends = 0.0
    for k in range(cuts.size + 1):
        a = cuts[k - 1] if k > 0 else 0
        b = cuts[k] if k < cuts.size else y.size
        total = sums[0, b] - sums[0, a]
        level = total / (b - a)
        squares += sums[1, b] - sums[1, a] - total * level
        inner = 2.0 * total - y[a] - y[b - 1]
        neighbours += sums[2, b] - sums[2, a + 1] - level * inner + (b - a - 1) * level * level
        neighbours += before * (y[a] - level)
        before = y[b - 1] - level
        if k == 0:
            ends = (y[0] - level) ** 2
    return max(squares, 0.0), neighbours, ends, before * before


def choose(y: FloatArray, cuts: IntArray) -> tuple[IntArray, float]:
    """Return the cuts and the autocorrelation that describe the series best together.

    For each autocorrelation the weakest cut is dropped again and again; of all descriptions on the way the cheapest
    wins: n log(variance) + price per cut. The price rises with the autocorrelation, whose estimate is the
    more flattered the more pieces there are.
    """
    n = y.size
    sums = products(y)
    cheapest = math.inf
    best = cuts
    best_rho = 0.0
    for rho in RHOS:
        rest = cuts
        price = (CHANGE_PRICE + WANDER_PRICE * rho * rho) * math.log(n)
        entry = RHO_PRICE * rho * rho * math.log(n) - math.log(1.0 - rho * rho)
        while True:
            squares, neighbours, first, final = leftovers(y, sums, rest)
            left = squares - 2.0 * rho * neighbours + rho * rho * (squares - first - final)
            variance = max(left, 0.0) / n + 1e-4
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
    """Return the z of the step at a cut; the variance around it is shrunk towards that of the whole window.

    Few points know their variance badly: t is brought to the normal scale (Wallace 1959, doi 10.1214/aoms/1177706096).
    """
    level, height, factor = step(y, sums, place, rho)
    a, b, c = place
    rest = y[a] - level
    left = (1.0 - rho * rho) * rest * rest
    for i in range(a + 1, c):
        previous = rest
        rest = y[i] - level - (height if i >= b else 0.0)
        left += (rest - rho * previous) ** 2
    df = PRIOR_DF + c - a - 2
    variance = (PRIOR_DF * (1.0 - rho * rho) + left) / df
    t_squared = height * height / (variance * factor)
    return (8.0 * df + 1.0) / (8.0 * df + 3.0) * math.sqrt(df * math.log1p(t_squared / df))


def clear_enough(y: FloatArray, pulled: FloatArray, min_z: float) -> FloatArray:
    """Return the z that a change at each index must have: more where values nearby had to be pulled in.

    z promises what it says under normal noise. A neighbourhood in which one value in twenty is far out has tails that
    make steps of half a standard error more by themselves; in few points they may not have shown yet.
    """
    n = y.size
    strays = np.zeros(n + 1)
    for i in range(n):
        strays[i + 1] = strays[i] + (1.0 if abs(pulled[i] - y[i]) > 1e-9 else 0.0)
    needed = np.empty(n)
    for i in range(n):
        a, b = max(0, i - NEAR), min(n, i + NEAR)
        needed[i] = min_z + STRAY_PRICE * (STRAYS_UNSEEN + strays[b] - strays[a]) / (b - a)
    return needed


def eliminate(y: FloatArray, cuts: IntArray, rho: float, smallest: float, needed: FloatArray) -> IntArray:
    """Return the cuts that are as clear as `needed` at their index and `smallest` noise units high, weakest first."""
    sums = products(y)
    while cuts.size > 0:
        weakest, lowest = 0, math.inf
        for k in range(cuts.size):
            place = edges(cuts, k, y.size)
            a, b, c = place
            share = clearness(y, sums, place, rho) / needed[b]
            height = abs(mean(y, b, c) - mean(y, a, b))
            if height < smallest:
                share = min(share, 1e-3 * height / smallest)
            if share < lowest:
                weakest, lowest = k, share
        if lowest >= 1.0:
            break
        cuts = without(cuts, weakest)
    return cuts
