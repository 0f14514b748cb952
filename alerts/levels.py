"""Measurements to one level a revision of each time series: the median over boots of the median over runs. Pure."""

from collections.abc import Iterator

import numpy as np

from db.detection import Rows, Runs
from db.types import Floats
from db.values import IntArray


def points(rows: Rows, runs: Runs) -> Iterator[tuple[int, Floats, int]]:
    """Each time series with its table of `PointRow`, ordered by revision id, and its newest run.

    Measurements of runs that do not count are passed over. A revision's host state is that of its last run.
    """
    if not runs.id.size:
        return
    at = np.minimum(np.searchsorted(runs.id, rows.run), runs.id.size - 1)
    counts = runs.id[at] == rows.run
    at, series, run, median = at[counts], rows.series[counts], rows.run[counts], rows.median[counts]
    if not series.size:
        return
    keys = np.stack([series, runs.revision[at], runs.boot[at]])
    boots, per_boot, per_boot_runs = _medians(keys, median)
    levels, value, boot_count = _medians(boots[:2], per_boot)
    first = np.r_[0, np.cumsum(boot_count)[:-1]]
    run_count = np.add.reduceat(per_boot_runs, first)
    table = np.column_stack([levels[1], value, _last_state(keys[:2], run, runs.state[at]), boot_count, run_count])
    starts = np.flatnonzero(np.r_[True, levels[0, 1:] != levels[0, :-1]])
    owners = levels[0, starts]
    newest = _largest(series, run)
    ends = np.r_[starts[1:], levels.shape[1]]
    for owner, start, end in zip(owners.tolist(), starts.tolist(), ends.tolist(), strict=True):
        yield owner, table[start:end], newest[owner]


def merged(old: Floats, new: Floats) -> Floats:
    """The points of a time series with some revisions measured anew, ordered by revision id."""
    stays = old[~np.isin(old[:, 0], new[:, 0])]
    both = np.concatenate((stays, new))
    return both[np.argsort(both[:, 0], kind="stable")]


def _medians(keys: IntArray, value: Floats) -> tuple[IntArray, Floats, IntArray]:
    """The distinct columns of `keys` [k, rows] in order, the median of the values of each, and how many those are."""
    order = np.lexsort((value, *keys[::-1]))
    keys, value = keys[:, order], value[order]
    starts = np.flatnonzero(np.r_[True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)])
    counts = np.diff(np.r_[starts, value.size])
    return keys[:, starts], (value[starts + (counts - 1) // 2] + value[starts + counts // 2]) / 2, counts


def _last_state(keys: IntArray, run: IntArray, state: IntArray) -> IntArray:
    """The host state of the last run of each distinct column of `keys`, in order."""
    order = np.lexsort((run, *keys[::-1]))
    keys = keys[:, order]
    last = np.flatnonzero(np.r_[(keys[:, 1:] != keys[:, :-1]).any(axis=0), True])
    return state[order][last]


def _largest(series: IntArray, run: IntArray) -> dict[int, int]:
    order = np.lexsort((run, series))
    last = np.flatnonzero(np.r_[series[order][1:] != series[order][:-1], True])
    return dict(zip(series[order][last].tolist(), run[order][last].tolist(), strict=True))
