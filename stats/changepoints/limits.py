"""What the detector takes for granted: the limits that a user may move, and the constants that are not for moving."""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

FEWEST = 4  # points; below, no change can be told from noise
WINDOW = 512  # points that are looked at together; older ones are settled, so that appending has a bounded cost


@dataclass(frozen=True, slots=True)
class Limits:
    """How clear and how large a change must be, and from how many points on it counts as confirmed."""

    min_z: float = 3.8
    min_effect: float = 0.005
    confirmed_after: int = 3

    def __post_init__(self) -> None:
        """Refuse limits that mean nothing."""
        if not (self.min_z > 0 and self.min_effect >= 0 and self.confirmed_after >= 1):
            raise ValueError(f"limits that mean nothing: {self}")


DEFAULTS = Limits()


class Tuning(NamedTuple):
    """Constants of the method, all float so that compiled code takes them as one value; docs/change-points.md."""

    min_z: float = 3.8
    min_effect: float = 0.005
    lags: float = 5.0  # of the differences that the noise is taken from
    half_window: float = 3.0  # of the running median
    winsor: float = 3.0  # noise units; farther values are pulled in
    penalty: float = 3.0  # times log n: price of a piece in the first partitioning
    change_cost: float = 3.0  # times log n: price of a change in white noise …
    wander_cost: float = 8.0  # … and this times squared autocorrelation on top
    prior_df: float = 2.0  # weight of the window's noise in the variance around a step
    longest: float = 15.0  # points of an excursion
    alpha: float = 0.05  # runs like it expected from noise, above which an excursion is noise
    alpha_end: float = 0.25  # the same for the run at the end, which has not had the time to prove itself
    outlying: float = 0.6  # share of the excursion's height from which other points count as off their level …
    outlying_sd: float = 3.0  # … but at least this many noise units
    inside: float = 0.6  # share of its height above which its own points count as away
    near: float = 80.0  # points on either side that count as neighbourhood
    prior_stay: float = 1.0
    prior_leave: float = 1.0
    unseen: float = 0.5  # runs added to those seen
    floor: float = 0.2  # of the smallest effect: the least noise that is believed
