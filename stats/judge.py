"""Verdicts from evidence: significance and size and comparability, as one table of reasons."""

from enum import Enum
from typing import TypeAlias

import numpy as np

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


_EQUIVALENT = (Reason.CONSTANT_EQUAL, Reason.CONSTANT_SMALL, Reason.EQUIVALENT)  # tuples: hashing an enum is slow
_CHANGED = (Reason.CHANGED, Reason.CONSTANT_CHANGED)
Reasons: TypeAlias = list[Reason]


def reasons(evidence: Evidence, policy: Policy) -> Reasons:
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
    order = [reason for _, reason in table] + [Reason.NOISE]
    applies = np.stack([condition for condition, _ in table] + [np.ones(size.size, dtype=np.bool_)])
    return [order[first] for first in np.argmax(applies, axis=0).tolist()]


def verdict(reason: Reason, *, is_worse: bool) -> Verdict:
    """Return the verdict that a reason leads to; `is_worse`: the head moved against the better direction."""
    if reason is Reason.MISSING or reason is Reason.DESCRIPTION:
        return Verdict.NOT_COMPARABLE
    if reason in _EQUIVALENT:
        return Verdict.EQUIVALENT
    if reason in _CHANGED:
        return Verdict.REGRESSION if is_worse else Verdict.IMPROVEMENT
    return Verdict.INCONCLUSIVE
