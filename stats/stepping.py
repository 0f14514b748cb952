"""Timer steps in the runs of many states: by how much repeats jump without a cause in the code, and in which boots."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from stats import resolution
from stats.policy import BoolArray, FloatArray, IntArray

LEAST_STEP = 0.005  # of the level; smaller steps cannot carry an effect beyond any sensible margin
WIDTHS = (0.001, 0.005, 0.015)  # relative; gaps between repeats that agree so well may be one step
FEWEST = 3  # such gaps in one metric
CHANCE = 1e-3  # that they agree by accident
AROUND = 0.5  # of a log unit: where the density of gaps is taken from
MOST_STEPS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The runs of one metric: state, boot, level on the analysis scale, and the value as measured."""

    state: IntArray
    boot: IntArray
    level: FloatArray
    value: FloatArray
    is_log: bool

    def only(self, kept: BoolArray) -> "Rows":
        """Return some of the runs."""
        return Rows(self.state[kept], self.boot[kept], self.level[kept], self.value[kept], self.is_log)

    @property
    def cell(self) -> IntArray:
        """A code per state and boot."""
        return np.asarray(self.state * (int(self.boot.max(initial=0)) + 2) + self.boot + 1)


def common_steps(metrics: Sequence[Rows]) -> tuple[float, ...]:
    """Return the steps by which repeats of several metrics jump, in their unit (see `stats.resolution.ticks`)."""
    found = [_gaps(one, one.cell) for one in metrics]
    sizes = [gap.size for gap, _ in found]
    if sum(sizes) == 0:
        return ()
    gap, level = (np.concatenate([pair[side] for pair in found]) for side in (0, 1))
    return resolution.ticks(resolution.Repeats(np.repeat(np.arange(len(found)), sizes), gap, level), len(found))


def step_of(rows: Rows, common: tuple[float, ...]) -> float:
    """Return the step by which a metric's repeats jump, in its unit; 0 where they do not.

    The largest of the common steps that it jumps by; else one that it shows alone: more gaps between repeats of one
    size than the density of gaps around explains.
    """
    for step in common:
        if _is_large(step, rows) and jumps_by(rows, step):
            return step
    own = _own_step(rows)
    return own if _is_large(own, rows) else 0.0


def jumps_by(rows: Rows, step: float) -> bool:
    """Return whether repeats of a state, or neighbouring runs of any states, differ by one to three steps."""
    for cell in (rows.cell, np.zeros_like(rows.state)):
        gap, level = _gaps(rows, cell)
        ratio = gap[gap > resolution.LEAST_JUMP * level] / step
        whole = np.round(ratio)
        if ((np.abs(ratio - whole) < resolution.NEAR) & (whole >= 1) & (whole <= MOST_STEPS)).any():
            return True
    return False


def agrees(rows: Rows) -> bool:
    """Return whether most repeats of a state agree to six digits, but not all."""
    gap, level = _gaps(rows, rows.cell)
    return bool(gap.size and (gap > 0).any() and np.mean(gap <= resolution.SIX_DIGITS * level) > 0.5)


def _gaps(rows: Rows, cell: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the gaps between neighbouring repeats inside cells, and the level of each."""
    order = np.lexsort((rows.value, cell))
    same = np.diff(cell[order]) == 0
    return np.diff(rows.value[order])[same], np.abs(rows.value[order][1:][same])


def _is_large(step: float, rows: Rows) -> bool:
    return bool(step > LEAST_STEP * np.abs(np.median(rows.value)))


def _own_step(rows: Rows) -> float:
    gap, level = _gaps(rows, rows.cell)
    large = np.sort(gap[gap > resolution.LEAST_JUMP * level])
    if large.size < FEWEST:
        return 0.0
    logs = np.log(large)
    around = np.searchsorted(logs, logs + AROUND) - np.searchsorted(logs, logs - AROUND)
    best, step = CHANCE / len(WIDTHS), 0.0
    for width in WIDTHS:
        end = np.searchsorted(logs, logs + width, side="right")
        count = end - np.arange(logs.size)
        expected = np.maximum(around - count, 1) * width / (2 * AROUND)
        accident = np.where(count >= FEWEST, logs.size * special.pdtrc(count - 2, expected), np.inf)
        peak = int(np.argmin(accident))
        if accident[peak] < best:
            best, step = float(accident[peak]), float(np.median(large[peak : end[peak]]))
    return step
