"""How many units a side are needed to see a change: planning, and the advice in an inconclusive answer."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from stats.policy import FloatArray

LIMIT = 1000  # nobody boots a machine more often than this


@dataclass(frozen=True, slots=True)
class Plan:
    """So many further units a side (boots; runs where boots are unknown) would show a relative change of that size.

    Or, `is_within`, that there is none of that size.
    """

    units: int
    change: float
    is_within: bool = False


def units_needed(
    spread: FloatArray, change: FloatArray, *, alpha: float, power: float, beyond: FloatArray | float = 0.0
) -> FloatArray:
    """Return the units a side for which a two-sided test at `alpha` sees `change` (logs) with probability `power`.

    And for which the estimate is then larger than `beyond`, too: `LIMIT` where the change is no larger. `spread` is the
    variance of one unit on the same scale. The normal formula, with t quantiles at the degrees of freedom that come out
    (three rounds); at least 2, at most `LIMIT`, NaN where the spread is unknown.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 2 * spread / change**2
        clear = np.where(change > beyond, 2 * spread * (special.ndtri(power) / (change - beyond)) ** 2, np.inf)
    clear = np.where(np.asarray(beyond) > 0, clear, 0.0)
    needed = _clipped(ratio * (special.ndtri(1 - alpha / 2) + special.ndtri(power)) ** 2)
    for _ in range(3):
        df = 2 * (needed - 1)
        quantiles = special.stdtrit(df, 1 - alpha / 2) + special.stdtrit(df, power)
        needed = _clipped(0.5 * needed + 0.5 * ratio * quantiles**2)
    return _clipped(np.ceil(np.maximum(needed, clear) - 0.05))


def detectable_change(spread: FloatArray, units: FloatArray, *, alpha: float, power: float) -> FloatArray:
    """Return the change (logs) that `units` a side would see with probability `power`."""
    df = np.maximum(2 * (units - 1), 1)
    quantiles = special.stdtrit(df, 1 - alpha / 2) + special.stdtrit(df, power)
    return np.asarray(quantiles * np.sqrt(2 * spread / units), dtype=np.float64)


def _clipped(units: FloatArray) -> FloatArray:
    return np.clip(units, 2, LIMIT)
