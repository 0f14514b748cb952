"""What the samples say about every metric: differences, intervals and tests, before anything is judged."""

from dataclasses import replace

import numpy as np

from stats import blockwise, contrast, designs, effects, noise, order, ranks, resolution, summarise
from stats.answer import Evidence, Tested
from stats.designs import Design, Layout
from stats.fdr import adjust
from stats.grouped import totals
from stats.policy import BoolArray, FloatArray, IntArray, Policy
from stats.samples import History, RunSamples
from stats.summarise import Runs, Scale

# Logs carry sixteen digits: a smaller spread (relative) is rounding, not a measurement.
LEAST_SPREAD = 1e-12
# What earlier measurements may count for, at most: a host and its kernels change.
HISTORY_DF = 20.0
# Ranks are used where their smallest p-value is this share of what one flag among the metrics needs.
ATTAINABLE = 0.1


def weigh(
    samples: RunSamples, better: IntArray, policy: Policy, history: History | None, host: IntArray | None = None
) -> Evidence:
    """Return what the samples say about every metric, before it is judged."""
    metrics = better.size
    scale = summarise.choose_scale(samples, samples.metric, metrics)
    runs = summarise.gather_runs(samples, scale, robust=policy.robust)
    layout = designs.lay_out(runs, metrics, policy)
    step = resolution.grid(samples, metrics)
    low, high = _extremes(runs, metrics)
    constant = (low == high).all(axis=1)
    constant &= (_units(layout, metrics) >= policy.min_units).all(axis=1)
    tested = _test(layout, constant, policy, history, _floor(step, runs, scale, metrics))
    design = np.where(constant, int(Design.EXACT), layout.design)
    tested = _only(tested, (tested.units >= policy.min_units).all(axis=1) | (_history_df(history, metrics) > 0))
    within = np.isnan(tested.p) & (design == Design.NESTED)
    tested = _inside_boots(tested, runs, within & (low != high).any(axis=1), policy)
    tested = _by_ranks(tested, layout, policy)
    tested = _by_blocks(tested, layout, scale, policy, _floor(step, runs, scale, metrics))
    base, head, interval, narrow = effects.levels(tested, scale)
    base, head = np.where(constant, low[:, 0], base), np.where(constant, low[:, 1], head)
    p = np.where(constant | within, np.nan, tested.p)
    judged = np.where((better != 0) & ~constant, p, np.nan)
    unknown = constant[:, None]
    jumps = resolution.repeats(runs, metrics)
    agreeing = resolution.agreeing(jumps, metrics)
    tick = resolution.of_hosts(runs, jumps, agreeing, np.zeros(metrics, dtype=np.int64) if host is None else host)
    return Evidence(
        better=better,
        margin=np.broadcast_to(np.asarray(policy.margin, dtype=np.float64), (metrics,)),
        design=design,
        effect=effects.relative(base, head),
        interval=np.where(unknown, np.nan, interval),
        narrow=np.where(unknown, np.nan, narrow),
        base=base,
        head=head,
        p=p,
        q=adjust(judged),
        units=tested.units,
        counts=_counts(runs, metrics),
        constant=constant,
        within=within,
        spread=tested.spread,
        differ=tested.differ,
        by_ranks=tested.by_ranks,
        is_log=scale.is_log,
        step=step,
        tick=tick,
        coarse=resolution.explained(base, head, tick),
        agreeing=agreeing,
        left_out=layout.left_out,
        drift=order.sides_in_turn(runs, metrics),
        lag=order.lag_correlation(runs, metrics),
    )


def _test(layout: Layout, constant: BoolArray, policy: Policy, history: History | None, floor: FloatArray) -> Tested:
    """Return the tests of all metrics; metrics of one design share their prior of the noise, but constant ones."""
    metrics = constant.size
    found = contrast.estimate(layout.units, metrics, robust=policy.robust, moderate=policy.moderate)
    spread, df = np.maximum(found.spread, floor), found.df
    if history is not None:
        spread, df = _with_history(spread, df, history, layout.design == Design.NESTED)
    below = np.stack([layout.within_run, layout.within_boot], axis=1)
    p, reach, reach90 = np.full(metrics, np.nan), np.full((metrics, 2), np.nan), np.full((metrics, 2), np.nan)
    for design in (Design.NESTED, Design.BLOCKED, Design.RUNS):
        mine = np.flatnonzero((layout.design == design) & (df > 0) & np.isfinite(found.delta) & ~constant)
        if mine.size == 0:
            continue
        learn = noise.moderate if policy.moderate else noise.plain
        columns = (spread[mine], df[mine], found.factor[mine])
        belief = noise.moderate(*columns, below[mine]) if learn is noise.moderate else noise.plain(*columns)
        p[mine] = belief.p_value(found.delta[mine])
        reach[mine] = belief.half_width(policy.confidence)[:, None]
        reach90[mine] = belief.half_width(0.9)[:, None]
    ranks = np.zeros(metrics, dtype=np.bool_)
    known = found.units, found.differ, found.is_rankable
    return Tested(found.delta, found.base, p, reach, reach90, spread, *known, ranks)


