"""The level of each state: a typical value with an interval, from nested repetitions. For trends, not for verdicts."""

from typing import NamedTuple

import numpy as np
from scipy import special

from stats.policy import FloatArray, IntArray


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
    value: FloatArray, run: IntArray, boot: IntArray, point: IntArray, confidence: float = 0.95
) -> tuple[Level, ...]:
    """Return one level per point 0 … max(point), each of which has at least one value.

    Equal-length columns, one row per iteration; `boot` is -1 where unknown. The value is the median over boots of the
    median over runs of each run's median. The interval is Student's t on the units' logs (plain values where some are
    not positive): boots are the units where a point has two or more, else runs inside its one boot.
    """
    if not value.size:
        return ()
    rows, per_run = _medians(np.stack([point, boot, run]), value)
    places, per_boot = _medians(rows[:2], per_run)
    points, typical = _medians(places[:1], per_boot)
    known = np.bincount(places[0], weights=places[1] >= 0).astype(int)
    runs = np.bincount(rows[0])
    values = np.bincount(point)
    by_boot, by_run = (
        _intervals(owner, units, points.size, confidence)
        for owner, units in ((places[0], per_boot), (rows[0], per_run))
    )
    low, high = (np.where(known >= 2, a, b) for a, b in zip(by_boot, by_run, strict=True))
    scopes = ("boots unknown", "within one boot", "")
    return tuple(
        map(
            Level,
            typical.tolist(),
            _known(low),
            _known(high),
            known.tolist(),
            runs.tolist(),
            values.tolist(),
            [scopes[min(boots, 2)] for boots in known.tolist()],
        )
    )


def _known(bounds: FloatArray) -> list[float | None]:
    return [None if bound != bound else bound for bound in bounds.tolist()]  # noqa: PLR0124 (NaN is not itself)


def _medians(keys: IntArray, value: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the distinct columns of `keys` [k, rows] in order, and the median of the values of each."""
    order = np.lexsort((value, *keys[::-1]))
    keys, value = keys[:, order], value[order]
    starts = np.flatnonzero(np.r_[True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)])
    counts = np.diff(np.r_[starts, value.size])
    return keys[:, starts], (value[starts + (counts - 1) // 2] + value[starts + counts // 2]) / 2


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
