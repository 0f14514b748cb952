"""What a comparison takes for granted: the verdicts there are, and the limits that lead to them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]


class Verdict(StrEnum):
    """The answer for one metric. Only `REGRESSION` and `IMPROVEMENT` are claims that something changed."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """Limits of a judgement.

    `margin` is the relative size below which a change does not matter (0.02 = 2 %), one number or one per metric.
    `fdr` is the Benjamini-Hochberg level over all metrics judged in the comparison, `confidence` that of the
    intervals. `unit="run"` is the user's word that runs are independent although boots are known; the answers
    repeat it. `moderate=False` and `robust=False` leave the plain Welch test on boot means (for agreement tests).
    """

    margin: float | FloatArray = 0.02
    fdr: float = 0.05
    confidence: float = 0.95
    unit: Literal["boot", "run"] = "boot"
    min_units: int = 2
    power: float = 0.8
    moderate: bool = True
    robust: bool = True
