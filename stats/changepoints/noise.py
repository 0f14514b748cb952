"""What of a series is noise: its scale from lagged differences, and its outliers pulled in.

Plain scalar code: it runs as it stands, and `compiled` makes machine code of it. A standard deviation would
swallow the steps that are looked for; differences meet each step once a lag.
"""

import math

import numpy as np

from stats.changepoints.limits import HALF_WINDOW, MODES_RATIO, MODES_SHARE, WINSOR, FloatArray

MODES_NORMAL = 0.9346  # quantile of |x| at MODES_SHARE, for a standard normal x
NORMAL = 1.4826  # median absolute deviation to standard deviation of a normal distribution


def median(values: FloatArray) -> float:
    """Return the median; the order of `values` is lost (Hoare's selection: quicker to compile than a sort)."""
    n = values.size
    upper = select(values, n // 2, 0)
    if n % 2:
        return upper
    lower = float(values[0])
    for i in range(1, n // 2):
        lower = max(lower, float(values[i]))
    return 0.5 * (lower + upper)


def select(values: FloatArray, k: int, first: int) -> float:
    """Return the value that sorting would put at `k`; no larger one stands before it afterwards.

    No value before `first` may be larger than one behind it, as an earlier selection leaves them.
    """
    final = values.size - 1
    while first < final:
        pivot = values[(first + final) // 2]
        i, j = first, final
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                held = values[i]
                values[i] = values[j]
                values[j] = held
                i += 1
                j -= 1
        if k <= j:
            final = j
        elif k >= i:
            first = i
        else:
            break
    return float(values[k])


def mean(y: FloatArray, first: int, final: int) -> float:
    """Return the mean of y[first:final]."""
    total = 0.0
    for i in range(first, final):
        total += y[i]
    return total / (final - first)


def lag_noise(y: FloatArray, lags: int) -> float:
    """Return the standard deviation of the noise: the largest over the lags 1 … `lags`.

    The largest, because a series that alternates between modes or wanders slowly looks quiet at some lags. Where more
    than a third of the differences are far beyond what their median says, the modes between which the series goes
    to and fro are its noise: steps that last leave few such differences.
    """
    largest = 0.0
    for lag in range(1, lags + 1):
        if y.size - lag < max(3, 2 * lag + 1):  # one lasting step would be most of the differences
            break
        steps = np.empty(y.size - lag)
        for i in range(steps.size):
            steps[i] = abs(y[i + lag] - y[i])
        largest = max(largest, NORMAL * median(steps) / math.sqrt(2.0))
        beyond = min(int(MODES_SHARE * steps.size), steps.size - lag - 1)  # a lasting step is in `lag` differences
        upper = select(steps, max(beyond, steps.size // 2), steps.size // 2) / (MODES_NORMAL * math.sqrt(2.0))
        if upper > MODES_RATIO * largest:
            largest = upper
    return largest


def pull_in(y: FloatArray) -> FloatArray:
    """Return `y` (in units of the noise) with each value at most `WINSOR` from its running median.

    Where the running median has not arrived yet, at the end, the points to come may vouch for a value too: two new
    points on a new level are no outliers to each other.
    """
    n = y.size
    half = HALF_WINDOW
    pulled = np.empty(n)
    window = np.empty(2 * half + 1)  # the values around i, sorted
    count = 0
    for i in range(min(half, n)):
        count = insert(window, count, y[i])
    for i in range(n):
        if i + half < n:
            count = insert(window, count, y[i + half])
        middle = 0.5 * (window[(count - 1) // 2] + window[count // 2])
        pulled[i] = min(max(y[i], middle - WINSOR), middle + WINSOR)
        if n - half <= i < n - 1 and pulled[i] != y[i]:
            pulled[i] = vouched(y, i, pulled[i])
        if i >= half:
            count = remove(window, count, y[i - half])
    return pulled


def insert(window: FloatArray, count: int, value: float) -> int:
    """Put a value into the sorted first `count` places, and return how many there are now."""
    place = count
    while place > 0 and window[place - 1] > value:
        window[place] = window[place - 1]
        place -= 1
    window[place] = value
    return count + 1


def remove(window: FloatArray, count: int, value: float) -> int:
    """Take a value out of the sorted first `count` places, and return how many there are now."""
    place = 0
    while window[place] != value:
        place += 1
    for k in range(place, count - 1):
        window[k] = window[k + 1]
    return count - 1


def vouched(y: FloatArray, i: int, pulled: float) -> float:
    """Return where y[i] is pulled to when all later values are on its side: no farther than to the nearest of them."""
    side = 1.0 if y[i] > pulled else -1.0
    near = side * float(y[i])
    for k in range(i + 1, y.size):
        near = min(near, side * float(y[k]))
    return side * min(max(side * pulled, near + WINSOR), side * float(y[i]))
