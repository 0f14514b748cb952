"""Coarse values: the grid that values sit on, and the steps (timer ticks, scheduler slices) that runs jump by."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from stats.grouped import totals
from stats.policy import BoolArray, FloatArray, IntArray
from stats.samples import RunSamples
from stats.summarise import Runs

PROBE = 32  # values per metric looked at for repeats; continuous measurements never repeat exactly
TICK_WIDTHS = (0.0005, 0.002, 0.01)  # relative; jumps that agree so well have one cause
TICK_COUNT = 3  # such jumps at least, in two metrics or more
TICK_CHANCE = 0.01  # that a peak among so many jumps is an accident
NEAR = 0.02  # of a step: how near to a whole number of steps a jump is
LEAST_JUMP = 1e-3  # of the level; smaller jumps cannot carry an effect beyond any sensible margin
LOCKED = 0.25  # share of the jumps that must be tiny beside the largest, for a metric to count as stepping
MOST_TICKS = 3
SIX_DIGITS = 5e-6
MOST_STEPS = 2  # differences of so many steps are put down to the steps


def grid(samples: RunSamples, metrics: int) -> FloatArray:
    """Return the grid [metrics] that each metric's values sit on, in their unit; 0 where there is none.

    Only metrics with repeated values are looked at: the grid is the smallest gap between
    two values, if all values are whole multiples of it away from each other.
    """
    found = np.zeros(metrics)
    value = samples.value
    first = np.r_[0, np.cumsum(samples.counts)][np.searchsorted(samples.metric, np.arange(metrics + 1))]
    for m in _repeating(first, value):
        levels = np.unique(value[first[m] : first[m + 1]])
        if levels.size < 2:
            continue
        step = float(np.diff(levels).min())
        away = (levels - levels[0]) / step
        if np.abs(away - np.round(away)).max() < 0.01:
            found[m] = step
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """Jumps between neighbouring values of runs of one boot and side, sorted; `level` is the higher one of the two."""

    metric: IntArray
    jump: FloatArray
    level: FloatArray


def repeats(runs: Runs, metrics: int) -> Repeats:
    """Return the jumps between the repeats of every metric, side and boot."""
    cell = (runs.metric * 2 + runs.side) * (runs.boot.max(initial=0) + 2) + runs.boot + 1
    # One float key (the cell, then the place in the metric's range) sorts three times faster than two keys.
    lowest, highest = np.full(metrics, np.inf), np.full(metrics, -np.inf)
    np.minimum.at(lowest, runs.metric, runs.low)
    np.maximum.at(highest, runs.metric, runs.low)
    width = np.where(highest > lowest, highest - lowest, 1.0)[runs.metric]
    order = np.argsort(cell + 0.999 * (runs.low - lowest[runs.metric]) / width)
    low, cell = runs.low[order], cell[order]
    same = np.flatnonzero(cell[1:] == cell[:-1])
    return Repeats(runs.metric[order][1:][same], np.abs(low[1:] - low[:-1])[same], np.abs(low[1:][same]))


def ticks(jumps: Repeats, metrics: int) -> tuple[float, ...]:
    """Return the steps by which repeats of several metrics jump, in the values' unit, largest first; empty if none.

    Repeats that agree to six digits and sometimes differ by 4 ms sit on the ticks of a timer or on scheduler slices.
    A patch that shifts the phase moves all repeats by a step, with no cause that a developer could mend. Found as
    peaks among the jumps between neighbouring repeats: more of them than the density of jumps around explains.
    Only metrics are looked at whose repeats mostly agree a thousand times better than they jump.
    """
    largest = np.zeros(metrics)
    np.maximum.at(largest, jumps.metric, jumps.jump)
    tiny = totals(jumps.metric, jumps.jump < 1e-3 * largest[jumps.metric], metrics)
    locked = tiny >= LOCKED * np.maximum(np.bincount(jumps.metric, minlength=metrics), 1)
    chosen = locked[jumps.metric] & (jumps.jump > LEAST_JUMP * jumps.level)
    size, metric = jumps.jump[chosen], jumps.metric[chosen]
    found: list[float] = []
    while size.size >= TICK_COUNT and len(found) < MOST_TICKS:
        step = _peak(size, metric)
        if step == 0:
            break
        found.append(step)
        other = ~_is_whole(size / step, NEAR, 3)
        size, metric = size[other], metric[other]
    return tuple(sorted(found, reverse=True))


def stepping(runs: Runs, steps: tuple[float, ...], agreeing: BoolArray) -> FloatArray:
    """Return the largest of `steps` by which each metric [metrics] jumps (any sides), 0 for metrics that do not.

    To jump means that some neighbouring runs differ by one to three whole steps. Metrics that are long enough, and
    whose repeats agree to six digits (`agreeing`), sit on the largest step too: they only did not jump this time.
    """
    found = np.zeros(agreeing.size)
    if not steps:
        return found
    order = np.lexsort((runs.low, runs.metric))
    metric = runs.metric[order][1:]
    low = runs.low[order]
    gap = np.where(
        (np.diff(runs.metric[order]) == 0) & (np.diff(low) > LEAST_JUMP * np.abs(low[1:])), np.diff(low), 0.0
    )
    for step in reversed(steps):
        found[metric[_is_whole(gap / step, NEAR, 3)]] = step
    shortest = np.full(agreeing.size, np.inf)
    np.minimum.at(shortest, runs.metric, runs.low)
    return np.where((found == 0) & agreeing & (shortest > MOST_STEPS * steps[0]), steps[0], found)


def of_hosts(runs: Runs, jumps: Repeats, agreeing: BoolArray, host: IntArray) -> FloatArray:
    """Return the step of each metric [metrics], 0 for none. `host` holds codes: timers and schedulers are a host's."""
    found = np.zeros(agreeing.size)
    for code in np.unique(host):
        here = host == code
        mine, own = here[runs.metric], here[jumps.metric]
        steps = ticks(Repeats(jumps.metric[own], jumps.jump[own], jumps.level[own]), agreeing.size)
        on_host = Runs(*(getattr(runs, name)[mine] for name in Runs.__slots__))
        found[here] = stepping(on_host, steps, agreeing)[here]
    return found


