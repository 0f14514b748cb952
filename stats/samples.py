"""The measured values of a comparison as columns, checked once at the door."""

from dataclasses import dataclass

import numpy as np

from stats.policy import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One row per value (one iteration of one run of one metric on one side); rows in any order, any imbalance.

    `metric` counts from 0. `side` is 0 for base and 1 for head. `boot` is a code: the same code on both sides is the
    same boot (a block), -1 is an unknown boot. `run` is a code that is unique in the table. `start`, where known,
    is the start of the row's run in seconds of any one clock (NaN where unknown); it serves the warnings about order.
    """

    metric: IntArray
    side: IntArray
    boot: IntArray
    run: IntArray
    value: FloatArray
    start: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse columns that differ in length, sides that are neither, and values that are not numbers."""
        columns = (
            self.metric,
            self.side,
            self.boot,
            self.run,
            self.value,
            *((self.start,) if self.start is not None else ()),
        )
        if any(column.shape != (self.value.size,) for column in columns):
            raise ValueError("the columns of samples must be one-dimensional and of one length")
        if not np.isin(self.side, (0, 1)).all():
            raise ValueError("side must be 0 (base) or 1 (head)")
        if not np.isfinite(self.value).all():
            row = int(np.flatnonzero(~np.isfinite(self.value))[0])
            raise ValueError(f"row {row} holds {self.value[row]}: values must be finite numbers, missing is never zero")


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What earlier measurements of the same host and test cases (A/A pairs, earlier revisions) say about noise.

    `variance` [metrics] is the variance of one unit of replication (a boot; logs of the values) and `df` [metrics]
    its degrees of freedom. NaN and 0 where nothing is known.
    """

    variance: FloatArray
    df: FloatArray