def _by_ranks(tested: Tested, layout: Layout, policy: Policy) -> Tested:
    """Return the tests with rank tests where tails are so heavy that these give clearly shorter intervals.

    The choice looks at the spread, never at the difference, and a fifth is more than chance gives normal noise.
    A few gross outliers are winsorised instead: ranks say less about a large difference.
    """
    candidates = np.flatnonzero(np.isfinite(tested.p) & tested.is_rankable)
    if not policy.robust or candidates.size == 0:
        return tested
    found = ranks.test_shift(
        layout.units, candidates, confidence=policy.confidence, attainable=ATTAINABLE * policy.fdr / candidates.size
    )
    shorter = found.reach.max(axis=1) < 0.8 * tested.reach[found.metric].max(axis=1)
    chosen = found.metric[shorter]
    columns = {name: getattr(tested, name).copy() for name in ("delta", "p", "reach", "reach90", "by_ranks")}
    for name in ("delta", "p", "reach", "reach90"):
        columns[name][chosen] = getattr(found, name)[shorter]
    columns["by_ranks"][chosen] = True
    return replace(tested, **columns)


def _by_blocks(tested: Tested, layout: Layout, scale: Scale, policy: Policy, floor: FloatArray) -> Tested:
    """Return the tests with those of single blocks where blocks disagree about the size and not about the change."""
    margin = np.broadcast_to(np.asarray(policy.margin, dtype=np.float64), scale.is_log.shape)
    threshold = np.where(scale.is_log, -np.log1p(-margin), np.nan)

    def test(alone: Layout, owner: IntArray) -> Tested:
        return _test(alone, np.zeros(owner.size, dtype=np.bool_), policy, None, floor[owner])

    return blockwise.in_every_block(tested, layout, threshold, test)


def _with_history(
    spread: FloatArray, df: FloatArray, history: History, nested: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return spreads and degrees of freedom with those that earlier measurements of nested metrics add."""
    more = np.where(nested, np.minimum(np.nan_to_num(history.df), HISTORY_DF), 0.0)
    squares = np.nan_to_num(spread) * df + np.nan_to_num(history.variance) * more
    together = df + more
    return np.where(together > 0, squares / np.maximum(together, 1e-9), np.nan), together


def _history_df(history: History | None, metrics: int) -> FloatArray:
    return np.zeros(metrics) if history is None else np.nan_to_num(history.df)


def _floor(step: FloatArray, runs: Runs, scale: Scale, metrics: int) -> FloatArray:
    """Return the least variance of a unit: the rounding of coarse values, uniform over one step."""
    size = totals(runs.metric, np.abs(runs.low) / 2 + np.abs(runs.high) / 2, metrics)
    size /= np.maximum(np.bincount(runs.metric, minlength=metrics), 1)
    typical = np.where(scale.is_log, size, scale.divisor)
    return np.maximum((step / np.where(typical > 0, typical, 1.0)) ** 2 / 12, LEAST_SPREAD**2)


def _extremes(runs: Runs, metrics: int) -> tuple[FloatArray, FloatArray]:
    """Return the smallest and largest value [metrics, 2] of each side."""
    low, high = np.full(2 * metrics, np.inf), np.full(2 * metrics, -np.inf)
    np.minimum.at(low, runs.metric * 2 + runs.side, runs.low)
    np.maximum.at(high, runs.metric * 2 + runs.side, runs.high)
    return low.reshape(metrics, 2), high.reshape(metrics, 2)


def _units(layout: Layout, metrics: int) -> IntArray:
    """Return the units [metrics, 2] of each side."""
    cell = layout.units.metric * 2 + layout.units.side
    return np.bincount(cell, minlength=2 * metrics).reshape(metrics, 2)


def _only(tested: Tested, enough: BoolArray) -> Tested:
    return replace(
        tested,
        p=np.where(enough, tested.p, np.nan),
        reach=np.where(enough[:, None], tested.reach, np.nan),
        reach90=np.where(enough[:, None], tested.reach90, np.nan),
    )


def _inside_boots(tested: Tested, runs: Runs, within: BoolArray, policy: Policy) -> Tested:
    """Return the tests with intervals over runs for metrics whose boots are too few: shown, never judged."""
    if not within.any():
        return tested
    kept = within[runs.metric]
    alone = Runs(*(getattr(runs, name)[kept] for name in Runs.__slots__))
    policy = replace(policy, unit="run", margin=0.0)
    least = np.full(within.size, LEAST_SPREAD**2)
    other = _test(designs.lay_out(alone, within.size, policy), ~within, policy, None, least)
    return replace(
        tested,
        reach=np.where(within[:, None], other.reach, tested.reach),
        spread=np.where(within, other.spread, tested.spread),
    )


def _counts(runs: Runs, metrics: int) -> IntArray:
    """Return boots, runs and values [metrics, 2 sides, 3]; unknown boots are not counted."""
    cell = runs.metric * 2 + runs.side
    known = runs.boot >= 0
    many = runs.boot.max(initial=0) + 1
    key = np.sort(cell[known] * many + runs.boot[known])  # `np.unique` hashes, which takes five times as long
    boots = key[np.diff(key, prepend=-1) != 0] // many
    columns = (
        np.bincount(boots, minlength=2 * metrics),
        np.bincount(cell, minlength=2 * metrics),
        np.bincount(cell, runs.values, 2 * metrics).astype(np.int64),
    )
    return np.stack(columns, axis=1).reshape(metrics, 2, 3)
