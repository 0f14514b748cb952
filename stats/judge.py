"""Verdicts from evidence: significance and size and comparability, as one table of reasons."""

from enum import Enum

import numpy as np
from numpy.typing import NDArray

from stats.answer import Evidence
from stats.designs import Design
from stats.policy import Policy, Verdict


class Reason(Enum):
    """Why a verdict was given; the first that applies, in this order."""

    MISSING = "one side has no values"
    DESCRIPTION = "the metric has no better direction"
    TOO_FEW = "too few units of replication"
    CONSTANT_EQUAL = "both sides are constant and equal"
    CONSTANT_SMALL = "both sides are constant and differ less than the margin"
    CONSTANT_CHANGED = "both sides are constant and differ"
    COARSE = "the difference is not larger than the resolution"
    CHANGED = "significant and beyond the margin"
    EQUIVALENT = "the 90 % interval lies inside the margin"
    SMALL = "significant, but the effect is inside the margin"
    NOISE = "not significant"


def reasons(evidence: Evidence, policy: Policy) -> NDArray[np.object_]:
    """Return the reason of each metric's verdict."""
    size = np.abs(evidence.effect)
    beyond = (size > evidence.margin) | np.isnan(size)  # no relative size: the base level is 0
    equal = evidence.base == evidence.head
    significant = evidence.q <= policy.fdr
    inside = np.abs(evidence.narrow).max(axis=1) < evidence.margin
    table = (
        (evidence.design == Design.NONE, Reason.MISSING),
        (evidence.better == 0, Reason.DESCRIPTION),
        ((evidence.design != Design.EXACT) & np.isnan(evidence.p), Reason.TOO_FEW),
        ((evidence.design == Design.EXACT) & equal, Reason.CONSTANT_EQUAL),
        ((evidence.design == Design.EXACT) & ~beyond, Reason.CONSTANT_SMALL),
        (evidence.design == Design.EXACT, Reason.CONSTANT_CHANGED),
        (significant & beyond & evidence.coarse, Reason.COARSE),
        (significant & beyond, Reason.CHANGED),
        (inside, Reason.EQUIVALENT),
        (significant, Reason.SMALL),
    )
    found = np.full(size.size, Reason.NOISE, dtype=object)
    for condition, reason in reversed(table):
        found[condition] = reason
    return found


def verdict(reason: Reason, *, is_worse: bool) -> Verdict:
    """Return the verdict that a reason leads to; `is_worse`: the head moved against the better direction."""
    if reason in {Reason.MISSING, Reason.DESCRIPTION}:
        return Verdict.NOT_COMPARABLE
    if reason in {Reason.CONSTANT_EQUAL, Reason.CONSTANT_SMALL, Reason.EQUIVALENT}:
        return Verdict.EQUIVALENT
    if reason in {Reason.CHANGED, Reason.CONSTANT_CHANGED}:
        return Verdict.REGRESSION if is_worse else Verdict.IMPROVEMENT
    return Verdict.INCONCLUSIVE
