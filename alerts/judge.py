"""Points of time series to steps: which levels changed between which revisions, and how surely. Pure."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

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
LASTING = 3  # points of a run that are more than a bad day or two
MOVES = 1  # points that a step may move when a point comes, and be the same
FRESH = 12  # points up to which a level must still show that it holds
RARE = 1.0  # runs like it that the noise nearby makes by itself
_SIDE = 10  # points before a run that its level is compared with, at most
_AROUND = 40  # points on either side that its noise is taken from
_LEAST_NOISE, _TINY, _CLEAREST = 0.002, 1e-12, 99.0
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
    for i, codes in enumerate(states):
        if codes is not None:
            found[i] = detect(lines[i][1][:, 1], host_states=codes)
    earlier = _without_newest({i: lines[i][1][:, 1] for i, one in found.items() if _is_telling(one)}, states, many)
    steps: list[list[Floats]] = [[] for _ in tables]
    for i, (owner, rows) in enumerate(lines):
        if found[i].changes or found[i].set_aside:
            steps[owner].append(_steps(found[i], earlier.get(i, Segmentation(0)), rows, states[i]))
    return [np.concatenate(parts) if parts else NOTHING for parts in steps]


def _is_telling(found: Segmentation) -> bool:
    return any(one.state is State.CONFIRMED for one in found.changes) or any(
        one.points > LASTING for one in found.set_aside
    )


def _without_newest(
    values: Mapping[int, Floats], states: Sequence[IntArray | None], many: Detector
) -> dict[int, Segmentation]:
    """What would have been found before the newest point came: a step that only it shows may be gone with the next."""
    plain = [i for i in values if states[i] is None]
    found = dict(zip(plain, many([values[i][:-1] for i in plain]), strict=True))
    for i, one in values.items():
        codes = states[i]
        if codes is not None:
            found[i] = detect(one[:-1], host_states=codes[:-1])
    return found


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


def _steps(found: Segmentation, earlier: Segmentation, rows: Floats, codes: IntArray | None) -> Floats:
    runs = _told_once([part for run in found.set_aside for part in _both_ends(run, found, rows[:, 1])], found)
    left = {run.end: run.after for run in runs if run.state is State.CONFIRMED}
    told = [_from(one, left[one.index]) if one.index in left else one for one in found.changes]
    changes = sorted((*told, *runs), key=lambda one: (one.index, one.end))
    known = {place for one in (*earlier.changes, *earlier.set_aside) for place in (one.index, one.end)}
    changes = [one if _holds(one, rows[:, 1], known) else replace(one, state=State.CANDIDATE) for one in changes]
    steps = [_step(change, rows, at_host=_is_at_host(change, codes)) for change in changes if change.index > 0]
    return np.array(steps).reshape(-1, len(StepRow._fields))


def _from(change: Change, level: float) -> Change:
    """A change behind a run that is one, too: it was measured from the level before that run."""
    effect, z = effect_from(level, (change.before, change.after), change.effect, change.z)
    return replace(change, before=level, effect=effect, z=z)


def _told_once(runs: Sequence[Change], found: Segmentation) -> list[Change]:
    """Of measured runs that begin at one place the longest, where no change is: runs may lie in each other."""
    taken = {one.index for one in found.changes}
    kept = [one for one in runs if not one.z]
    for one in sorted(runs, key=lambda one: (-one.points, one.index)):
        if one.z and one.index not in taken:
            taken.add(one.index)
            kept.append(one)
    return kept


def _both_ends(run: Change, found: Segmentation, values: Floats) -> list[Change]:
    """A run that was set aside, and the step back behind it; both measured where it is too long for a bad day or two.

    By itself this series explains it. Other hosts that did the same at the same revisions may say otherwise; so does
    a run that is long, where this series hardly ever does that: a change, and what takes it back.
    """
    if run.points < LASTING or run.index == 0:
        return [run]
    if run.points > LASTING and run.expected < RARE and _is_beyond_middle(run, values).all():
        run = replace(run, state=State.CONFIRMED)
    out = _measured(run, min(run.index, _SIDE), values)
    if run.end >= found.n:
        return [out]
    end = min([one.index for one in (*found.changes, *found.set_aside) if one.index > run.end], default=found.n)
    size = _effect_back(run)
    back = replace(run, index=run.end, end=end, before=run.after, after=run.before, effect=size)
    return [out, _measured(back, min(run.points, _SIDE), values)]


def _holds(change: Change, values: Floats, known: Collection[int]) -> bool:
    """Whether a confirmed change was there before the newest point came, and a fresh one is there still.

    A burst and the days after it look like a lower step, one day; bursts near a true step move it to and fro.
    """
    if change.state is not State.CONFIRMED:
        return True
    if not any(change.index + by in known for by in range(-MOVES, MOVES + 1)):
        return False
    if change.end < values.size or change.points > FRESH:
        return True
    is_there = _is_beyond_middle(change, values)
    return int(is_there.sum()) >= LASTING and bool(is_there[-2:].any())


def _is_beyond_middle(change: Change, values: Floats) -> NDArray[np.bool_]:
    middle = (change.before + change.after) / 2
    is_above: NDArray[np.bool_] = values[change.index : change.end] > middle
    return is_above if change.after > change.before else ~is_above


def _effect_back(run: Change) -> float:
    """The effect of the step that takes a run back."""
    is_ratio = run.before > 0 and run.after > 0
    return run.before / run.after - 1 if is_ratio else -run.effect


def _measured(run: Change, before: int, values: Floats) -> Change:
    """A run with its standard errors, by the noise of the values around it."""
    near = values[max(run.index - _AROUND, 0) : run.end + _AROUND]
    is_ratio = run.before > 0 and run.after > 0 and bool((near > 0).all())
    noise = _noise(np.log(near) if is_ratio else near)
    size = abs(math.log(run.after / run.before)) if is_ratio else abs(run.after - run.before)
    unit = 1.0 if is_ratio else size / max(abs(run.effect), _TINY)
    noise = max(noise, _LEAST_NOISE * unit)
    z = size / (noise * math.sqrt(1 / before + 1 / run.points))
    return replace(run, z=min(z, _CLEAREST), noise=noise / unit)


def _noise(values: Floats) -> float:
    """The standard deviation of noise, from differences of neighbours: steps are in few of them."""
    lags = (np.median(np.abs(values[lag:] - values[:-lag])) for lag in (1, 2, 3) if values.size > lag + 2)
    return float(max(lags, default=0.0)) * 1.4826 / math.sqrt(2)


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


def effect_from(level: float, ends: tuple[float, float], effect: float, z: float) -> tuple[float, float]:
    """The effect of a step between two levels, and its standard errors, had it started from another one."""
    before, after = ends
    if before == after:
        return effect, z
    is_ratio = min(level, after) > 0
    share = (after - level) / (after - before)
    if is_ratio and before > 0:
        share = math.log(after / level) / math.log(after / before)
    return after / level - 1 if is_ratio else effect * share, min(z * abs(share), _CLEAREST)


def interval(effect: float, z: float, *, is_ratio: bool) -> tuple[float, float]:
    """The bounds of an effect that lies `z` standard errors from nothing; on logarithms where it is a ratio."""
    if z <= 0:
        return effect, effect
    size = math.log1p(effect) if is_ratio else effect
    half = abs(size) / z * _WIDE
    return (math.expm1(size - half), math.expm1(size + half)) if is_ratio else (size - half, size + half)
