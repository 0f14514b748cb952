"""Rank tests for metrics with heavy tails: Wilcoxon inside blocks, with the Hodges-Lehmann shift and interval."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stats.designs import Units
from stats.policy import FloatArray, IntArray

FEWEST = 6  # units a side; below, ranks can say nothing
TAIL = 0.8  # robust over plain spread below which a metric's tails are heavy enough to look at
MOST_PAIRS = 4000  # per metric; more units than that give the t-test all it needs


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The shift between the sides of some metrics (`metric` holds their codes), with p-value and both intervals.

    `reach` and `reach90` [metrics, 2] say how far these go below and above `delta`: what the test would not refuse.
    """

    metric: IntArray
    delta: FloatArray
    p: FloatArray
    reach: FloatArray
    reach90: FloatArray


def test_shift(units: Units, metrics: IntArray, *, confidence: float, attainable: float) -> Ranked:
    """Return the rank tests of those of `metrics` that have enough units a side and heavy tails.

    `attainable`: a metric whose smallest possible p-value is larger is left to the t-test. Hodges and Lehmann 1963,
    doi 10.1214/aoms/1177704172; blocks are summed (van Elteren's test with equal weights), the distribution is exact.
    """
    none, nothing = np.zeros(0), np.zeros((0, 2))
    found = [Ranked(np.zeros(0, dtype=np.int64), none, none, nothing, nothing)]
    for shape, members, rows in _shapes(units, metrics):
        if not _is_worth(shape, attainable):
            continue
        levels = units.level[rows]
        heavy = _heavy_tailed(levels, shape)
        if heavy.any():
            found.append(_rank(members[heavy], levels[heavy], shape, confidence))
    return Ranked(*(np.concatenate([getattr(one, name) for one in found]) for name in Ranked.__slots__))


@lru_cache(maxsize=256)
def null_distribution(shape: tuple[tuple[int, int], ...]) -> FloatArray:
    """Return the probabilities of the summed Mann-Whitney statistic 0 … sum of n0*n1 when nothing differs."""
    total = np.ones(1)
    for n0, n1 in shape:
        counts = np.zeros(n0 * n1 + 1)
        counts[0] = 1.0
        for i in range(1, n0 + 1):  # multiply by (1 - x^(n1+i)), divide by (1 - x^i): Gaussian binomial coefficients
            counts[n1 + i :] -= counts[: max(counts.size - n1 - i, 0)].copy()
            for start in range(i):
                counts[start::i] = np.cumsum(counts[start::i])
        total = np.convolve(total, counts / counts.sum())
    return total


def _shapes(units: Units, metrics: IntArray) -> list[tuple[tuple[tuple[int, int], ...], IntArray, IntArray]]:
    """Return the block shapes ((n0, n1), …), the metrics that have each, and their rows [metrics, units]."""
    first = np.searchsorted(units.metric, metrics)
    size = np.searchsorted(units.metric, metrics, side="right") - first
    groups: dict[tuple[tuple[int, int], ...], list[int]] = {}
    layouts: dict[bytes, tuple[tuple[int, int], ...]] = {}
    pattern = 2 * (np.diff(units.block, prepend=-1) != 0) + units.side  # where blocks begin, and the sides
    pattern[first[first < pattern.size]] |= 2
    for place in np.flatnonzero(size >= 2 * FEWEST).tolist():
        rows = slice(first[place], first[place] + size[place])
        key = pattern[rows].tobytes()
        if key not in layouts:
            side = units.side[rows]
            _, code = np.unique(units.block[rows], return_inverse=True)
            layouts[key] = tuple(zip(np.bincount(code, side == 0), np.bincount(code, side == 1), strict=True))
        groups.setdefault(layouts[key], []).append(place)
    return [
        (tuple((int(a), int(b)) for a, b in shape), metrics[places], first[places, None] + np.arange(size[places[0]]))
        for shape, places in groups.items()
    ]


def _is_worth(shape: tuple[tuple[int, int], ...], attainable: float) -> bool:
    sides = np.sum(shape, axis=0)
    pairs = sum(a * b for a, b in shape)
    if sides.min() < FEWEST or pairs > MOST_PAIRS:
        return False
    return bool(2 * null_distribution(shape)[0] <= attainable)


def _columns(shape: tuple[tuple[int, int], ...]) -> list[tuple[slice, slice]]:
    """Return the columns of base and head units of each block in a matrix of units."""
    edges = np.cumsum([0, *(n for pair in shape for n in pair)])
    return [
        (slice(edges[2 * b], edges[2 * b + 1]), slice(edges[2 * b + 1], edges[2 * b + 2])) for b in range(len(shape))
    ]


def _heavy_tailed(levels: FloatArray, shape: tuple[tuple[int, int], ...]) -> FloatArray:
    residual = np.concatenate(
        [
            levels[:, part] - np.median(levels[:, part], axis=1, keepdims=True)
            for pair in _columns(shape)
            for part in pair
        ],
        axis=1,
    )
    df = levels.shape[1] - 2 * len(shape)
    plain = np.sqrt((residual**2).sum(axis=1) / df)
    robust = 1.4826 * np.median(np.abs(residual), axis=1) * levels.shape[1] / df
    heavy: FloatArray = robust < TAIL * plain
    return heavy


def _rank(metric: IntArray, levels: FloatArray, shape: tuple[tuple[int, int], ...], confidence: float) -> Ranked:
    pairs = np.concatenate(
        [(levels[:, h][:, :, None] - levels[:, b][:, None, :]).reshape(len(levels), -1) for b, h in _columns(shape)],
        axis=1,
    )
    pairs.sort(axis=1)
    null = np.cumsum(null_distribution(shape))
    below = (pairs < 0).sum(axis=1) + 0.5 * (pairs == 0).sum(axis=1)
    extreme = np.minimum(below, pairs.shape[1] - below)
    p = np.minimum(2 * null[np.ceil(extreme).astype(np.int64)], 1.0)
    delta = np.median(pairs, axis=1)
    return Ranked(metric, delta, p, *(_reach(pairs, delta, null, level) for level in (confidence, 0.9)))


def _reach(pairs: FloatArray, delta: FloatArray, null: FloatArray, confidence: float) -> FloatArray:
    """Return the reach [metrics, 2] to the outermost pairwise differences that a rank test would not refuse."""
    outside = max(int(np.searchsorted(null, (1 - confidence) / 2, side="right")), 1)
    low, high = pairs[:, outside - 1], pairs[:, pairs.shape[1] - outside]
    return np.stack([delta - low, high - delta], axis=1)
