"""Series of any length, window after window: what is behind is settled and not looked at again.

The windows depend on the values alone and not on when they came, so that a series that grows point by point has the
changes of the same series given whole.
"""

import numpy as np

from stats.changepoints.excursions import EXCURSION
from stats.changepoints.limits import WINDOW, FloatArray, IntArray
from stats.changepoints.scan import CHANGE, append, scan

CLEAR = 8  # points between a change and the place where a window is cut: both windows must see it alike


def advance(changes: FloatArray, start: int, settled: int) -> tuple[int, int]:
    """Return where the next window starts, and up to where changes are settled, once a window is full.

    `changes` are those of the full window from `start`, their indices counted from the start of the series. The next
    window starts at the last settled change, for its level, but never so early that windows could not advance.
    """
    cut = start + WINDOW * 3 // 4
    earliest = start + WINDOW // 2
    for k in range(changes.shape[0] - 1, -1, -1):
        if abs(changes[k, 0] - cut) < CLEAR and changes[k, 0] - CLEAR > earliest:
            cut = int(changes[k, 0]) - CLEAR
    begin = max(start + 1, cut - WINDOW // 4)
    for k in range(changes.shape[0]):
        if begin < changes[k, 0] <= cut:
            begin = int(changes[k, 0])
    return begin, max(cut, settled)


def follow(values: FloatArray, min_z: float, min_effect: float) -> tuple[FloatArray, FloatArray]:
    """Return the changes and the excursions of a whole series."""
    all_changes, all_excursions = np.zeros((0, CHANGE)), np.zeros((0, EXCURSION))
    start, settled = 0, 0
    while True:
        end = min(start + WINDOW, values.size)
        changes, excursions = scan(values[start:end], min_z, min_effect)
        shift(changes, 1, start)
        shift(excursions, 2, start)
        begin, cut = start, values.size
        if end < values.size:
            begin, cut = advance(changes, start, settled)
        changes = between(changes, settled + 1, cut + 1)
        excursions = between(excursions, settled, cut)
        all_changes = append(all_changes, all_changes.shape[0], changes, 0)
        all_excursions = append(all_excursions, all_excursions.shape[0], excursions, 0)
        if end == values.size:
            break
        start, settled = begin, cut
    return all_changes, all_excursions


def extend(
    window: FloatArray, value: float, place: tuple[int, int], min_z: float, min_effect: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return a window with one more value, and its changes and excursions; `place`: its start, and what is settled."""
    start, settled = place
    longer = np.empty(window.size + 1)
    for i in range(window.size):
        longer[i] = window[i]
    longer[window.size] = value
    changes, excursions = scan(longer, min_z, min_effect)
    shift(changes, 1, start)
    shift(excursions, 2, start)
    end = start + longer.size
    return longer, between(changes, settled + 1, end), between(excursions, settled, end)


def shift(rows: FloatArray, columns: int, by: int) -> None:
    """Count the indices in the first columns from the start of the series."""
    for row in range(rows.shape[0]):
        for column in range(columns):
            rows[row, column] += by


def between(rows: FloatArray, first: int, final: int) -> FloatArray:
    """Return the rows whose index lies in first … final - 1."""
    kept = np.zeros((rows.shape[0], rows.shape[1]))
    count = 0
    for row in range(rows.shape[0]):
        if first <= rows[row, 0] < final:
            for column in range(rows.shape[1]):
                kept[count, column] = rows[row, column]
            count += 1
    return kept[:count]


def follow_all(
    values: FloatArray, ends: IntArray, min_z: float, min_effect: float
) -> tuple[FloatArray, IntArray, FloatArray, IntArray]:
    """Return changes and excursions of many series that lie one behind the other, and how many each has."""
    changes, excursions = np.zeros((16, CHANGE)), np.zeros((16, EXCURSION))
    change_counts, excursion_counts = np.zeros(ends.size, dtype=np.int64), np.zeros(ends.size, dtype=np.int64)
    n_changes, n_excursions, start = 0, 0, 0
    for k in range(ends.size):
        found, left = follow(values[start : ends[k]], min_z, min_effect)
        start = ends[k]
        changes = append(changes, n_changes, found, n_changes)
        excursions = append(excursions, n_excursions, left, n_excursions)
        n_changes += found.shape[0]
        n_excursions += left.shape[0]
        change_counts[k], excursion_counts[k] = found.shape[0], left.shape[0]
    return changes[:n_changes], change_counts, excursions[:n_excursions], excursion_counts
