"""What the unit of replication is, per metric: boots (nested), runs inside shared boots (blocked), or runs alone."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from stats.grouped import totals
from stats.policy import BoolArray, FloatArray, IntArray, Policy
from stats.summarise import VALUE_LIMIT, Runs, locate


class Design(IntEnum):
    """How the two sides of a metric can be compared."""

    NONE = 0
    NESTED = 1
    BLOCKED = 2
    RUNS = 3
    EXACT = 4


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """One row per unit of replication, sorted by metric, block, side. Block 0 stands for "no blocks"."""

    metric: IntArray
    block: IntArray
    side: IntArray
    level: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The design of each metric [metrics], its units, and the noise below the units.

    `within_run` and `within_boot` [metrics] are the variances of values in a run and of runs in a boot (NaN where
    unknown). `left_out` [metrics] counts runs that the design could not use.
    """

    design: IntArray
    units: Units
    within_run: FloatArray
    within_boot: FloatArray
    left_out: IntArray


def lay_out(runs: Runs, metrics: int, policy: Policy) -> Layout:
    """Return the design and the units of every metric."""
    shared = _is_shared(runs)
    design = choose(runs, shared, metrics, policy)
    mine = design[runs.metric]
    blocked, nested = mine == Design.BLOCKED, mine == Design.NESTED
    usable = (mine == Design.RUNS) | (nested & (runs.boot >= 0)) | (blocked & shared)
    boots, squares, df = _boots(runs, usable & nested, policy)
    alone = usable & ~nested
    units = _sorted(
        Units(
            np.concatenate([boots.metric, runs.metric[alone]]),
            np.concatenate([boots.block, np.where(blocked, runs.boot + 1, 0)[alone]]),
            np.concatenate([boots.side, runs.side[alone]]),
            np.concatenate([boots.level, runs.level[alone]]),
        )
    )
    return Layout(
        design,
        units,
        _ratio(totals(runs.metric, runs.squares, metrics), totals(runs.metric, runs.df, metrics)),
        _ratio(totals(boots.metric, squares, metrics), totals(boots.metric, df, metrics)),
        np.bincount(runs.metric[~usable], minlength=metrics),
    )


def choose(runs: Runs, shared: BoolArray, metrics: int, policy: Policy) -> IntArray:
    """Return the design per metric.

    Blocked where boots are shared and give at least two degrees of freedom (or nothing else is possible); nested
    where both sides know their boots; runs where one side does not, or where the user says that runs are independent.
    """
    sides = totals(runs.metric * 2 + runs.side, np.ones(runs.metric.size), 2 * metrics).reshape(metrics, 2)
    known = totals(runs.metric * 2 + runs.side, runs.boot >= 0, 2 * metrics).reshape(metrics, 2)
    blocks = np.zeros(metrics)
    pairs = np.unique(runs.metric[shared] * (runs.boot.max(initial=0) + 2) + runs.boot[shared] + 1)
    np.add.at(blocks, pairs // (runs.boot.max(initial=0) + 2), 1)
    in_blocks = totals(runs.metric, shared, metrics)
    block_df = in_blocks - blocks - 1  # runs, less a level per block and the effect
    all_shared = in_blocks == sides.sum(axis=1)
    design = np.where(known.min(axis=1) > 0, int(Design.NESTED), int(Design.RUNS))
    if policy.unit == "run":
        design[:] = Design.RUNS
    design[(blocks > 0) & ((block_df >= 2) | all_shared)] = Design.BLOCKED
    design[sides.min(axis=1) == 0] = Design.NONE
    return design


def _is_shared(runs: Runs) -> BoolArray:
    """Return which runs stand in a boot that measured both sides of their metric."""
    known = runs.boot >= 0
    if not np.intersect1d(runs.boot[known & (runs.side == 0)], runs.boot[known & (runs.side == 1)]).size:
        return np.zeros(runs.metric.size, dtype=np.bool_)
    _, cell = np.unique(runs.metric * (runs.boot.max(initial=0) + 1) + np.maximum(runs.boot, 0), return_inverse=True)
    sides = np.zeros((cell.max(initial=-1) + 1, 2), dtype=bool)
    sides[cell[known], runs.side[known]] = True
    both: BoolArray = np.all(sides, axis=1)
    return known & both[cell]


def _boots(runs: Runs, chosen: BoolArray, policy: Policy) -> tuple[Units, FloatArray, FloatArray]:
    """Return the boots of nested metrics as units, with the squares and degrees of freedom of the runs inside them."""
    rows = np.flatnonzero(chosen)
    key = (runs.metric[rows] * 2 + runs.side[rows]) * (runs.boot.max(initial=0) + 1) + runs.boot[rows]
    order = np.argsort(key, kind="stable")
    rows, key = rows[order], key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1) != 0)
    head = rows[first]
    found = locate(runs.level[rows], first, runs.metric[head], VALUE_LIMIT if policy.robust else None)
    return Units(runs.metric[head], np.zeros_like(head), runs.side[head], found.level), found.squares, found.df


def _sorted(units: Units) -> Units:
    order = np.lexsort((units.side, units.block, units.metric))
    return Units(units.metric[order], units.block[order], units.side[order], units.level[order])


def _ratio(squares: FloatArray, df: FloatArray) -> FloatArray:
    return np.where(df > 0, squares / np.maximum(df, 1), np.nan)
