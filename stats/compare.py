"""Two sides, base against head: one judged answer per metric. Pure: arrays in, frozen values out."""

from math import isfinite

import numpy as np

from stats import wording
from stats.answer import Comparison, Evidence, Replication
from stats.designs import Design
from stats.judge import Reason, Reasons, reasons, verdict
from stats.policy import IntArray, Policy, Verdict
from stats.power import LIMIT, Plan, units_needed
from stats.samples import History, RunSamples, Samples, by_run
from stats.weigh import weigh

__all__ = ["Comparison", "History", "Policy", "Replication", "RunSamples", "Samples", "Verdict", "compare"]

DESIGNS = {int(design): design.name.lower() for design in Design}
PLANNED = frozenset({Reason.NOISE, Reason.SMALL, Reason.TOO_FEW})


def compare(
    samples: Samples | RunSamples,
    *,
    metrics: int,
    better: IntArray,
    policy: Policy,
    history: History | None = None,
    host: IntArray | None = None,
) -> tuple[Comparison, ...]:
    """Return one comparison per metric 0 … metrics-1, in order.

    `better` [metrics] is -1 where lower is better, +1 where higher is better, 0 where neither is (never judged).
    The metrics are one family: the false discovery rate is held over those that can be tested, and each lends the
    others what it knows about noise. `host` [metrics] tells hosts apart by a code (all are one without it): timer ticks
    are looked for on each alone.
    """
    if better.shape != (metrics,) or (samples.metric < 0).any() or (samples.metric >= metrics).any():
        raise ValueError(f"metric codes must lie in 0 … {metrics - 1}, and `better` must have one entry each")
    runs = by_run(samples) if isinstance(samples, Samples) else samples
    evidence = weigh(runs, better, policy, history, host)
    found = reasons(evidence, policy)
    plans = _plans(evidence, found, policy)
    warnings = wording.warnings(evidence, policy)
    worse = ((evidence.head - evidence.base) * evidence.better < 0).tolist()
    ranks = evidence.by_ranks.tolist()
    return tuple(
        Comparison(
            verdict=verdict(reason, is_worse=worse[m]),
            effect=_known(row.effect),
            ci=(row.low, row.high) if isfinite(row.low) and isfinite(row.high) else None,
            p=1.0 if reason is Reason.CONSTANT_EQUAL else _known(row.p),
            q=_known(row.q),
            base=_known(row.base),
            head=_known(row.head),
            n=row.n,
            design=DESIGNS[row.design],
            why=wording.why(row, reason, policy.confidence) + wording.advice(plans.get(m), row.design, reason),
            warnings=warnings.get(m, ()),
            boots_more=plans[m].units if m in plans else None,
            power_at=plans[m].change if m in plans else None,
            interval_scope=wording.WITHIN if row.within and isfinite(row.low) else "",
            method="" if not isfinite(row.p) else "ranks" if ranks[m] else "moderated t",
        )
        for m, (reason, row) in enumerate(zip(found, wording.rows(evidence), strict=True))
    )


def _known(number: float) -> float | None:
    return number if isfinite(number) else None


def _plans(evidence: Evidence, found: Reasons, policy: Policy) -> dict[int, Plan]:
    """Return, where more measuring would help, how many further units a side would show what.

    An effect beyond the margin is planned to be flagged if it is real: at the p-value that the false discovery rate of
    this comparison asked for, and beyond the margin. One inside it is planned to be equivalent if nothing changed, a
    significant one there to be told from the margin (one-sided 5 %). One boot a side: as if boots differed as runs do.
    """
    flagged = sum(reason is Reason.CHANGED for reason in found)
    judged = max(int(np.isfinite(evidence.q).sum()), 1)
    planned = np.array([m for m, reason in enumerate(found) if reason in PLANNED], dtype=np.int64)
    margin, effect, spread = evidence.margin[planned], np.abs(evidence.effect[planned]), evidence.spread[planned]
    inside = ~(effect > margin)
    alpha = policy.fdr * max(flagged, 1) / judged
    needed = np.select(
        [np.array([found[m] is Reason.SMALL for m in planned], dtype=np.bool_), inside],
        [
            units_needed(spread, margin - effect, alpha=0.1, power=policy.power),
            units_needed(spread, np.log1p(margin), alpha=0.1, power=(1 + policy.power) / 2),
        ],
        units_needed(spread, np.log1p(effect), alpha=alpha, power=policy.power, beyond=np.log1p(margin)),
    )
    have = evidence.units[planned].min(axis=1)
    # A shared boot gives several runs a side: as many as it gave so far.
    blocked = evidence.design[planned] == Design.BLOCKED
    runs_a_boot = np.where(blocked, have / np.maximum(evidence.counts[planned, :, 0].min(axis=1), 1), 1.0)
    more = np.ceil(np.maximum(needed - have, 1) / np.maximum(runs_a_boot, 1))
    return {
        m: Plan(int(more[i]), float(margin[i] if inside[i] else effect[i]), bool(inside[i]))
        for i, m in enumerate(planned.tolist())
        if needed[i] < LIMIT and np.isfinite(effect[i])  # NaN is not; a base of 0 has no relative size
    }
