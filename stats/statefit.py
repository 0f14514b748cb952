"""Levels of many states (a base and the trees after each patch) with their covariance: robust, blocked by boots."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from stats import summarise
from stats.policy import FloatArray, IntArray
from stats.samples import Samples, by_run
from stats.stepping import LEAST_STEP, Rows, agrees, common_steps, jumps_by, step_of
from stats.summarise import Runs

# A run further out than this (robust standard deviations) loses weight, unless too many are: then it is a mode.
RUN_LIMIT = 5.0
MOST_OUTLIERS = 1 / 8
GROSS = 0.25  # weight below which an outlier is told
ROUNDS = 20
# What a timer step may move a state by, in steps: all repeats of a state together, without a cause in the code.
STEP_SHIFT = 0.7
DIFFER = 0.01  # p-value below which states are said to differ between boots
LEAST_SPREAD = 1e-12  # variance of logs: rounding of the last digit


@dataclass(frozen=True, slots=True, eq=False)
class StateSamples:
    """One metric: one row per value (an iteration of a run), rows in any order, states missing or unequal as they are.

    `state` is 0 for the base and k for the tree after patch k. `boot` is a code: states with the same code were
    measured in the same boot (-1: unknown). `run` is unique in the table. `start` is in seconds, NaN where unknown.
    """

    state: IntArray
    boot: IntArray
    run: IntArray
    value: FloatArray
    start: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse columns that differ in length, negative states, and values that are not numbers."""
        columns = (self.state, self.boot, self.run, self.value, *(() if self.start is None else (self.start,)))
        if any(column.shape != (self.value.size,) for column in columns):
            raise ValueError("the columns of samples must be one-dimensional and of one length")
        if (self.state < 0).any():
            raise ValueError("state must be 0 (base) or k (after patch k)")
        if not np.isfinite(self.value).all():
            raise ValueError("values must be finite numbers, missing is never zero")


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The levels of the measured states of one metric, on the analysis scale (logs of positive values).

    `state` [m] are the measured states in order, `level` [m] their levels, `noise` [m, m] the estimated covariance
    of the levels (a common shift left out) with `df`, `systematic` [m] variances that more runs do not lower (timer
    steps). `spread` is the typical variance of one level. `constant`: every state's values are equal.
    """

    state: IntArray
    level: FloatArray
    noise: FloatArray
    df: float
    systematic: FloatArray
    is_log: bool
    design: str
    boots: int
    runs: int
    constant: bool
    warnings: tuple[str, ...] = field(default=())

    @property
    def spread(self) -> float:
        """The typical variance of the difference of two neighbouring states."""
        if self.state.size < 2:
            return 0.0
        i = np.arange(self.state.size - 1)
        v = self.noise
        return float(np.mean(v[i, i] + v[i + 1, i + 1] - 2 * v[i, i + 1]))


def fit_all(samples: Sequence[StateSamples]) -> tuple[Fit, ...]:
    """Return the fit of every metric; timer steps are looked for over all of them."""
    runs = [_runs(one) for one in samples]
    steps = common_steps(runs)
    return tuple(_fit(one, runs_of, steps) for one, runs_of in zip(samples, runs, strict=True))


def _runs(samples: StateSamples) -> Rows:
    """Return one row per run. States take the place of metrics, so that outliers in a run are pulled in as ever."""
    zeros = np.zeros_like(samples.state)
    columns = by_run(Samples(samples.state, zeros, samples.boot, samples.run, samples.value, samples.start))
    together = summarise.choose_scale(columns, np.zeros_like(columns.metric), 1)
    states = int(samples.state.max(initial=0)) + 1
    scale = summarise.Scale(np.repeat(together.is_log, states), np.repeat(together.divisor, states))
    found: Runs = summarise.gather_runs(columns, scale, robust=True)
    is_log = bool(together.is_log[0])
    value = np.exp(found.level) if is_log else found.level * together.divisor[0]
    return Rows(found.metric, found.boot, found.level, value, is_log)


def _fit(samples: StateSamples, rows: Rows, steps: tuple[float, ...]) -> Fit:
    rows, step, warnings = _without_stepping_boots(rows, steps)
    design, rows, more = _design(rows)
    warnings += more
    state, place = np.unique(rows.state, return_inverse=True)
    block = np.unique(rows.boot, return_inverse=True)[1] if design == "blocked" else np.zeros_like(rows.boot)
    levels, noise, df, more = _levels(rows, place, block, state.size)
    warnings += more
    if agrees(rows):
        warnings.append("repeats agree to six digits: a tiny spread does not make a difference real")
    typical = np.array([np.median(rows.value[place == i]) for i in range(state.size)])
    shift = STEP_SHIFT * step / np.maximum(np.abs(typical), 1e-300) if rows.is_log else np.zeros(state.size)
    spans = [np.ptp(rows.value[place == i]) for i in range(state.size)]
    enough = bool((np.bincount(place) >= 2).all())
    return Fit(
        state=state,
        level=levels,
        noise=noise,
        df=df,
        systematic=np.asarray(shift**2, dtype=np.float64),
        is_log=rows.is_log,
        design=design,
        boots=int(np.unique(samples.boot[samples.boot >= 0]).size),
        runs=int(np.unique(samples.run).size),
        constant=enough and max(spans, default=0.0) == 0,
        warnings=tuple(warnings),
    )


def _without_stepping_boots(rows: Rows, common: tuple[float, ...]) -> tuple[Rows, float, list[str]]:
    """Return the runs without boots whose repeats jump by timer steps, where other boots measured the states too."""
    step = step_of(rows, common)
    if step == 0:
        return rows, 0.0, []
    jumping = [b for b in np.unique(rows.boot) if b >= 0 and jumps_by(rows.only(rows.boot == b), step)]
    kept = ~np.isin(rows.boot, jumping)
    says = f"steps of {step:.3g} of their unit: a timer or scheduler, not the code"
    if jumping and np.unique(rows.state[kept]).size == np.unique(rows.state).size:
        rest, other, _ = _without_stepping_boots(rows.only(kept), common)
        if other == 0:
            gone = np.unique(rows.boot).size - np.unique(rest.boot).size
            return rest, 0.0, [f"{gone} boot{'s' if gone > 1 else ''} left out: repeats there jump by {says}"]
    return rows, step, [f"repeats jump by {says}; states may differ by them without a cause"]


def _design(rows: Rows) -> tuple[str, Rows, list[str]]:
    """Return the design, the units that it rests on, and warnings.

    "blocked" where shared boots connect all measured states: runs are the units and the boot's level cancels.
    "nested" otherwise: one unit per state and boot. "runs" where boots are unknown.
    """
    if (rows.boot < 0).any():
        return "runs", rows, ["boots are unknown: runs are the unit, and a boot's own level would look like a change"]
    boots = np.unique(rows.boot)
    shared = [b for b in boots if np.unique(rows.state[rows.boot == b]).size > 1]
    kept = np.isin(rows.boot, shared)
    if shared and _connected(rows.only(kept)) == set(np.unique(rows.state).tolist()):
        left = int((~kept).sum())
        warnings = [f"{left} runs left out: their boots measured one state only"] if left else []
        if len(shared) == 1:
            warnings.append("one shared boot: whether other boots show the same is unknown")
        return "blocked", rows.only(kept), warnings
    cell = rows.cell
    _, first, of = np.unique(cell, return_index=True, return_inverse=True)
    level = np.array([np.median(rows.level[of == i]) for i in range(first.size)])
    value = np.array([np.median(rows.value[of == i]) for i in range(first.size)])
    return "nested", Rows(rows.state[first], rows.boot[first], level, value, rows.is_log), []


def _connected(rows: Rows) -> set[int]:
    """Return the states that are connected with the first one through shared boots."""
    found = {int(rows.state.min())} if rows.state.size else set()
    for _ in range(rows.state.size):
        boots = np.unique(rows.boot[np.isin(rows.state, sorted(found))])
        more = set(np.unique(rows.state[np.isin(rows.boot, boots)]).tolist())
        if more == found:
            break
        found = more
    return found


def _levels(
    rows: Rows, place: IntArray, block: IntArray, states: int
) -> tuple[FloatArray, FloatArray, float, list[str]]:
    """Return the levels of the states, their covariance, its degrees of freedom, and warnings."""
    blocks = int(block.max(initial=0)) + 1
    weight, warnings = _weights(rows.level, place, block)
    cells, of = np.unique(place * blocks + block, return_inverse=True)
    mass = np.bincount(of, weight)
    mean = np.bincount(of, weight * rows.level) / mass
    within, df_within = _within(rows.level - mean[of], weight, of, cells % blocks)
    own = within[cells % blocks] / mass
    x = _matrix(cells // blocks, cells % blocks, states, blocks)
    extra, df_extra, differ = _interaction(x, mean, own, df_within)
    if differ < DIFFER:
        warnings.append("states differ between boots beyond the noise of their runs; the intervals allow for it")
    variance = np.maximum(own + extra, LEAST_SPREAD)
    normal = (x.T / variance) @ x
    cover = np.linalg.pinv(normal)
    solution = cover @ (x.T @ (mean / variance))
    share = np.mean(extra / variance)
    parts = (1 - share) ** 2 / max(df_within, 1e-9) + (share**2 / df_extra if df_extra else 0.0)
    df = (1 / parts if parts > 0 else 0.0) if df_within + df_extra > 0 else 0.0
    return solution[:states], cover[:states, :states], float(df), warnings


def _matrix(state: IntArray, block: IntArray, states: int, blocks: int) -> FloatArray:
    """Return the design: a column per state, and one per block but the first."""
    return np.concatenate([np.eye(states)[state], np.eye(blocks)[block][:, 1:]], axis=1)


def _weights(level: FloatArray, place: IntArray, block: IntArray) -> tuple[FloatArray, list[str]]:
    """Return weights of the runs: 1, and less for gross outliers from the level of their state; and warnings.

    A boot with too many of them has a second mode: there all runs count.
    """
    states, blocks = int(place.max(initial=0)) + 1, int(block.max(initial=0)) + 1
    x = _matrix(place, block, states, blocks)
    free = level.size - np.linalg.matrix_rank(x)
    weight = np.ones(level.size)
    if free < 3:
        return weight, []
    for _ in range(ROUNDS):
        root = np.sqrt(weight)
        fitted = x @ np.linalg.lstsq(x * root[:, None], level * root, rcond=None)[0]
        residual = np.abs(level - fitted)
        width = np.array([np.median(residual[block == b]) for b in range(blocks)])[block]
        bound = RUN_LIMIT * 1.4826 * width * np.sqrt(level.size / free)
        weight = np.where(residual > bound, (np.maximum(bound, 1e-9) / np.maximum(residual, 1e-9)) ** 2, 1.0)
    crowd = np.array([np.mean(weight[block == b] < 1) for b in range(blocks)])[block] > MOST_OUTLIERS
    warnings = []
    far = (weight < GROSS) & (residual > LEAST_STEP)
    gross = int((far & ~crowd).sum())
    if gross:
        warnings.append(f"{gross} of {level.size} runs lie far from the others and count little")
    if (far & crowd).any():
        warnings.append("runs fall into several modes: all count, and little can be told")
    return np.where(crowd, 1.0, weight), warnings


def _within(residual: FloatArray, weight: FloatArray, of: IntArray, block: IntArray) -> tuple[FloatArray, float]:
    """Return the variance of one run in every block, drawn towards the common one, and all degrees of freedom."""
    blocks = int(block.max(initial=0)) + 1
    squares = np.bincount(block[of], weight * residual**2, blocks)
    df = np.bincount(block[of], minlength=blocks) - np.bincount(block, minlength=blocks)
    total = float(df.sum())
    if total == 0:
        return np.zeros(blocks), 0.0
    known = (df > 0) & (squares > 0)
    common = float(np.exp(np.mean(np.log(squares[known] / df[known])))) if known.any() else 0.0
    return (squares + common) / (df + 1.0), total


def _interaction(x: FloatArray, mean: FloatArray, own: FloatArray, df_within: float) -> tuple[float, float, float]:
    """Return the variance with which states differ between blocks beyond the noise of their runs, its df, a p-value.

    The moment estimator of DerSimonian and Laird for a linear model. Without repeats in any cell, it is all there is.
    """
    free = x.shape[0] - np.linalg.matrix_rank(x)
    if free <= 0:
        return 0.0, 0.0, 1.0
    weight = 1 / np.maximum(own, LEAST_SPREAD) if df_within > 0 else np.ones(mean.size)
    hat = x @ np.linalg.pinv((x.T * weight) @ x) @ (x.T * weight)
    q = float(weight @ (mean - hat @ mean) ** 2)
    room = float(weight.sum() - np.trace(hat * weight[:, None]))
    extra = (q - free) / room if df_within > 0 else q / free
    differ = float(special.fdtrc(free, df_within, q / free)) if df_within > 0 else 1.0
    return max(0.0, extra), float(free), differ