def explained(base: FloatArray, head: FloatArray, step: FloatArray) -> BoolArray:
    """Return which differences are no larger than two of the metric's steps."""
    within: BoolArray = (step > 0) & (np.abs(head - base) < (MOST_STEPS + 0.05) * step)
    return within


def agreeing(jumps: Repeats, metrics: int) -> BoolArray:
    """Return which metrics have repeats that mostly agree to six digits, but not all."""
    pairs = np.bincount(jumps.metric, minlength=metrics)
    varied = np.bincount(jumps.metric, jumps.jump > 0, metrics) > 0
    close = totals(jumps.metric, jumps.jump <= SIX_DIGITS * jumps.level, metrics)
    mostly: BoolArray = varied & (close >= 0.5 * pairs)
    return mostly


def _peak(jumps: FloatArray, metric: IntArray) -> float:
    """Return the most surprising concentration of jumps over two metrics or more; 0 where chance may have made it."""
    by_size = np.argsort(jumps)
    logs, metric = np.log(jumps[by_size]), metric[by_size]
    around = np.searchsorted(logs, logs + 0.5) - np.searchsorted(logs, logs - 0.5)
    best, step = TICK_CHANCE / len(TICK_WIDTHS), 0.0
    for width in TICK_WIDTHS:
        end = np.searchsorted(logs, logs + width)
        count = end - np.arange(logs.size)
        accident = logs.size * special.pdtrc(count - 2, np.maximum(around - count, 1) * width)
        peak = int(np.argmin(np.where(count >= TICK_COUNT, accident, np.inf)))
        inside = slice(peak, end[peak])
        if count[peak] >= TICK_COUNT and accident[peak] < best and np.unique(metric[inside]).size > 1:
            best, step = float(accident[peak]), float(np.exp(np.median(logs[inside])))
    return step


def _is_whole(ratio: FloatArray, near: float, most: int) -> BoolArray:
    whole = np.round(ratio)
    is_whole: BoolArray = (np.abs(ratio - whole) < near) & (whole >= 1) & (whole <= most)
    return is_whole


def _repeating(first: IntArray, value: FloatArray) -> IntArray:
    """Return the metrics of which some of the first values are equal."""
    if not value.size:
        return np.zeros(0, dtype=np.int64)
    rows = first[:-1, None] + np.arange(PROBE)
    probe = np.where(rows < first[1:, None], value[np.minimum(rows, value.size - 1)], np.nan)
    probe.sort(axis=1)
    return np.flatnonzero((np.diff(probe, axis=1) == 0).any(axis=1))
