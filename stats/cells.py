"""Both sides of every block: locations, spreads, and how noisy a block or a side is beside the others."""

from dataclasses import dataclass, replace

import numpy as np

from stats.designs import Units
from stats.grouped import totals
from stats.noise import trust_in
from stats.policy import FloatArray, IntArray
from stats.summarise import Location, locate

# A unit (a boot; a run in a block) further out than this is a gross outlier. Wide on purpose: pulling in the slow
# mode of a bimodal benchmark makes the spread look smaller than it is (ten times the false flags at a limit of 1.5).
UNIT_LIMIT = 5.0
# Where more than this share of a metric's units are so far out, they are not outliers but a second mode: all count.
UNIT_SHARE = 1 / 8
# Degrees of freedom with which the spread of one side in one block is drawn towards the metric's common spread. All of
# them only where the sides have as many units, or where many metrics say which side is the noisier one: a few noisy
# boots would borrow the quiet of many.
CELL_DF = 6.0
# The same for the common factor of a block or side (a noisy boot) over all metrics, towards 1.
FACTOR_DF = 10.0
FACTOR_ROUNDS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Both sides of every block: arrays [blocks, 2], sorted by metric."""

    metric: IntArray
    block: IntArray
    level: FloatArray
    squares: FloatArray
    df: FloatArray
    pulled: FloatArray

    @property
    def n(self) -> FloatArray:
        """Units per cell."""
        return self.df + 1


def gather(units: Units, *, robust: bool) -> Cells:
    """Return the cells of all metrics; with `robust`, gross outliers among the units are winsorised."""
    fresh = np.diff(units.metric, prepend=-1) != 0
    fresh |= (np.diff(units.block, prepend=-1) != 0) | (np.diff(units.side, prepend=-1) != 0)
    first = np.flatnonzero(fresh)
    plain = _pair(units, first, locate(units.level, first, units.metric[first], None))
    return _winsorised(plain, units, first) if robust else plain


def _winsorised(plain: Cells, units: Units, first: IntArray) -> Cells:
    """Return the cells with gross outliers pulled in, except in metrics that have too many of them.

    A noisy side or block is not a crowd of outliers: units are divided by the width of their cell's kind first.
    """
    owner = units.metric[first]
    metrics = int(owner.max(initial=-1)) + 1
    width = np.sqrt(_factors(plain, metrics)).ravel()
    size = np.diff(np.append(first, units.level.size))
    found = locate(units.level / np.repeat(width, size), first, owner, UNIT_LIMIT)
    few = totals(owner, found.pulled, metrics) <= UNIT_SHARE * np.bincount(units.metric, minlength=metrics)
    pulled = _pair(units, first, Location(found.level * width, found.squares * width**2, found.df, found.pulled))
    chosen = few[plain.metric, None]
    level, squares, count = (
        np.where(chosen, getattr(pulled, name), getattr(plain, name)) for name in ("level", "squares", "pulled")
    )
    return replace(plain, level=level, squares=squares, pulled=count)


def _pair(units: Units, first: IntArray, found: Location) -> Cells:
    """Return the locations of alternating base and head groups as cells."""
    columns = (found.level, found.squares, found.df, found.pulled)
    return Cells(units.metric[first[::2]], units.block[first[::2]], *(column.reshape(-1, 2) for column in columns))


def spreads(cells: Cells, metrics: int, *, moderate: bool) -> tuple[FloatArray, FloatArray]:
    """Return the variance of a unit per cell, and the share of it that is the cell's own.

    The rest is the metric's pooled variance times a factor that the block (or the side) has over all metrics: a noisy
    boot, a noisy kernel. Satterthwaite's degrees of freedom then take care of sides that differ.
    """
    own = cells.squares / np.maximum(cells.df, 1)
    df = by_metric(cells, cells.df.sum(axis=1), metrics)[cells.metric, None]
    squares = by_metric(cells, cells.squares.sum(axis=1), metrics)
    pooled = squares[cells.metric, None] / np.maximum(df, 1)
    if not moderate:
        return np.where(cells.df > 0, own, pooled), np.where(cells.df > 0, 1.0, 0.0)
    factor = _factors(cells, metrics)
    scaled = by_metric(cells, (cells.squares / factor).sum(axis=1), metrics)[cells.metric, None] / np.maximum(df, 1)
    balance = (cells.n.min(axis=1) / cells.n.max(axis=1))[:, None] ** 2
    trust = trust_in(int(np.count_nonzero(squares)))
    share = cells.df / np.maximum(cells.df + CELL_DF * (trust + (1 - trust) * balance), 1e-9)
    return share * own + (1 - share) * factor * scaled, share


def _factors(cells: Cells, metrics: int) -> FloatArray:
    """Return how much noisier each cell's block (or side) is than its metric's common spread, over all metrics.

    Alternating least squares of a multiplicative model, each factor drawn towards 1. Metrics without any spread
    have no say.
    """
    _, place = np.unique(cells.block, return_inverse=True)
    slot = (place[:, None] * 2 + np.arange(2)).ravel()
    slots = int(slot.max(initial=-1)) + 1
    df = by_metric(cells, cells.df.sum(axis=1), metrics)[cells.metric, None]
    spread = by_metric(cells, cells.squares.sum(axis=1), metrics)[cells.metric, None] > 0
    weight = totals(slot, np.where(spread, cells.df, 0).ravel(), slots)
    factor = np.ones(cells.df.shape)
    for _ in range(FACTOR_ROUNDS):
        common = by_metric(cells, (cells.squares / factor).sum(axis=1), metrics)[cells.metric, None] / np.maximum(df, 1)
        ratio = np.divide(cells.squares, common, where=spread, out=np.zeros_like(factor))
        factor = ((totals(slot, ratio.ravel(), slots) + FACTOR_DF) / (weight + FACTOR_DF))[slot].reshape(factor.shape)
    return factor


def sizes(cells: Cells) -> FloatArray:
    """Return the weight of each block's difference if all units were equally noisy."""
    size: FloatArray = 1 / (1 / cells.n).sum(axis=1)
    return size


def by_metric(cells: Cells, weights: FloatArray, metrics: int) -> FloatArray:
    """Return sums over the blocks of each metric."""
    return totals(cells.metric, weights, metrics)
