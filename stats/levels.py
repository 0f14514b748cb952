"""The level of one state: a typical value with an interval, from nested repetitions. For trends, not for verdicts."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from stats.policy import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Level:
    """A typical value and its interval, in the unit of the values.

    The interval is None where nothing is known of the spread between units; `scope` says what it leaves out
    ("within one boot").
    """

    value: float
    low: float | None
    high: float | None
    boots: int
    runs: int
    values: int
    scope: str = ""


def level(value: FloatArray, run: IntArray, boot: IntArray, confidence: float = 0.95) -> Level:
    """The median over boots of the median over runs of each run's median, with a t interval on the units' means.

    Equal-length columns, one row per iteration; `boot` is -1 where unknown. Boots are the units where there are two or
    more, else runs inside the one boot. Positive values are averaged as logs, so that the interval is one of ratios.
    """
    runs, of_run = np.unique(run, return_inverse=True)
    per_run = np.array([np.median(value[of_run == i]) for i in range(runs.size)])
    boot_of_run = np.array([boot[of_run == i][0] for i in range(runs.size)])
    boots = np.unique(boot_of_run)
    per_boot = np.array([np.median(per_run[boot_of_run == b]) for b in boots])
    known = boots[boots >= 0].size
    units, scope = (per_boot, "") if known >= 2 else (per_run, "within one boot" if known else "boots unknown")
    low, high = _interval(units, confidence)
    return Level(float(np.median(per_boot)), low, high, int(known), runs.size, value.size, scope)


def _interval(units: FloatArray, confidence: float) -> tuple[float | None, float | None]:
    if units.size < 2:
        return None, None
    positive = bool((units > 0).all())
    logs = np.log(units) if positive else units
    half = float(special.stdtrit(units.size - 1, (1 + confidence) / 2) * logs.std(ddof=1) / np.sqrt(units.size))
    low, high = float(logs.mean() - half), float(logs.mean() + half)
    return (float(np.exp(low)), float(np.exp(high))) if positive else (low, high)
