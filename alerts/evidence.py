"""When a group is worth disturbing someone: how clear steps must be, alone and together. Pure.

Measured on noise without changes (white, with heavy tails, wandering): of 200 time series judged every day for a year,
three to thirty show a step of 3.4 standard errors at some time, three one of 5 alone. Where many are looked at, more
is asked of each, so that the alarms of a year do not grow with their number.
"""

import math
from collections.abc import Sequence

from alerts.steps import Step
from alerts.witness import any_agree
from db.words import Evidence

LONE = 5.2  # standard errors of a step that stands alone …
FAMILY = 200  # … among so many time series
TOGETHER = 0.7  # less, where an independent witness saw the same
LASTS = 4  # points: two bad days and the noise of a third look like a step of three


def lone(families: int) -> float:
    """The standard errors that a step alone must have among so many time series, for the same false alarms in all."""
    p = math.erfc(LONE / math.sqrt(2)) * FAMILY / max(families, FAMILY)
    low, high = LONE, 12.0
    for _ in range(40):  # erfc has no inverse in the standard library
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(middle / math.sqrt(2)) > p else (low, middle)
    return low


def is_clear(steps: Sequence[Step], families: int) -> bool:
    """Whether the steps of a group, taken together, are an alert.

    One lasting step far outside the noise; or two independent witnesses that are nearly as clear: two hosts that saw
    the same metric move alike, of which even candidates count, or two test cases with lasting steps. A bad day or two
    move a whole host, however clearly, and two hosts may have one at the same time; not by the same amount.
    """
    bar = lone(families)
    lasting = [one for one in steps if one.evidence is Evidence.CONFIRMED and one.row.points >= LASTS]
    if any(one.row.z >= bar for one in lasting):
        return True
    sources = {one.source for one in lasting if one.row.z >= bar - TOGETHER}
    return len(sources) >= 2 or any_agree(one for one in steps if one.row.z >= bar - TOGETHER)
