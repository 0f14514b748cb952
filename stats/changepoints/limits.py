"""What the detector takes for granted: the limits that a user may move, and the constants that are not for moving."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

FEWEST = 4  # points; below, no change can be told from noise
WINDOW = 640  # points that are looked at together; older ones are settled, so that appending has a bounded cost


@dataclass(frozen=True, slots=True)
class Limits:
    """How clear and how large a change must be, and from how many points on it counts as confirmed."""

    min_z: float = 3.4
    min_effect: float = 0.005
    confirmed_after: int = 3

    def __post_init__(self) -> None:
        """Refuse limits that mean nothing."""
        object.__setattr__(self, "min_z", float(self.min_z))  # compiled code knows floats only
        object.__setattr__(self, "min_effect", float(self.min_effect))
        if not (self.min_z > 0 and self.min_effect >= 0 and self.confirmed_after >= 1):
            raise ValueError(f"limits that mean nothing: {self}")


DEFAULTS = Limits()


# Constants of the method, in units of the noise where they are heights. Each one's reason: docs/statistics.md.
LAGS = 4  # of the differences that the noise is taken from
MODES_SHARE = 0.65  # quantile of the differences that is looked at for modes …
MODES_RATIO = 3.0  # … which are the noise where it is so many times what the median says
HALF_WINDOW = 4  # of the running median
WINSOR = 2.7  # values farther from the running median are pulled in
PIECE_PRICE = 3.2  # times log n: price of a piece in the first partitioning
CHANGE_PRICE = 2.9  # times log n: price of a change in white noise …
WANDER_PRICE = 6.0  # … and this times squared autocorrelation on top
RHO_PRICE = 6.0  # times log n, times squared autocorrelation: hosts rarely wander by themselves
SLOPE_PRICE = 4.0  # times log n: what a piece costs more as a line
SHORTEST_LINE = 5  # points
JUMP = 3.8  # standard errors from one line to the next that make a change
RHOS = (0.0, 0.3, 0.6, 0.8, 0.9)  # autocorrelations that are tried
PRIOR_DF = 2.0  # weight of the window's noise in the variance around a step
STRAY_PRICE = 10.0  # standard errors that a change must be clearer, times the share of values nearby pulled in …
STRAYS_UNSEEN = 1.0  # … with one added for those not seen yet
LONGEST = 16.0  # points of an excursion …
SHARE = 1 / 6  # … which is also no larger part of the window
ORDINARY = 0.05  # runs like it expected from noise, above which an excursion is noise
ORDINARY_AT_END = 0.25  # the same for the run at the end, which has had no time to prove itself
OUTLYING = 0.6  # share of an excursion's height from which other points count as off their level …
OUTLYING_SD = 2.0  # … but at least this
INSIDE = 0.6  # share of its height above which its own points count as away
NEAR = 80  # points on either side that count as neighbourhood
PRIOR_RUNS = 0.5  # runs added to those seen, for those not seen yet
FLOOR = 0.4  # of the smallest effect: the least noise that is believed
