"""The difference between the sides and its variance, from units in blocks; `stats.noise` moderates the variance."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from stats.designs import Units
from stats.grouped import totals
from stats.policy import FloatArray, IntArray
from stats.summarise import Location, locate

# A unit (a boot; a run in a block) further out than this is a gross outlier. Wide on purpose: pulling in the slow
# mode of a bimodal benchmark makes the spread look smaller than it is (ten times the false flags at a limit of 1.5).
UNIT_LIMIT = 5.0
# Where more than this share of a metric's units are so far out, they are not outliers but a second mode: all count.
UNIT_SHARE = 1 / 8
# Degrees of freedom with which the spread of one side in one block is drawn towards the metric's common spread.
CELL_DF = 6.0
# The same for the common factor of a block or side (a noisy boot) over all metrics, towards 1.
FACTOR_DF = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """Per metric [metrics]: `delta` = head - base on the analysis scale, its `variance` with `df`, NaN where unknown.

    `spread` is the variance of one unit (`variance` = `spread` x `factor`). `base` is the level of the base side.
    `blocks` counts blocks, `units` [metrics, 2] the units a side, `differ` is the p-value that the effect is the
    same in all blocks (NaN with one block).
    """

    delta: FloatArray
    variance: FloatArray
    df: FloatArray
    factor: FloatArray
    base: FloatArray
    blocks: IntArray
    units: IntArray
    differ: FloatArray

    @property
    def spread(self) -> FloatArray:
        """The variance of one unit."""
        return self.variance / self.factor


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Both sides of every block: arrays [blocks, 2], sorted by metric."""

    metric: IntArray
    block: IntArray
    level: FloatArray
    squares: FloatArray
    df: FloatArray

    @property
    def n(self) -> FloatArray:
        return self.df + 1


def estimate(units: Units, metrics: int, *, robust: bool, moderate: bool) -> Contrast:
    """Return the contrast of every metric; blocks are weighted by precision, with a random effect between blocks."""
    cells = _cells(units, robust=robust)
    spread, coefficient = _spreads(cells, metrics, moderate=moderate)
    noise = (spread / cells.n).sum(axis=1)  # variance of each block's difference
    d = cells.level[:, 1] - cells.level[:, 0]
    between, differ = _heterogeneity(cells, d, noise, metrics)
    weight = 1 / np.where(noise + between[cells.metric] > 0, noise + between[cells.metric], 1 / _size(cells))
    weight /= _sum(cells, weight, metrics)[cells.metric]
    within, df_within = _within(cells, spread, coefficient, weight, metrics)
    extra = between * _sum(cells, weight**2, metrics)
    blocks = np.bincount(cells.metric, minlength=metrics)
    variance = within + extra
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = np.nan_to_num(within**2 / df_within) + np.nan_to_num(extra**2 / (blocks - 1))
        df = np.where(variance > 0, variance**2 / parts, df_within)
    testable = (_sum(cells, cells.df.sum(axis=1), metrics) > 0) | (blocks > 1)
    missing = np.where(blocks > 0, 0.0, np.nan)
    return Contrast(
        _sum(cells, weight * d, metrics) + missing,
        np.where(testable, variance, np.nan),
        np.where(testable, np.where(variance > 0, df, np.maximum(df_within, 1)), 0.0),
        _sum(cells, weight**2 / _size(cells), metrics) + missing,
        _sum(cells, weight * cells.level[:, 0], metrics) + missing,
        blocks,
        np.stack([np.bincount(cells.metric, cells.n[:, s], metrics) for s in (0, 1)], axis=1).astype(np.int64),
        differ,
    )


def _cells(units: Units, *, robust: bool) -> _Cells:
    fresh = np.diff(units.metric, prepend=-1) != 0
    fresh |= (np.diff(units.block, prepend=-1) != 0) | (np.diff(units.side, prepend=-1) != 0)
    first = np.flatnonzero(fresh)
    found = locate(units.level, first, units.metric[first], None)
    if robust:
        pulled = locate(units.level, first, units.metric[first], UNIT_LIMIT)
        count = np.bincount(units.metric[first], pulled.pulled)
        few = (count <= UNIT_SHARE * np.bincount(units.metric))[units.metric[first]]
        found = Location(*(np.where(few, getattr(pulled, name), getattr(found, name)) for name in Location.__slots__))
    base = np.flatnonzero(units.side[first] == 0)
    return _Cells(
        units.metric[first[base]],
        units.block[first[base]],
        *(np.stack([column[base], column[base + 1]], axis=1) for column in (found.level, found.squares, found.df)),
    )


