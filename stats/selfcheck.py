"""What would be found: known regressions put into somebody's own repeated measurements of one revision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stats.compare import compare
from stats.policy import BoolArray, FloatArray, IntArray, Policy, Verdict
from stats.samples import Samples

FEWEST = 4  # boots, or runs in a boot, that can be split into two sides of two
SHARE = 0.1  # of the metrics get a regression, one at least
_CHANGED = (Verdict.REGRESSION, Verdict.IMPROVEMENT)


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """Measurements of one revision a metric: one row per value. `metric` counts from 0, `run` is unique."""

    metric: IntArray
    boot: IntArray
    run: IntArray
    value: FloatArray


@dataclass(frozen=True, slots=True)
class Found:
    """What became of regressions of one size: `injected` over all splits, `found`, and called `equivalent`."""

    size: float
    injected: int
    found: int
    equivalent: int


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """The result over `splits` splits: `false_flags` a comparison among metrics that nothing was done to.

    `by_boots` and `by_runs` count the metrics whose boots, or whose runs inside boots, were split into two sides;
    `unusable` those with too little data.
    """

    sizes: tuple[Found, ...]
    splits: int
    metrics: int
    false_flags: float
    false_none: int
    by_boots: int
    by_runs: int
    unusable: int


def splittable(repeated: Repeated, metrics: int) -> tuple[BoolArray, BoolArray]:
    """Return which metrics [metrics] have enough boots, and which others have enough runs in some boot."""
    by_boots, by_runs = np.zeros(metrics, dtype=np.bool_), np.zeros(metrics, dtype=np.bool_)
    for m in range(metrics):
        mine = repeated.metric == m
        boot = repeated.boot[mine]
        by_boots[m] = np.unique(boot[boot >= 0]).size >= FEWEST
        _, first = np.unique(repeated.run[mine], return_index=True)
        runs = np.unique(boot[first], return_counts=True)[1]
        by_runs[m] = not by_boots[m] and runs.max(initial=0) >= FEWEST
    return by_boots, by_runs


def check(
    repeated: Repeated, better: IntArray, sizes: Sequence[float], *, splits: int = 20, policy: Policy | None = None
) -> SelfCheck:
    """Split each metric at random into two sides, make a tenth of the metrics worse by each size, and compare.

    `better` [metrics] as in `stats.compare`. Sides are halves of the boots where there are four or more, else halves
    of the runs inside each boot. The splits are the same every time (seeded).
    """
    policy = policy or Policy()
    by_boots, by_runs = splittable(repeated, better.size)
    usable = np.flatnonzero((by_boots | by_runs) & (better != 0))
    counts: dict[float, list[int]] = {size: [0, 0, 0] for size in sizes}
    flags = clean = 0
    for split in range(splits if usable.size else 0):
        rng = np.random.default_rng(split)
        samples = _halves(repeated, usable, by_boots, rng)
        for size in sizes:
            chosen = rng.permutation(usable.size)[: max(1, round(SHARE * usable.size))]
            verdicts = _judged(samples, better[usable], chosen, size, policy)
            injected = np.isin(np.arange(usable.size), chosen)
            counts[size][0] += chosen.size
            counts[size][1] += sum(verdicts[m] is Verdict.REGRESSION for m in chosen)
            counts[size][2] += sum(verdicts[m] is Verdict.EQUIVALENT for m in chosen) if size > policy.margin else 0
            wrong = sum(verdict in _CHANGED for m, verdict in enumerate(verdicts) if not injected[m])
            flags, clean = flags + wrong, clean + (wrong == 0)
    comparisons = max(splits * len(sizes), 1)
    return SelfCheck(
        tuple(Found(size, *counts[size]) for size in sizes),
        splits,
        int(usable.size),
        flags / comparisons,
        clean,
        int((by_boots & (better != 0)).sum()),
        int((by_runs & (better != 0)).sum()),
        int((~(by_boots | by_runs) & (better != 0)).sum()),
    )


def _halves(repeated: Repeated, usable: IntArray, by_boots: BoolArray, rng: np.random.Generator) -> Samples:
    """Return the usable metrics, renumbered, with each boot (or run inside its boot) put on one side at random."""
    place = np.full(int(repeated.metric.max(initial=0)) + 1, -1)
    place[usable] = np.arange(usable.size)
    kept = place[repeated.metric] >= 0
    metric, boot, run = repeated.metric[kept], repeated.boot[kept], repeated.run[kept]
    side = np.zeros(metric.size, dtype=np.int64)
    alone = by_boots[metric]
    # Boots are split alike for all metrics, as boots are; runs too, since one run measures many metrics.
    boots = np.unique(boot[alone])
    heads = rng.permutation(boots)[: boots.size // 2]
    side[alone] = np.isin(boot[alone], heads)
    for b in np.unique(boot[~alone]):
        runs = np.unique(run[~alone & (boot == b)])
        side[~alone & (boot == b)] = np.isin(run[~alone & (boot == b)], rng.permutation(runs)[: runs.size // 2])
    return Samples(place[metric], side, boot, run, repeated.value[kept])


def _judged(samples: Samples, better: IntArray, chosen: IntArray, size: float, policy: Policy) -> list[Verdict]:
    factor = np.ones(better.size)
    factor[chosen] = np.where(better[chosen] < 0, 1 + size, 1 / (1 + size))
    value = np.where(samples.side == 1, samples.value * factor[samples.metric], samples.value)
    worse = Samples(samples.metric, samples.side, samples.boot, samples.run, value)
    return [one.verdict for one in compare(worse, metrics=better.size, better=better, policy=policy)]
