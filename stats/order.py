"""What the order of the runs in time says: drift confounded with the change, and noise that remembers."""

import numpy as np

from stats.grouped import codes
from stats.policy import BoolArray, FloatArray
from stats.summarise import Runs

FEWEST = 8  # runs with a start time, before a correlation in time is worth a word


def sides_in_turn(runs: Runs, metrics: int) -> BoolArray:
    """Return which metrics had all runs of one side before all runs of the other, with two or more runs a side."""
    cell = runs.metric * 2 + runs.side
    first, last = np.full(2 * metrics, np.inf), np.full(2 * metrics, -np.inf)
    timed = np.isfinite(runs.start)
    np.minimum.at(first, cell[timed], runs.start[timed])
    np.maximum.at(last, cell[timed], runs.start[timed])
    count = np.bincount(cell, minlength=2 * metrics).reshape(metrics, 2)
    some = np.bincount(cell[timed], minlength=2 * metrics).reshape(metrics, 2)
    earliest, latest = first.reshape(metrics, 2), last.reshape(metrics, 2)
    apart = (latest[:, 0] < earliest[:, 1]) | (latest[:, 1] < earliest[:, 0])
    in_turn: BoolArray = apart & (some == count).all(axis=1) & (count >= 2).all(axis=1)
    return in_turn


def lag_correlation(runs: Runs, metrics: int) -> FloatArray:
    """Return the lag-1 autocorrelation of run residuals in time order, per metric; NaN with fewer than `FEWEST` runs.

    Residuals are from the mean of the run's side and boot, winsorised at four median absolute residuals. A value well
    above 0 says that neighbouring runs share their noise, so that intervals over runs are too narrow.
    """
    timed = np.flatnonzero(np.isfinite(runs.start))
    if timed.size == 0:
        return np.full(metrics, np.nan)
    order = timed[np.lexsort((runs.start[timed], runs.metric[timed]))]
    metric = runs.metric[order]
    cell = codes((metric * 2 + runs.side[order]) * (runs.boot.max() + 2) + runs.boot[order] + 1)
    residual = runs.level[order] - (np.bincount(cell, runs.level[order]) / np.bincount(cell))[cell]
    size = np.sqrt(np.bincount(metric, residual**2, metrics) / np.maximum(np.bincount(metric, minlength=metrics), 1))
    residual = np.clip(residual, -2.5 * size[metric], 2.5 * size[metric])
    together = metric[1:] == metric[:-1]
    products = np.bincount(metric[1:][together], (residual[1:] * residual[:-1])[together], metrics)
    squares = np.bincount(metric, residual**2, metrics)
    enough = (np.bincount(metric, minlength=metrics) >= FEWEST) & (squares > 0)
    return np.where(enough, products / np.where(squares > 0, squares, 1.0), np.nan)
