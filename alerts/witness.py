"""Several hosts that saw the same: what no host does by itself. Pure.

A burst, a mode, a bad day belong to one host. The same test case and metric that moved by the same amount at the same
revision on another host is a change of the code, also where each time series alone could explain it by its own habits.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TypeAlias

from alerts.judge import LASTING
from alerts.steps import Step
from db.words import Evidence

SURE = 4.5  # standard errors of a run that may be vouched for
AGREE = 3.0  # standard errors that two sizes may differ …
SHARE = 0.25  # … or this share of the smaller one: hosts differ
_SET_ASIDE = (Evidence.NOISY, Evidence.TRANSIENT)

Place: TypeAlias = tuple[str, int, int, str, bool]


def agree(one: Step, other: Step) -> bool:
    """Whether two hosts saw the same metric of the same test case move alike."""
    if one.series.host == other.series.host or _what(one) != _what(other) or (one.size > 0) != (other.size > 0):
        return False
    smaller = min(abs(one.size), abs(other.size))
    allowed = max(AGREE * (one.error**2 + other.error**2) ** 0.5, SHARE * smaller)
    return bool(abs(one.size - other.size) <= min(allowed, 0.5 * smaller))


def any_agree(steps: Iterable[Step]) -> bool:
    """Whether two of these steps agree."""
    by_what: dict[tuple[int, str], list[Step]] = {}
    for one in steps:
        by_what.setdefault(_what(one), []).append(one)
    return any(agree(one, other) for same in by_what.values() for one, other in combinations(same, 2))


def vouched(steps: Mapping[int, Sequence[Step]]) -> dict[int, Sequence[Step]]:
    """The steps, with runs that were set aside taken for changes where another host saw the same at the same place."""
    by_place: dict[Place, list[Step]] = {}
    for ofseries in steps.values():
        for one in ofseries:
            if one.row.z >= SURE and one.row.points >= LASTING and not one.row.at_host:
                by_place.setdefault(_place(one), []).append(one)
    found = {
        id(one)
        for same in by_place.values()
        for one in same
        if one.evidence in _SET_ASIDE and any(agree(one, other) for other in same)
    }
    return {number: _with_found(ofseries, found) for number, ofseries in steps.items()}


def _with_found(ofseries: Sequence[Step], found: Collection[int]) -> list[Step]:
    """The steps of a time series with those whose `id` was found shown, and what follows such a run measured from it.

    Change detection measures what follows a run that was set aside from the level before that run.
    """
    told = [_shown(one, found) for one in ofseries]
    for i in range(1, len(told)):
        earlier, later = told[i - 1], told[i]
        if id(ofseries[i - 1]) in found and later.is_shown and earlier.line == later.line:
            told[i] = later.measured_from(earlier.row.after) if _passes_over(earlier, later) else later
    return told


def _passes_over(earlier: Step, later: Step) -> bool:
    """Whether a step starts from where the one before it started, and not from where that ended."""
    run, start = earlier.row, later.row.before
    return abs(start - run.before) < abs(start - run.after)


def _shown(step: Step, found: Collection[int]) -> Step:
    return replace(step, evidence=Evidence.CONFIRMED) if id(step) in found else step


def _what(step: Step) -> tuple[int, str]:
    return step.series.test_case_id, step.series.metric


def _place(step: Step) -> Place:
    return (step.line, step.head, *_what(step), step.size > 0)
