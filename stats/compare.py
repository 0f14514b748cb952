"""Two sides, base against head: one judged answer per metric. Pure: arrays in, frozen values out."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from stats.fdr import adjust
from stats.policy import FloatArray, IntArray, Policy, Verdict
from stats.samples import History, Samples

__all__ = ["Comparison", "History", "Policy", "Replication", "Samples", "Verdict", "compare"]


@dataclass(frozen=True, slots=True)
class Replication:
    """How often one side of one metric was measured."""

    boots: int
    runs: int
    values: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer for one metric. `effect` is head/base - 1; `ci` its interval at the policy's confidence.

    `p` and `q` are None where nothing was tested. `n` is (base, head). `design` says what was the unit: "nested"
    (boots), "blocked" (runs inside shared boots), "runs" (boots unknown, or the user's word), "exact" (constant
    values), "none". `why` is one sentence with numbers. `boots_more` are further boots a side for 80 % power to
    show a change of the size `power_at` (relative). `interval_scope` is empty, or says what the interval leaves out.
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


def compare(
    samples: Samples, *, metrics: int, better: IntArray, policy: Policy, history: History | None = None
) -> tuple[Comparison, ...]:
    """Return one comparison per metric 0 … metrics-1, in order.

    `better` [metrics] is -1 where lower is better, +1 where higher is better, 0 where there is no better direction.
    """
    del history
    keys, inverse = np.unique(
        np.stack([samples.metric, samples.side, samples.boot, samples.run]), axis=1, return_inverse=True
    )
    runs = np.bincount(inverse, weights=np.log(samples.value)) / np.bincount(inverse)
    boots, inverse = np.unique(keys[:3], axis=1, return_inverse=True)
    logs = np.bincount(inverse, weights=runs) / np.bincount(inverse)
    found = [
        _welch(logs[(boots[0] == m) & (boots[1] == 0)], logs[(boots[0] == m) & (boots[1] == 1)]) for m in range(metrics)
    ]
    q = adjust(np.array([p for _, _, _, p in found]))
    return tuple(_judge(one, float(q[m]), int(better[m]), policy, samples, m) for m, one in enumerate(found))


def _welch(base: FloatArray, head: FloatArray) -> tuple[float, float, float, float]:
    if min(base.size, head.size) < 2:
        return float(head.mean() - base.mean()), float("nan"), 1.0, float("nan")
    a, b = base.var(ddof=1) / base.size, head.var(ddof=1) / head.size
    se = max(float(np.sqrt(a + b)), 1e-12)
    df = float((a + b) ** 2 / max(a * a / (base.size - 1) + b * b / (head.size - 1), 1e-300)) or 1.0
    delta = float(head.mean() - base.mean())
    return delta, se, df, float(2 * special.stdtr(df, -abs(delta / se)))


def _judge(
    one: tuple[float, float, float, float], q: float, better: int, policy: Policy, samples: Samples, m: int
) -> Comparison:
    delta, se, df, p = one
    half = float(special.stdtrit(df, (1 + policy.confidence) / 2) * se)
    verdict = Verdict.INCONCLUSIVE
    effect = float(np.expm1(delta))
    margin = (
        float(np.broadcast_to(policy.margin, (m + 1,))[m])
        if np.ndim(policy.margin) == 0
        else float(np.asarray(policy.margin)[m])
    )
    if q <= policy.fdr and abs(effect) > margin:
        verdict = Verdict.IMPROVEMENT if delta * better > 0 else Verdict.REGRESSION
    mine = samples.metric == m
    n = tuple(
        Replication(
            *(int(np.unique(c[mine & (samples.side == s)]).size) for c in (samples.boot, samples.run)),
            int((mine & (samples.side == s)).sum()),
        )
        for s in (0, 1)
    )
    ci = None if np.isnan(half) else (float(np.expm1(delta - half)), float(np.expm1(delta + half)))
    levels = [float(np.median(samples.value[mine & (samples.side == s)])) for s in (0, 1)]
    return Comparison(
        verdict, effect, ci, p, q, levels[0], levels[1], (n[0], n[1]), "nested", f"{effect:+.1%}, q {q:.3g}"
    )
