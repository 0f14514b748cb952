"""The difference between the sides and its variance, from units in blocks; `stats.noise` moderates the variance."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from stats.cells import Cells, by_metric, gather, sizes, spreads
from stats.designs import Units
from stats.policy import BoolArray, FloatArray, IntArray

# p-value of "the same effect in all blocks" above which it is taken as the same. With a noisy and a quiet block the
# estimated variance between them is the noise of the noisy one, and would hide what the quiet one shows.
DIFFERENCE = 0.2
COMMON_METRICS = 10  # that can be tested, before they say together how much effects differ between blocks


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """Per metric [metrics]: `delta` = head - base on the analysis scale, its `variance` with `df`, NaN where unknown.

    `spread` is the variance of one unit (`variance` = `spread` x `factor`). `base` is the level of the base side.
    `blocks` counts blocks, `units` [metrics, 2] the units a side, `differ` is the p-value that the effect is the
    same in all blocks (NaN with one block), `is_rankable`: no unit was
    winsorised and no variance between blocks was seen, so that ranks would answer the same question.
    """

    delta: FloatArray
    variance: FloatArray
    df: FloatArray
    factor: FloatArray
    base: FloatArray
    blocks: IntArray
    units: IntArray
    differ: FloatArray
    is_rankable: BoolArray

    @property
    def spread(self) -> FloatArray:
        """The variance of one unit."""
        return self.variance / self.factor


def estimate(units: Units, metrics: int, *, robust: bool, moderate: bool) -> Contrast:
    """Return the contrast of every metric; blocks are weighted by precision, with a random effect between blocks."""
    cells = gather(units, robust=robust)
    spread, share = spreads(cells, metrics, moderate=moderate)
    noise = (spread / cells.n).sum(axis=1)  # variance of each block's difference
    d = cells.level[:, 1] - cells.level[:, 0]
    between = _between(cells, d, noise, metrics, moderate=moderate)
    weight = noise + between.variance[cells.metric]
    weight = 1 / np.where(weight > 0, weight, 1 / sizes(cells))
    weight /= by_metric(cells, weight, metrics)[cells.metric]
    within, df_within = _within(cells, spread, share, weight, metrics)
    extra = between.variance * by_metric(cells, weight**2, metrics)
    variance, df = _together(within, df_within, extra, np.where(between.is_common, df_within, between.df))
    blocks = np.bincount(cells.metric, minlength=metrics)
    testable = (by_metric(cells, cells.df.sum(axis=1), metrics) > 0) | (blocks > 1)
    missing = np.where(blocks > 0, 0.0, np.nan)
    return Contrast(
        by_metric(cells, weight * d, metrics) + missing,
        np.where(testable, variance, np.nan),
        np.where(testable, df, 0.0),
        by_metric(cells, weight**2 / sizes(cells), metrics) + missing,
        by_metric(cells, weight * cells.level[:, 0], metrics) + missing,
        blocks,
        np.stack([by_metric(cells, cells.n[:, side], metrics) for side in (0, 1)], axis=1).astype(np.int64),
        between.differ,
        (by_metric(cells, cells.pulled.sum(axis=1), metrics) == 0) & (between.variance == 0),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Between:
    """The variance of the effect between blocks per metric, and the p-value of "none" (NaN where untestable)."""

    variance: FloatArray
    df: FloatArray
    is_common: BoolArray
    differ: FloatArray


def _between(cells: Cells, d: FloatArray, noise: FloatArray, metrics: int, *, moderate: bool) -> _Between:
    """Return how much the effect varies between blocks.

    DerSimonian and Laird 1986, doi 10.1016/0197-2456(86)90046-2, where the metric itself shows it; at least what the
    metrics of the comparison show together, since two or three blocks alone show little. Blocks with one run a
    side have no noise of their own: all that is seen between them is taken as variance of the difference.
    """
    blocks = np.bincount(cells.metric, minlength=metrics).astype(np.float64)
    free = np.maximum(blocks - 1, 1)
    df = by_metric(cells, cells.df.sum(axis=1), metrics)
    noisy = by_metric(cells, noise, metrics) > 0
    weight = np.where(noisy[cells.metric], 1 / np.where(noise > 0, noise, np.inf), sizes(cells))
    total = np.maximum(by_metric(cells, weight, metrics), 1e-300)
    mean = by_metric(cells, weight * d, metrics) / total
    q = by_metric(cells, weight * (d - mean[cells.metric]) ** 2, metrics)
    room = total - by_metric(cells, weight**2, metrics) / total
    own = np.maximum(q - free, 0) / np.where(room > 0, room, 1.0)
    several = blocks > 1
    testable = several & noisy & (df > 0)
    differ = np.where(testable, special.fdtrc(free, np.maximum(df, 1), q / free), np.nan)
    own = np.where(noisy, np.where(differ > DIFFERENCE, 0.0, own), q / free * blocks / total)
    common = np.zeros(metrics)
    if moderate:
        common[testable] = _common_excess(q[testable], free[testable], df[testable])
    common = common * blocks / total
    return _Between(np.where(several, np.maximum(own, common), 0.0), free, (common > 0) & (common >= own), differ)


def _common_excess(q: FloatArray, free: FloatArray, df: FloatArray) -> float:
    """Return the variance between blocks over the noise of a block's difference that the metrics have in common.

    From the median over metrics, so that a few metrics with effects of their own do not set it for all.
    """
    if q.size < COMMON_METRICS:
        return 0.0
    ratio = q / free / special.fdtri(free, df, 0.5)
    return max(0.0, float(np.median(ratio)) - 1) * q.size / (q.size + COMMON_METRICS)


def _together(
    within: FloatArray, df_within: FloatArray, extra: FloatArray, df_extra: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the sum of two independent variances with Satterthwaite's degrees of freedom."""
    variance = within + extra
    parts = within**2 / np.maximum(df_within, 1) + extra**2 / np.maximum(df_extra, 1)
    df = np.divide(variance**2, parts, where=parts > 0, out=np.maximum(df_within, 1))
    return variance, df


def _within(
    cells: Cells, spread: FloatArray, share: FloatArray, weight: FloatArray, metrics: int
) -> tuple[FloatArray, FloatArray]:
    """Return the variance of the weighted difference without the random effect, and its degrees of freedom.

    Every cell's variance is a sum over the independent spreads of all cells of its metric (its own share, and the
    pooled rest); Satterthwaite 1946, doi 10.2307/3002019, on that sum. With shares of 1 it is Welch's formula.
    """
    h = weight[:, None] ** 2 / cells.n
    variance = by_metric(cells, (h * spread).sum(axis=1), metrics)
    df = by_metric(cells, cells.df.sum(axis=1), metrics)[cells.metric, None]
    rest = by_metric(cells, (h * (1 - share) * spread).sum(axis=1), metrics)[cells.metric, None]
    g = h * share * spread + rest * cells.df / np.maximum(df, 1)
    terms = np.divide(g**2, cells.df, where=cells.df > 0, out=np.zeros_like(g)).sum(axis=1)
    parts = by_metric(cells, terms, metrics)
    df_within = np.divide(variance**2, parts, where=parts > 0, out=np.zeros(metrics))
    return variance, np.where(parts > 0, df_within, by_metric(cells, cells.df.sum(axis=1), metrics))
