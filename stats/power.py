"""How many units a side are needed to see a change: planning, and the advice in an inconclusive answer."""

import numpy as np
from scipy import special

from stats.policy import FloatArray

LIMIT = 1000  # nobody boots a machine more often than this


def units_needed(spread: FloatArray, change: FloatArray, *, alpha: float, power: float) -> FloatArray:
    """Return the units a side for which a two-sided test at `alpha` sees `change` (logs) with probability `power`.

    `spread` is the variance of one unit on the same scale. The normal formula, with t quantiles at the degrees of
    freedom that come out (three rounds); at least 2, at most `LIMIT`, NaN where the spread is unknown.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 2 * spread / np.asarray(change) ** 2
    normal = special.ndtri(1 - alpha / 2) + special.ndtri(power)
    n: FloatArray = np.clip(ratio * normal**2, 2, LIMIT)
    for _ in range(3):
        quantiles = special.stdtrit(2 * (n - 1), 1 - alpha / 2) + special.stdtrit(2 * (n - 1), power)
        n = np.add(n, np.clip(ratio * quantiles**2, 2, LIMIT), dtype=np.float64) / 2
    whole: FloatArray = np.ceil(n - 0.05)
    return whole


def detectable_change(spread: FloatArray, units: FloatArray, *, alpha: float, power: float) -> FloatArray:
    """Return the change (logs) that `units` a side would see with probability `power`."""
    df = np.maximum(2 * (units - 1), 1)
    quantiles = special.stdtrit(df, 1 - alpha / 2) + special.stdtrit(df, power)
    change: FloatArray = quantiles * np.sqrt(2 * spread / units)
    return change
