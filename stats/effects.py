"""Sizes: relative effects with intervals from differences, and the geometric mean over many metrics."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from stats.answer import Tested
from stats.policy import FloatArray
from stats.summarise import Scale

# Logarithms of the smallest and the largest number that there is.
SMALLEST, LARGEST = float(np.log(np.finfo(np.float64).smallest_subnormal)), float(np.log(np.finfo(np.float64).max))


@dataclass(frozen=True, slots=True)
class GeometricMean:
    """The geometric mean of head/base over `metrics` metrics as an effect (ratio - 1), with its interval."""

    effect: float
    ci: tuple[float, float] | None
    metrics: int


def geometric_mean(ratios: FloatArray, confidence: float = 0.95) -> GeometricMean:
    """Return the geometric mean of head/base over matched metrics, each counting once.

    Ratios that are not positive and finite are no members. The interval is over metrics as if they were drawn from
    a population of metrics (Student's t on logs): it says how much they agree, not how well each is known.
    """
    logs = np.log(ratios[np.isfinite(ratios) & (ratios > 0)])
    if logs.size == 0:
        raise ValueError("a geometric mean needs at least one positive ratio")
    mean = float(logs.mean())
    if logs.size == 1:
        return GeometricMean(float(np.expm1(mean)), None, 1)
    half = float(special.stdtrit(logs.size - 1, (1 + confidence) / 2) * logs.std(ddof=1) / np.sqrt(logs.size))
    return GeometricMean(float(np.expm1(mean)), (float(np.expm1(mean - half)), float(np.expm1(mean + half))), logs.size)


def relative(base: FloatArray, head: FloatArray) -> FloatArray:
    """Return head/base - 1, for negative levels the change over the base's size; NaN where the base is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = (head - base) / np.abs(base)
    return np.where(base == head, 0.0, np.where(base == 0, np.nan, effect))


def levels(tested: Tested, scale: Scale) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return base and head levels [metrics] in the metric's unit, and the two intervals [metrics, 2] as effects."""
    base = _level(tested.base, scale)
    head = _level(tested.base + tested.delta, scale)
    return base, head, _interval(tested, tested.reach, scale), _interval(tested, tested.reach90, scale)


def _interval(tested: Tested, reach: FloatArray, scale: Scale) -> FloatArray:
    low, high = tested.delta - reach[:, 0], tested.delta + reach[:, 1]
    return np.stack([_shift(bound, tested.base, scale) for bound in (low, high)], axis=1)


def _shift(delta: FloatArray, base: FloatArray, scale: Scale) -> FloatArray:
    """Return differences on the analysis scale as effects."""
    ratio = np.expm1(np.clip(delta, -LARGEST, LARGEST))
    return np.where(scale.is_log, ratio, relative(_level(base, scale), _level(base + delta, scale)))


def _level(analysis: FloatArray, scale: Scale) -> FloatArray:
    return np.where(scale.is_log, np.exp(np.clip(analysis, SMALLEST, LARGEST)), analysis * scale.divisor)
