"""What a comparison answers: the public values, and the arrays they are made from."""

from dataclasses import dataclass

from stats.policy import BoolArray, FloatArray, IntArray, Verdict


@dataclass(frozen=True, slots=True)
class Replication:
    """How often one side of one metric was measured. `boots` is 0 where boots are unknown."""

    boots: int
    runs: int
    values: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer for one metric. `effect` is head/base - 1; `ci` its interval at the policy's confidence.

    `p` and `q` are None where nothing was tested. `n` is (base, head). `design` says what the unit was: "nested"
    (boots), "blocked" (runs inside shared boots), "runs" (boots unknown, or the user's word), "exact" (constant
    values), "none". `method` is "moderated t", "ranks" (Hodges-Lehmann) or "". `why` is one sentence with numbers.
    `boots_more` are further boots (units, where boots are unknown) a side for 80 % power to flag a change of the size
    `power_at` (relative), or where that is the margin, to show that none as large is there. `interval_scope` is empty,
    or says what the interval leaves out.
    """

    verdict: Verdict
    effect: float | None
    ci: tuple[float, float] | None
    p: float | None
    q: float | None
    base: float | None
    head: float | None
    n: tuple[Replication, Replication]
    design: str
    why: str
    warnings: tuple[str, ...] = ()
    boots_more: int | None = None
    power_at: float | None = None
    interval_scope: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """Differences on the analysis scale [metrics] with their test: p, both intervals, method.

    `reach` and `reach90` [metrics, 2] say how far the intervals go below and above `delta`, `spread` is the variance of
    one unit. NaN where nothing can be tested.
    """

    delta: FloatArray
    base: FloatArray
    p: FloatArray
    reach: FloatArray
    reach90: FloatArray
    spread: FloatArray
    units: IntArray
    differ: FloatArray
    is_rankable: BoolArray
    by_ranks: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Everything known per metric [metrics] before it is judged. `interval` and `narrow` [metrics, 2] are effects.

    `design` holds `stats.designs.Design` codes, `counts` [metrics, 2 sides, (boots, runs, values)], `constant` says
    that each side's values are all equal, `within` that the interval knows only the spread inside a boot.
    """

    better: IntArray
    margin: FloatArray
    design: IntArray
    effect: FloatArray
    interval: FloatArray
    narrow: FloatArray
    base: FloatArray
    head: FloatArray
    p: FloatArray
    q: FloatArray
    units: IntArray
    counts: IntArray
    constant: BoolArray
    within: BoolArray
    spread: FloatArray
    differ: FloatArray
    by_ranks: BoolArray
    is_log: BoolArray
    step: FloatArray
    tick: FloatArray
    coarse: BoolArray
    agreeing: BoolArray
    left_out: IntArray
    drift: BoolArray
    lag: FloatArray


__all__ = ["Comparison", "Evidence", "Replication", "Tested", "Verdict"]
