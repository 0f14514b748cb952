"""Values to runs, runs to boots: robust locations of ragged groups, without a loop over the groups."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stats.grouped import totals
from stats.policy import BoolArray, FloatArray, IntArray
from stats.samples import RunSamples

# Values further than this many standard deviations from their group's median are pulled in to that distance.
VALUE_LIMIT = 2.5
CHUNK = 1 << 15  # values worked on at a time
SHORT = 8  # values from which on NumPy adds in pairs


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


def choose_scale(samples: RunSamples, owner: IntArray, metrics: int) -> Scale:
    """Return logs for metrics whose values are all positive; others are divided by their mean size over both sides.

    `owner` says which metric each run belongs to.
    """
    first = np.cumsum(samples.counts) - samples.counts
    lowest = np.full(metrics, np.inf)
    np.minimum.at(lowest, owner, _Segments(first, samples.counts).reduce(np.minimum, samples.value))
    is_log = lowest > 0
    divisor = np.ones(metrics)
    if not is_log.all():
        owners = np.repeat(owner, samples.counts)
        size = totals(owners, np.abs(samples.value), metrics)
        count = np.bincount(owners, minlength=metrics)
        divisor = np.where(~is_log & (size > 0), size / np.maximum(count, 1), 1.0)
    return Scale(is_log, divisor)


def gather_runs(samples: RunSamples, scale: Scale, *, robust: bool) -> Runs:
    """Return the robust level of every run of every metric, on the analysis scale.

    Metrics are worked on a few at a time, so that the arrays stay in the processor's cache.
    """
    if not samples.value.size:
        nothing = samples.value
        return Runs(samples.metric, samples.side, samples.boot, *(nothing for _ in range(7)))
    ends = np.cumsum(samples.counts)
    last = np.flatnonzero(samples.metric[1:] != samples.metric[:-1])  # of each metric but the last one
    nearest = np.searchsorted(ends[last], np.arange(CHUNK, samples.value.size, CHUNK))
    cuts = np.unique(last[nearest[nearest < last.size]]) + 1
    edges = [0, *cuts.tolist(), samples.counts.size]
    parts = [_gather(samples, slice(*rows), ends, scale, robust=robust) for rows in pairwise(edges)]
    level, squares, df, low, high = (np.concatenate(column) for column in zip(*parts, strict=True))
    start = np.full(samples.metric.size, np.nan) if samples.start is None else samples.start
    return Runs(samples.metric, samples.side, samples.boot, level, squares, df, df + 1, low, high, start)


def _gather(samples: RunSamples, rows: slice, ends: IntArray, scale: Scale, *, robust: bool) -> tuple[FloatArray, ...]:
    """Return level, squares, df, lowest and highest value of some runs."""
    metric, size = samples.metric[rows], samples.counts[rows]
    first = ends[rows] - size
    value = samples.value[first[0] : ends[rows.stop - 1]]
    first = first - first[0]
    is_log = scale.is_log[metric]
    if is_log.all():
        level = np.log(value)
    else:
        owner = np.repeat(metric, size)
        level = np.log(value, where=scale.is_log[owner], out=value / scale.divisor[owner])
    found = locate(level, first, metric, VALUE_LIMIT if robust else None)
    segments = _Segments(first, size)
    extremes = (segments.reduce(what, value) for what in (np.minimum, np.maximum))
    return (found.level, found.squares, found.df, *extremes)


class _Segments:
    """Contiguous groups of values: sums and repeats of each; groups of one short length as the columns of a matrix.

    Columns are added up in the order in which `reduceat` adds, the first value last, in a third of the time.
    """

    def __init__(self, first: IntArray, size: IntArray) -> None:
        self._first, self._size = first, size
        length = int(size[0]) if size.size else 0
        self.length = length if 0 < length < SHORT and (size == length).all() else 0

    def reduce(self, what: np.ufunc, values: FloatArray) -> FloatArray:
        """Return the sum (or the least, the largest) of each group."""
        if not self._first.size:
            return np.zeros(0)
        if not self.length:
            return np.asarray(what.reduceat(values, self._first), dtype=np.float64)
        block = values.reshape(-1, self.length)
        following, *others = *range(1, self.length), 0
        found = block[:, following].astype(np.float64)
        for column in others:
            what(found, block[:, column], out=found)
        return found

    def spread(self, each: FloatArray) -> FloatArray:
        """Return the number of each group for each of its values."""
        return np.repeat(each, self.length or self._size)


def locate(values: FloatArray, first: IntArray, owner: IntArray, limit: float | None) -> Location:
    """Return the location of each group of contiguous `values` beginning at `first`.

    With a `limit`, residuals from the group's median are winsorised at that many standard deviations, which are
    estimated from all groups of one `owner` (a metric; groups of an owner are contiguous) by the median absolute
    residual. Groups of one or two values, and owners whose median residual is zero, have their plain mean.
    """
    size = np.diff(np.append(first, values.size))
    segments = _Segments(first, size)
    if limit is None or size.max(initial=0) < 3:
        return _means(values, segments, size, np.zeros(first.size))
    centre = segments.spread(segment_medians(values, first, size))
    residual = values - centre
    away = np.abs(residual)
    owners = np.flatnonzero(np.diff(owner, prepend=-1) != 0)
    wide = away * segments.spread(_consistency(size))
    width = segment_medians(wide, first[owners], np.add.reduceat(size, owners))
    bound = limit * np.repeat(width, np.diff(np.append(owners, first.size)))
    bound = segments.spread(np.where((bound > 0) & (size > 2), bound, np.inf))
    pulled = segments.reduce(np.add, (away > bound).astype(np.float64))
    return _means(centre + np.clip(residual, -bound, bound), segments, size, pulled)


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


def _means(values: FloatArray, segments: _Segments, size: IntArray, pulled: FloatArray) -> Location:
    if not size.size:
        return Location(values, values, values, pulled)
    level = segments.reduce(np.add, values) / size
    squares = segments.reduce(np.add, (values - segments.spread(level)) ** 2)
    return Location(level, squares, size.astype(np.float64) - 1, pulled)


def _consistency(size: IntArray) -> FloatArray:
    """Return what makes the median absolute residual from the median of n normal values a standard deviation.

    Fitted to 200,000 simulated groups per n: within 4 % from n = 3.
    """
    return np.where(size == 3, 3.17, 1.4826 * (1 + 1.55 / np.maximum(size, 1)))
