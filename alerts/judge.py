"""Points of time series to steps: which levels changed between which revisions, and how surely. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from alerts.spread import Detector
from db.detection import Place, StepRow
from db.types import Floats
from db.values import IntArray
from db.words import Evidence
from stats.changepoints import Change, Segmentation, State, detect, detect_many

NOTHING = np.zeros((0, len(StepRow._fields)))
EVIDENCE = (Evidence.CANDIDATE, Evidence.CONFIRMED, Evidence.TRANSIENT, Evidence.NOISY)  # as coded in a StepRow
_CODES = {State.CANDIDATE: 0, State.CONFIRMED: 1, State.TRANSIENT: 2, State.NOISY: 3}
_WIDE = 1.96  # standard errors on either side of the effect: 95 %
SETTLING = 5  # points after a change of the host state whose steps are still put down to it
_TOO_LARGE = 1e140  # what change detection refuses

Differ = Callable[[int, int], bool]  # whether two host states differ gravely


def judge(
    tables: Sequence[Floats], places: Mapping[int, Place], differ: Differ, many: Detector = detect_many
) -> list[Floats]:
    """The steps (table of `StepRow`) of each table of `PointRow`, ordered by line and position.

    Revisions that are not in `places` are passed over. Host states that differ gravely split a time series; a step
    exactly there is marked as the host's. `many` finds the changes of many series: here, or on other machines.
    """
    lines = [(owner, rows) for owner, table in enumerate(tables) for rows in _lines(table, places)]
    states = [_state_codes(rows[:, 2], differ) for _, rows in lines]
    plain = [i for i, codes in enumerate(states) if codes is None]
    found: dict[int, Segmentation] = dict(zip(plain, many([lines[i][1][:, 1] for i in plain]), strict=True))
    steps: list[list[Floats]] = [[] for _ in tables]
    for i, (owner, rows) in enumerate(lines):
        codes = states[i]
        answer = found[i] if codes is None else detect(rows[:, 1], host_states=codes)
        if answer.changes or answer.set_aside:
            steps[owner].append(_steps(answer, rows, codes))
    return [np.concatenate(parts) if parts else NOTHING for parts in steps]


def _lines(table: Floats, places: Mapping[int, Place]) -> list[Floats]:
    """The points of each line in the order of its positions."""
    known = [places.get(int(revision)) for revision in table[:, 0]]
    by_line: dict[str, list[tuple[int, int]]] = {}
    for row, place in enumerate(known):
        if place is not None and abs(table[row, 1]) < _TOO_LARGE:  # also false for NaN
            by_line.setdefault(place.line, []).append((place.position, row))
    return [table[[row for _, row in sorted(pairs)]] for _, pairs in sorted(by_line.items())]


def _state_codes(states: Floats, differ: Differ) -> IntArray | None:
    """A number a point that rises where the host state differs gravely from the last known one; None without rise."""
    if (states == states[0]).all():
        return None
    codes, known, code = np.zeros(states.size, dtype=np.int64), -1, 0
    for i, state in enumerate(states.astype(int).tolist()):
        if state >= 0:
            code += known >= 0 and state != known and differ(known, state)
            known = state
        codes[i] = code
    return codes if code else None


def _steps(found: Segmentation, rows: Floats, codes: IntArray | None) -> Floats:
    changes = sorted((*found.changes, *found.set_aside), key=lambda one: (one.index, one.end))
    told = [_step(change, rows, at_host=_is_at_host(change, codes)) for change in changes if change.index > 0]
    return np.array(told).reshape(-1, len(StepRow._fields))


def _is_at_host(change: Change, codes: IntArray | None) -> bool:
    """Whether the host state changes at a step, or did so just before: a host set up anew takes a while to settle."""
    if codes is None:
        return change.host_changed
    return change.host_changed or bool(codes[change.index] != codes[max(change.index - SETTLING, 0)])


def _step(change: Change, rows: Floats, *, at_host: bool) -> StepRow:
    low, high = interval(change.effect, change.z, is_ratio=change.before > 0 and change.after > 0)
    return StepRow(
        base=rows[change.index - 1, 0],
        head=rows[change.index, 0],
        before=change.before,
        after=change.after,
        effect=change.effect,
        low=low,
        high=high,
        z=change.z,
        noise=change.noise,
        points=change.end - change.index,
        boots=rows[change.index : change.end, 3].sum(),
        evidence=_CODES[change.state],
        at_host=at_host,
    )


def interval(effect: float, z: float, *, is_ratio: bool) -> tuple[float, float]:
    """The bounds of an effect that lies `z` standard errors from nothing; on logarithms where it is a ratio."""
    if z <= 0:
        return effect, effect
    size = math.log1p(effect) if is_ratio else effect
    half = abs(size) / z * _WIDE
    return (math.expm1(size - half), math.expm1(size + half)) if is_ratio else (size - half, size + half)
