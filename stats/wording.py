"""The sentences of a comparison: why a metric was judged so, and what its reader should beware of. ASCII."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stats.answer import Evidence, Replication
from stats.designs import Design
from stats.judge import Reason
from stats.policy import BoolArray, FloatArray, Policy
from stats.power import Plan

NESTED, BLOCKED, RUNS = int(Design.NESTED), int(Design.BLOCKED), int(Design.RUNS)
WITHIN = "within boot only"
LEAST_LAG = 0.3
COARSE_SHARE = 0.25  # of a unit's variance that rounding makes, from which on it is said
SENTENCES = {
    Reason.DESCRIPTION: "a description without a better direction: shown ({levels}), never judged",
    Reason.CONSTANT_EQUAL: "not judged by statistics: values are constant and equal, {levels}",
    Reason.CONSTANT_SMALL: "not judged by statistics: values are constant, {levels}, inside the margin of {margin}",
    Reason.CONSTANT_CHANGED: "not judged by statistics: values are constant, {levels}",
    Reason.COARSE: "{effect} is within the steps of {tick} that repeats jump by: not evidence of a change",
    Reason.CHANGED: "{full} is beyond the margin of {margin}, {q}; {units}",
    Reason.EQUIVALENT: "the 90 % interval {narrow} lies inside +-{margin}; {units}",
    Reason.SMALL: "{full} is significant ({q}), but not beyond the margin of {margin}; {units}",
    Reason.NOISE: "{full} may be noise ({q}); {units}",
}
DISAGREE = 0.01  # p-value below which the effect is said to differ between blocks


class Row(NamedTuple):
    """What the sentences need of one metric, as Python numbers (NaN for unknown)."""

    effect: float
    low: float
    high: float
    narrow_low: float
    narrow_high: float
    p: float
    q: float
    base: float
    head: float
    margin: float
    tick: float
    design: int
    within: bool
    units: tuple[int, int]
    n: tuple[Replication, Replication]


def rows(evidence: Evidence) -> list[Row]:
    """Return the evidence metric by metric; a hundred times faster to read than arrays, one element at a time."""
    one = evidence
    columns = (
        *(one.effect, *one.interval.T, *one.narrow.T, one.p, one.q, one.base, one.head, one.margin, one.tick),
        *(one.design, one.within),
    )
    alike: dict[tuple[int, ...], tuple[tuple[int, int], tuple[Replication, Replication]]] = {}
    shared = []
    for key in map(tuple, np.concatenate([one.units, one.counts.reshape(-1, 6)], axis=1).tolist()):
        if key not in alike:  # most metrics were measured equally often: few objects, little work for the collector
            alike[key] = ((key[0], key[1]), (Replication(*key[2:5]), Replication(*key[5:])))
        shared.append(alike[key])
    return [Row(*row, *pair) for *row, pair in zip(*(column.tolist() for column in columns), shared, strict=True)]


def why(row: Row, reason: Reason, confidence: float) -> str:
    """Return one sentence with numbers on the verdict of one metric."""
    if reason is Reason.MISSING:
        return f"no values on the {'base' if row.n[0].runs == 0 else 'head'} side"
    if reason is Reason.TOO_FEW:
        return _too_few(row, _effect(row))
    return SENTENCES[reason].format_map(_Parts(row, confidence))


class _Parts:
    """The parts of a sentence on one metric, made when they are asked for: most sentences need three of them."""

    __slots__ = ("confidence", "row")

    def __init__(self, row: Row, confidence: float) -> None:
        self.row, self.confidence = row, confidence

    def __getitem__(self, name: str) -> str:
        return PARTS[name](self.row, self.confidence)


def _effect(row: Row) -> str:
    return _levels(row) if math.isnan(row.effect) else f"{_apart(row.effect, row.margin)} %"


def _levels(row: Row) -> str:
    return f"{row.base:.6g} -> {row.head:.6g}"


def _full(row: Row, confidence: float) -> str:
    if math.isfinite(row.low) and math.isfinite(row.high):
        return f"{_effect(row)} ({100 * confidence:.3g} % interval {_range(row.low, row.high, row.margin)})"
    return _effect(row)


def advice(plan: Plan | None, design: int, reason: Reason) -> str:
    """Return the end of a sentence: how much more would show what; empty where nothing is planned."""
    if plan is None:
        return ""
    unit = "run" if design == RUNS else "boot"
    shown = f"that nothing beyond {percent(plan.change)} changed" if plan.is_within else percent(plan.change)
    purpose = "tell it from the margin" if reason is Reason.SMALL else f"show {shown}"
    return f"; {plan.units} more {unit}{'s' if plan.units > 1 else ''} a side would {purpose}"


def warnings(evidence: Evidence, policy: Policy) -> dict[int, tuple[str, ...]]:
    """Return what readers of each metric should beware of; metrics without warnings are left out."""
    found: dict[int, list[str]] = {}
    for mask, text in _masks(evidence, policy):
        for m in np.flatnonzero(mask):
            found.setdefault(int(m), []).append(text)
    for m in np.flatnonzero(evidence.left_out * (evidence.design != Design.NONE)):
        blocked = evidence.design[m] == Design.BLOCKED
        cause = "their boots measured one side only" if blocked else "their boot is unknown"
        found.setdefault(int(m), []).append(f"{evidence.left_out[m]} runs left out: {cause}")
    for m in np.flatnonzero(evidence.tick):
        text = f"repeats jump by steps of {evidence.tick[m]:.3g} of their unit: a timer or scheduler, not the code"
        found.setdefault(int(m), []).append(text)
    for m in np.flatnonzero(_is_coarse(evidence)):
        found.setdefault(int(m), []).append(
            f"coarse values: steps of {number(evidence.step[m])} of their unit limit what can be seen"
        )
    return {m: tuple(texts) for m, texts in found.items()}


def _masks(evidence: Evidence, policy: Policy) -> tuple[tuple[BoolArray, str], ...]:
    """Return the warnings that need no numbers of a metric, with the metrics they belong to."""
    runs = evidence.counts[:, :, 1].sum(axis=1)
    by_runs = evidence.design == Design.RUNS
    asked = by_runs & (policy.unit == "run") & (evidence.counts[:, :, 0].min(axis=1) > 0)
    one = (evidence.design == Design.BLOCKED) & (evidence.counts[:, :, 0].min(axis=1) == 1)
    remembers = evidence.lag > np.maximum(LEAST_LAG, 2.5 / np.sqrt(np.maximum(runs, 1)))
    return (
        (by_runs & ~asked, "boots are unknown: runs are the unit, and a boot's own level would look like a change"),
        (asked, "runs are taken as independent on the user's word (unit run): boots are not the unit"),
        (one, "one shared boot: whether other boots show the same is unknown"),
        (evidence.differ < DISAGREE, "the effect differs between boots beyond its noise; the interval allows for it"),
        (evidence.drift, "all runs of one side came before all of the other: drift is confounded with the change"),
        (remembers, "the noise of neighbouring runs is correlated: intervals may be too narrow"),
        (evidence.agreeing, "repeats agree to six digits: a tiny spread does not make a difference real"),
        (~evidence.is_log, "zero or negative values: differences are relative to the base level, without logs"),
    )


def _is_coarse(evidence: Evidence) -> BoolArray:
    level = np.maximum(np.abs(np.nan_to_num(evidence.base)), np.abs(np.nan_to_num(evidence.head)))
    rounding: FloatArray = (evidence.step / np.where(level > 0, level, 1.0)) ** 2 / 12
    seen = (evidence.step > 0) & (evidence.design != int(Design.EXACT))
    is_coarse: BoolArray = seen & (rounding > COARSE_SHARE * np.nan_to_num(evidence.spread))
    return is_coarse


def _too_few(row: Row, effect: str) -> str:
    fewest = min(row.units)
    if row.within and math.isfinite(row.low) and math.isfinite(row.high):
        inside = f" ({_range(row.low, row.high, row.margin)} inside the boot)"
        return f"{fewest} boot a side: the spread between boots is unknown; {effect}{inside}"
    unit = "boot" if row.design == NESTED else "run"
    return f"{fewest} {unit} a side: no spread is known; {effect}"


def _units(row: Row) -> str:
    base, head = row.units
    if row.design == NESTED:
        return f"{base} against {head} boots"
    if row.design == BLOCKED:
        boots = min(row.n[0].boots, row.n[1].boots)
        return f"{base} against {head} runs inside {boots} shared boot{'s' if boots > 1 else ''}"
    return f"{base} against {head} runs"


def _range(low: float, high: float, margin: float) -> str:
    return f"{_apart(low, margin)} to {_apart(high, margin)} %"


def _apart(share: float, margin: float) -> str:
    """Return a signed percentage with as many digits as it needs not to look like 0 or like the margin."""
    for digits in range(3, 8):
        told = f"{100 * share:+.{digits}g}"
        if all(share == limit or float(told) != round(100 * limit, 9) for limit in (0.0, margin, -margin)):
            break
    return told


def percent(share: float) -> str:
    """Return a share as a percentage."""
    return f"{100 * share:.3g} %"


def number(value: float) -> str:
    """Return a level with six significant digits at most."""
    return f"{value:.6g}"


PARTS: dict[str, Callable[[Row, float], str]] = {
    "levels": lambda row, _: _levels(row),
    "effect": lambda row, _: _effect(row),
    "full": _full,
    "narrow": lambda row, _: _range(row.narrow_low, row.narrow_high, row.margin),
    "margin": lambda row, _: percent(row.margin),
    "q": lambda row, _: f"q {row.q:.2g}",
    "tick": lambda row, _: f"{row.tick:.3g} of its unit",
    "units": lambda row, _: _units(row),
}
