"""The measured values of a comparison as columns, checked once at the door."""

from dataclasses import dataclass

import numpy as np

from stats.policy import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One row per value (one iteration of one run of one metric on one side); rows in any order, any imbalance.

    `metric` counts from 0. `side` is 0 for base and 1 for head. `boot` is a code: the same code on both sides is the
    same boot (a block), -1 is an unknown boot. `run` is a code that is unique in the table. `start`, where known,
    is the start of the row's run in seconds of any one clock (NaN where unknown); it serves the warnings about order.
    """

    metric: IntArray
    side: IntArray
    boot: IntArray
    run: IntArray
    value: FloatArray
    start: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse columns that differ in length, sides that are neither, and values that are not numbers."""
        columns = (
            self.metric,
            self.side,
            self.boot,
            self.run,
            self.value,
            *((self.start,) if self.start is not None else ()),
        )
        if any(column.shape != (self.value.size,) for column in columns):
            raise ValueError("the columns of samples must be one-dimensional and of one length")
        _refuse_odd(self.side, self.value)


@dataclass(frozen=True, slots=True, eq=False)
class RunSamples:
    """The same, one row per run of a metric, in the order of the metrics: a fifth of the numbers at five iterations.

    `value` holds the iterations of all rows end to end, `counts` how many belong to each: one at least. Each run of a
    metric is one row, so that it has one side and one boot.
    """

    metric: IntArray
    side: IntArray
    boot: IntArray
    counts: IntArray
    value: FloatArray
    start: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse what `Samples` refuses, rows out of order, and counts that do not add up."""
        columns = (self.metric, self.side, self.boot, *((self.start,) if self.start is not None else ()))
        if any(column.shape != (self.counts.size,) for column in columns):
            raise ValueError("the columns of samples must be one-dimensional and of one length")
        if self.counts.sum() != self.value.size or self.counts.min(initial=1) < 1:
            raise ValueError("every row needs values, and all values a row")
        if (self.metric[1:] < self.metric[:-1]).any():
            raise ValueError("rows must be ordered by metric")
        _refuse_odd(self.side, self.value)


def by_run(samples: Samples) -> RunSamples:
    """Return samples in any order as runs, ordered by metric and run code."""
    key = samples.metric * (samples.run.max(initial=0) + 1) + samples.run
    if (key[1:] < key[:-1]).any():
        order = np.argsort(key, kind="stable")
        key, samples = key[order], _taken(samples, order)
    metric, side, boot, start = samples.metric, samples.side, samples.boot, samples.start
    fresh = np.diff(key, prepend=-1) != 0
    if ((np.diff(side) != 0) | (np.diff(boot) != 0))[~fresh[1:]].any():
        raise ValueError("a run code stands on both sides or in two boots: run codes must be unique in the table")
    first = np.flatnonzero(fresh)
    counts = np.diff(np.append(first, key.size))
    start = None if start is None else start[first]
    return RunSamples(metric[first], side[first], boot[first], counts, samples.value, start)


def _taken(samples: Samples, rows: IntArray) -> Samples:
    metric, side, boot, run = (column[rows] for column in (samples.metric, samples.side, samples.boot, samples.run))
    return Samples(metric, side, boot, run, samples.value[rows], None if samples.start is None else samples.start[rows])


def _refuse_odd(side: IntArray, value: FloatArray) -> None:
    if not ((side == 0) | (side == 1)).all():
        raise ValueError("side must be 0 (base) or 1 (head)")
    if not np.isfinite(value).all():
        row = int(np.flatnonzero(~np.isfinite(value))[0])
        raise ValueError(f"row {row} holds {value[row]}: values must be finite numbers, missing is never zero")


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What earlier measurements of the same host and test cases (A/A pairs, earlier revisions) say about noise.

    `variance` [metrics] is the variance of one unit of replication (a boot; logs of the values) and `df` [metrics]
    its degrees of freedom. NaN and 0 where nothing is known.
    """

    variance: FloatArray
    df: FloatArray
