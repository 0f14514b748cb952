"""Short runs off the level: bursts and modes that come and go are noise, however far off they are.

A burst of ten bad nights is as many standard deviations off as a true step. What tells them apart is how this very
series behaves elsewhere: how often its points leave their level, and how long they stay away.
"""

import numpy as np

from stats.changepoints.limits import (
    INSIDE,
    LONGEST,
    NEAR,
    ORDINARY,
    ORDINARY_AT_END,
    OUTLYING,
    OUTLYING_SD,
    PRIOR_RUNS,
    SHARE,
    WINSOR,
    FloatArray,
    IntArray,
)
from stats.changepoints.noise import mean, median
from stats.changepoints.steps import without

SETTLED = 5  # points of a level that the run at its end may have left; fewer may be a burst themselves
EXCURSION = 6  # start, end, level that it left, its own level, runs like it from the noise, unit of an effect


def piece(cuts: IntArray, k: int, n: int) -> tuple[int, int]:
    """Return start and end of piece `k`."""
    return (cuts[k - 1] if k > 0 else 0), (cuts[k] if k < cuts.size else n)


def levels(y: FloatArray, cuts: IntArray) -> FloatArray:
    """Return the mean of each piece."""
    means = np.empty(cuts.size + 1)
    for k in range(cuts.size + 1):
        a, b = piece(cuts, k, y.size)
        means[k] = mean(y, a, b)
    return means


def home(means: FloatArray, k: int) -> int:
    """Return the neighbouring piece that piece `k` has left, or -1 where it is a stair and no excursion."""
    if k == 0:
        return 1
    if k == means.size - 1:
        return k - 1
    before, after = means[k] - means[k - 1], means[k] - means[k + 1]
    if before * after <= 0.0:
        return -1
    return k - 1 if abs(before) <= abs(after) else k + 1


def middle(y: FloatArray, a: int, b: int) -> float:
    """Return the median of y[a:b]."""
    values = np.empty(b - a)
    for i in range(a, b):
        values[i - a] = y[i]
    return median(values)


def longest_run(y: FloatArray, a: int, b: int, level: float, half: float) -> int:
    """Return how many points of y[a:b] in a row are farther than `half` (with its sign) off the level."""
    longest, run = 0, 0
    for i in range(a, b):
        run = run + 1 if (y[i] - level) * half >= half * half else 0
        longest = max(longest, run)
    return longest


def expected_runs(y: FloatArray, cuts: IntArray, means: FloatArray, k: int) -> float:
    """Return how many runs as long and as far off as piece `k` the noise nearby would make by itself.

    A chain of two states, at home and away: runs away begin as often as they are seen to begin elsewhere in the
    neighbourhood, and last as long as they are seen to last there; half a run is added for those not seen yet.
    A piece that keeps touching home is as long as its longest run away. The level that the run at the end has left is
    home, although it may be short itself: else a change that is taken back looks like two excursions.
    """
    n = y.size
    a, b = piece(cuts, k, n)
    own = home(means, k)
    away = means[k] - means[own]
    far = max(OUTLYING * abs(away), OUTLYING_SD)
    near = NEAR
    longest = min(LONGEST, SHARE * n)
    points, pairs = 0, 0
    for j in range(cuts.size + 1):
        first, final = piece(cuts, j, n)
        if j == k or final <= a - near or first >= b + near:
            continue
        level = means[j]
        back = home(means, j)
        is_home = j == own and k == cuts.size and final - first >= max(b - a, SETTLED)
        if not is_home and final - first <= longest and back >= 0 and (back != k or cuts.size > 1):
            level = means[back]
        found, joined = outliers(y, max(first, a - near), min(final, b + near), level, far)
        points += found
        pairs += joined
    stay = (pairs + 1.0) / (points + 2.0)
    run = longest_run(y, a, b, means[own], away * INSIDE)
    return float((points - pairs + PRIOR_RUNS) * stay ** (run - 1.0))


def outliers(y: FloatArray, a: int, b: int, level: float, far: float) -> tuple[int, int]:
    """Return how many points of y[a:b] are `far` off the level, and how many of them follow another."""
    points, pairs = 0, 0
    previous = False
    for i in range(a, b):
        outlying = abs(y[i] - level) >= far
        if outlying:
            points += 1
            pairs += previous
        previous = outlying
    return points, pairs


def settle(y: FloatArray, pulled: FloatArray, cuts: IntArray) -> tuple[IntArray, FloatArray]:
    """Return the cuts without those around excursions, and the excursions as rows of EXCURSION columns.

    The most ordinary excursion goes first, and what it leaves is looked at again. `pulled` is changed in place: an
    excursion's points are pulled in to the level that they left.
    """
    taken = np.zeros((cuts.size, EXCURSION))
    count = 0
    while cuts.size > 0:
        means = levels(pulled, cuts)
        worst, runs = most_ordinary(y, cuts, means)
        if worst < 0:
            break
        back = home(means, worst)
        a, b = piece(cuts, worst, y.size)
        taken[count, 0], taken[count, 1] = a, b
        taken[count, 2], taken[count, 3] = means[back], mean(y, a, b)
        taken[count, 4] = runs
        count += 1
        for i in range(a, b):
            pulled[i] = min(max(y[i], means[back] - WINSOR), means[back] + WINSOR)
        cuts = without(cuts, min(worst, back))
    return cuts, taken[:count]


def most_ordinary(y: FloatArray, cuts: IntArray, means: FloatArray) -> tuple[int, float]:
    """Return the short piece that the noise explains best, or -1 where it explains none, and its expected runs."""
    worst, ratio, runs = -1, 1.0, 0.0
    longest = min(LONGEST, SHARE * y.size)
    for k in range(cuts.size + 1):
        a, b = piece(cuts, k, y.size)
        if b - a > longest or home(means, k) < 0:
            continue
        expected = expected_runs(y, cuts, means, k)
        limit = ORDINARY_AT_END if k == cuts.size else ORDINARY
        if expected / limit > ratio * (1.0 + 1e-9):
            worst, ratio, runs = k, expected / limit, expected
    return worst, runs
