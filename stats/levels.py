"""The level of each state: a typical value with an interval, from nested repetitions. For trends, not for verdicts."""

from typing import NamedTuple

import numpy as np
from scipy import special

from stats.policy import BoolArray, FloatArray, IntArray
from stats.summarise import segment_medians

SCOPES = ("boots unknown", "within one boot", "")  # by the number of known boots


class Level(NamedTuple):
    """A typical value and its interval, in the unit of the values.

    The interval is None where nothing is known of the spread between units; `scope` says what it leaves out
    ("within one boot"). A tuple: a figure has hundreds of thousands of them.
    """

    value: float
    low: float | None
    high: float | None
    boots: int
    runs: int
    values: int
    scope: str = ""


def levels(
    value: FloatArray, counts: IntArray, boot: IntArray, point: IntArray, confidence: float = 0.95
) -> tuple[Level, ...]:
    """Return one level per point 0 … max(point), each of which has at least one run.

    One row per run, those of a point together and boot by boot; `value` holds their iterations end to end, `counts` of
    each one or more. `boot` is -1 where unknown.

    The value is the median over boots of the median over runs of each run's median. The interval is Student's t on the
    units' logs (plain values where some are not positive): boots are the units where a point has two or more, else runs
    inside its one boot. It is about their mean, and reaches as far as the level where that lies outside.
    """
    if not value.size:
        return ()
    per_run = segment_medians(value, np.cumsum(counts) - counts, counts)
    of_boot = np.flatnonzero(_is_new(point, boot))
    per_boot = segment_medians(per_run, of_boot, np.diff(np.r_[of_boot, counts.size]))
    owner = point[of_boot]
    of_point = np.flatnonzero(_is_new(owner))
    typical = segment_medians(per_boot, of_point, np.diff(np.r_[of_point, owner.size]))
    known = np.bincount(owner, weights=boot[of_boot] >= 0).astype(np.int64)
    runs = np.bincount(point)
    values = np.bincount(point, weights=counts).astype(np.int64)
    by_boot, by_run = (
        _intervals(of, units, typical.size, confidence) for of, units in ((owner, per_boot), (point, per_run))
    )
    low, high = (np.where(known >= 2, a, b) for a, b in zip(by_boot, by_run, strict=True))
    low, high = np.minimum(low, typical), np.maximum(high, typical)  # two modes: the median lies off the mean
    scopes = np.array(SCOPES, dtype=np.object_)[np.minimum(known, 2)]
    columns = (column.tolist() for column in (known, runs, values, scopes))
    return tuple(map(Level, typical.tolist(), _known(low), _known(high), *columns))


def _is_new(*keys: IntArray) -> BoolArray:
    """Return which rows differ from the one before in one of the keys."""
    is_new = np.ones(keys[0].size, dtype=np.bool_)
    is_new[1:] = False
    for key in keys:
        is_new[1:] |= key[1:] != key[:-1]
    return is_new


def _known(bounds: FloatArray) -> list[float | None]:
    unknown = np.isnan(bounds)
    if unknown.all():
        return [None] * bounds.size
    return [None if bound != bound else bound for bound in bounds.tolist()]  # noqa: PLR0124 (NaN is not itself)


def _intervals(owner: IntArray, units: FloatArray, points: int, confidence: float) -> tuple[FloatArray, FloatArray]:
    """Return the bounds [points] from the units of each point; NaN where there are fewer than two."""
    counts = np.bincount(owner, minlength=points)
    positive = np.bincount(owner, weights=units <= 0, minlength=points) == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(positive[owner], np.log(np.where(units > 0, units, 1.0)), units)
        mean = np.bincount(owner, weights=scaled, minlength=points) / counts
        squares = np.bincount(owner, weights=(scaled - mean[owner]) ** 2, minlength=points)
        df = np.where(counts > 1, counts - 1, np.nan)
        half = special.stdtrit(df, (1 + confidence) / 2) * np.sqrt(squares / df / counts)
        low, high = mean - half, mean + half
        return np.where(positive, np.exp(low), low), np.where(positive, np.exp(high), high)