def _spreads(cells: _Cells, metrics: int, *, moderate: bool) -> tuple[FloatArray, FloatArray]:
    """Return the variance of a unit per cell, and the share of it that is the cell's own.

    The rest is the metric's pooled variance times a factor that the block (or the side) has over all metrics: a noisy
    boot, a noisy kernel. Satterthwaite's degrees of freedom then take care of sides that differ.
    """
    own = cells.squares / np.maximum(cells.df, 1)
    df = _sum(cells, cells.df.sum(axis=1), metrics)[cells.metric, None]
    pooled = _sum(cells, cells.squares.sum(axis=1), metrics)[cells.metric, None] / np.maximum(df, 1)
    if not moderate:
        return np.where(cells.df > 0, own, pooled), np.where(cells.df > 0, 1.0, 0.0)
    ratio = np.divide(own, pooled, where=pooled > 0, out=np.ones_like(own))
    _, place = np.unique(cells.block, return_inverse=True)
    factor = np.stack(
        [
            (np.bincount(place, cells.df[:, s] * ratio[:, s]) + FACTOR_DF)
            / (np.bincount(place, cells.df[:, s]) + FACTOR_DF)
            for s in (0, 1)
        ],
        axis=1,
    )[place]
    scaled = _sum(cells, (cells.squares / factor).sum(axis=1), metrics)[cells.metric, None] / np.maximum(df, 1)
    share = cells.df / (cells.df + CELL_DF)
    return share * own + (1 - share) * factor * scaled, share


def _heterogeneity(cells: _Cells, d: FloatArray, noise: FloatArray, metrics: int) -> tuple[FloatArray, FloatArray]:
    """Return the variance of the effect between blocks and the p-value of "none".

    DerSimonian and Laird 1986, doi 10.1016/0197-2456(86)90046-2. Blocks with one run a side have no noise of their own:
    all that is seen between them is taken as the variance of the difference.
    """
    blocks = np.bincount(cells.metric, minlength=metrics)
    free = np.maximum(blocks - 1, 1)
    df = _sum(cells, cells.df.sum(axis=1), metrics)
    bare = (df == 0)[cells.metric]
    weight = np.where(bare, _size(cells), 1 / np.where(noise > 0, noise, np.inf))
    total = _sum(cells, weight, metrics)
    safe = np.where(total > 0, total, 1.0)
    mean = _sum(cells, weight * d, metrics) / safe
    q = _sum(cells, weight * (d - mean[cells.metric]) ** 2, metrics)
    room = safe - _sum(cells, weight**2, metrics) / safe
    plain = np.bincount(
        cells.metric, (d - (_sum(cells, d, metrics) / np.maximum(blocks, 1))[cells.metric]) ** 2, metrics
    )
    between = np.where(df == 0, q / free * blocks / safe, np.maximum(q - free, 0) / np.where(room > 0, room, 1.0))
    between = np.where(total > 0, between, plain / free)
    several = blocks > 1
    differ = np.where(several & (df > 0) & (total > 0), special.fdtrc(free, np.maximum(df, 1), q / free), np.nan)
    return np.where(several, between, 0.0), differ


def _within(
    cells: _Cells, spread: FloatArray, share: FloatArray, weight: FloatArray, metrics: int
) -> tuple[FloatArray, FloatArray]:
    """Return the variance of the weighted difference without the random effect, and its degrees of freedom.

    Every cell's variance is a sum over the independent spreads of all cells of its metric (its own share, and the
    pooled rest); Satterthwaite 1946, doi 10.2307/3002019, on that sum. With shares of 1 it is Welch's formula.
    """
    h = weight[:, None] ** 2 / cells.n
    variance = _sum(cells, (h * spread).sum(axis=1), metrics)
    df = _sum(cells, cells.df.sum(axis=1), metrics)[cells.metric, None]
    rest = _sum(cells, (h * (1 - share) * spread).sum(axis=1), metrics)[cells.metric, None]
    g = h * share * spread + rest * cells.df / np.maximum(df, 1)
    terms = np.divide(g**2, cells.df, where=cells.df > 0, out=np.zeros_like(g)).sum(axis=1)
    parts = _sum(cells, terms, metrics)
    df_within = np.divide(variance**2, parts, where=parts > 0, out=np.zeros(metrics))
    return variance, np.where(parts > 0, df_within, _sum(cells, cells.df.sum(axis=1), metrics))


def _size(cells: _Cells) -> FloatArray:
    """Return the weight of each block's difference if all units were equally noisy."""
    size: FloatArray = 1 / (1 / cells.n).sum(axis=1)
    return size


def _sum(cells: _Cells, weights: FloatArray, metrics: int) -> FloatArray:
    return totals(cells.metric, weights, metrics)
