"""Values to runs, runs to boots: robust locations of ragged groups, without a loop over the groups."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stats.grouped import totals
from stats.policy import BoolArray, FloatArray, IntArray
from stats.samples import Samples

# Values further than this many standard deviations from their group's median are pulled in to that distance.
VALUE_LIMIT = 2.5
CHUNK = 1 << 15  # values worked on at a time


@dataclass(frozen=True, slots=True, eq=False)
class Location:
    """One location per group; `squares` sums squared residuals, with `df`. `pulled` counts winsorised values."""

    level: FloatArray
    squares: FloatArray
    df: FloatArray
    pulled: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """One row per run of a metric, sorted by metric; `level` is on the analysis scale, `low` and `high` as measured."""

    metric: IntArray
    side: IntArray
    boot: IntArray
    level: FloatArray
    squares: FloatArray
    df: FloatArray
    values: FloatArray
    low: FloatArray
    high: FloatArray
    start: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """How a metric's values became analysis values: logs where all are positive, else values divided by `divisor`."""

    is_log: BoolArray
    divisor: FloatArray


def choose_scale(metric: IntArray, value: FloatArray, metrics: int) -> Scale:
    """Return logs for metrics whose values are all positive; others are divided by their mean size over both sides."""
    is_log = totals(metric, value <= 0, metrics) == 0
    size = totals(metric, np.abs(value), metrics)
    count = np.bincount(metric, minlength=metrics)
    divisor = np.where(size > 0, size / np.maximum(count, 1), 1.0)
    return Scale(is_log, np.where(is_log, 1.0, divisor))


def in_order(samples: Samples) -> Samples:
    """Return the samples sorted by metric and run."""
    key = samples.metric * (samples.run.max(initial=0) + 1) + samples.run
    if (np.diff(key) >= 0).all():
        return samples
    order = np.argsort(key, kind="stable")
    metric, side, boot, run = (column[order] for column in (samples.metric, samples.side, samples.boot, samples.run))
    start = None if samples.start is None else samples.start[order]
    return Samples(metric, side, boot, run, samples.value[order], start)


def gather_runs(samples: Samples, scale: Scale, *, robust: bool) -> Runs:
    """Return the robust level of every run of every metric, on the analysis scale; samples sorted by metric and run.

    Metrics are worked on a few at a time, so that the arrays stay in the processor's cache.
    """
    if not samples.value.size:
        nothing = samples.value
        return Runs(samples.metric, samples.side, samples.boot, *(nothing for _ in range(7)))
    metric_starts = np.flatnonzero(np.diff(samples.metric, prepend=-1) != 0)
    nearest = np.searchsorted(metric_starts, np.arange(0, samples.value.size, CHUNK))
    cuts = np.unique(metric_starts[nearest[nearest < metric_starts.size]])
    edges = [*cuts.tolist(), samples.value.size]
    parts = [_gather(samples, slice(*edge), scale, robust=robust) for edge in pairwise(edges)]
    return Runs(*(np.concatenate([getattr(part, name) for part in parts]) for name in Runs.__slots__))


def _gather(samples: Samples, rows: slice, scale: Scale, *, robust: bool) -> Runs:
    metric, side, boot, run = samples.metric[rows], samples.side[rows], samples.boot[rows], samples.run[rows]
    value = samples.value[rows]
    start = np.full(value.size, np.nan) if samples.start is None else samples.start[rows]
    fresh = (np.diff(metric, prepend=-1) != 0) | (np.diff(run, prepend=run[0]) != 0)
    if ((np.diff(side) != 0) | (np.diff(boot) != 0))[~fresh[1:]].any():
        raise ValueError("a run code stands on both sides or in two boots: run codes must be unique in the table")
    first = np.flatnonzero(fresh)
    level = np.log(value, where=scale.is_log[metric], out=value / scale.divisor[metric])
    found = locate(level, first, metric[first], VALUE_LIMIT if robust else None)
    return Runs(
        metric[first], side[first], boot[first], found.level, found.squares, found.df, found.df + 1,
        np.minimum.reduceat(value, first), np.maximum.reduceat(value, first), start[first],
    )  # fmt: skip


def locate(values: FloatArray, first: IntArray, owner: IntArray, limit: float | None) -> Location:
    """Return the location of each group of contiguous `values` beginning at `first`.

    With a `limit`, residuals from the group's median are winsorised at that many standard deviations, which are
    estimated from all groups of one `owner` (a metric; groups of an owner are contiguous) by the median absolute
    residual. Groups of one or two values, and owners whose median residual is zero, have their plain mean.
    """
    size = np.diff(np.append(first, values.size))
    if limit is None or size.max(initial=0) < 3:
        return _means(values, first, size, np.zeros(first.size))
    centre = np.repeat(segment_medians(values, first, size), size)
    residual = values - centre
    away = np.abs(residual)
    owners = np.flatnonzero(np.diff(owner, prepend=-1) != 0)
    width = segment_medians(away * np.repeat(_consistency(size), size), first[owners], np.add.reduceat(size, owners))
    bound = limit * np.repeat(width, np.diff(np.append(owners, first.size)))
    bound = np.repeat(np.where((bound > 0) & (size > 2), bound, np.inf), size)
    pulled = np.add.reduceat(away > bound, first, dtype=np.float64)
    return _means(centre + np.clip(residual, -bound, bound), first, size, pulled)


def segment_medians(values: FloatArray, first: IntArray, size: IntArray) -> FloatArray:
    """Return the median of each contiguous segment. Segments of one length are sorted together as a matrix."""
    medians = np.empty(first.size)
    for length in np.flatnonzero(np.bincount(size)):
        chosen = np.flatnonzero(size == length)
        block = (
            values.reshape(-1, length) if chosen.size == first.size else values[first[chosen, None] + np.arange(length)]
        )
        low, high = (length - 1) // 2, length // 2
        # Short rows sort faster than they partition.
        block = np.sort(block, axis=1) if length <= 16 else np.partition(block, (low, high), axis=1)
        medians[chosen] = (block[:, low] + block[:, high]) / 2
    return medians


def _means(values: FloatArray, first: IntArray, size: IntArray, pulled: FloatArray) -> Location:
    if not first.size:
        return Location(values, values, values, pulled)
    level = np.add.reduceat(values, first) / size
    squares = np.add.reduceat((values - np.repeat(level, size)) ** 2, first)
    return Location(level, squares, size.astype(np.float64) - 1, pulled)


def _consistency(size: IntArray) -> FloatArray:
    """Return what makes the median absolute residual from the median of n normal values a standard deviation.

    Fitted to 200,000 simulated groups per n: within 4 % from n = 3.
    """
    return np.where(size == 3, 3.17, 1.4826 * (1 + 1.55 / np.maximum(size, 1)))
