"""Blocks that each show the change by themselves, although not one of the same size. The blocked design's second look.

With two or three blocks whose effects differ, the variance between them has hardly any degrees of freedom: a change of
-98 % in one boot and -94 % in another would be lost, since their difference is large beside their noise. Where every
block alone shows a change beyond the margin, and all in one direction, that much is known: an intersection-union test
(Berger 1982, doi 10.1080/00401706.1982.10487790), whose p-value is the largest of the blocks'. The interval is the
hull of the blocks' own: it says what these boots showed, and the warning that they differ stays.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from stats.answer import Tested
from stats.designs import Design, Layout, Units
from stats.policy import FloatArray, IntArray

DISAGREE = 0.01  # p-value of "the same effect in all blocks" below which blocks are looked at one by one

Test = Callable[[Layout, IntArray], Tested]  # a layout and the metric that each of its rows comes from


def in_every_block(tested: Tested, layout: Layout, threshold: FloatArray, test: Test) -> Tested:
    """Return the tests, replaced where every block shows a change beyond `threshold` (analysis scale, [metrics])."""
    disagreeing = (layout.design == Design.BLOCKED) & (tested.differ < DISAGREE) & np.isfinite(threshold)
    if not disagreeing.any():
        return tested
    units = layout.units
    rows = np.flatnonzero(disagreeing[units.metric])
    blocks, place = np.unique(np.stack([units.metric[rows], units.block[rows]]), axis=1, return_inverse=True)
    owner = blocks[0]
    alone = test(_alone(layout, rows, place.reshape(-1), owner), owner)
    metrics, low, high = _hull(alone.delta, alone.reach, owner)
    _, low90, high90 = _hull(alone.delta, alone.reach90, owner)
    p = np.array([alone.p[owner == m].max() for m in metrics])  # NaN where a block cannot be tested
    shown = (low > threshold[metrics]) | (high < -threshold[metrics])
    better = shown & (p < np.where(np.isfinite(tested.p[metrics]), tested.p[metrics], np.inf))
    kept = metrics[better]
    columns = {name: getattr(tested, name).copy() for name in ("delta", "p", "reach", "reach90", "by_ranks")}
    columns["p"][kept] = p[better]
    columns["delta"][kept] = ((low + high) / 2)[better]
    columns["reach"][kept] = ((high - low) / 2)[better, None]
    columns["reach90"][kept] = ((high90 - low90) / 2)[better, None]
    columns["by_ranks"][kept] = False
    return replace(tested, **columns)


def _alone(layout: Layout, rows: IntArray, place: IntArray, owner: IntArray) -> Layout:
    """Return the layout in which each block of each metric is a metric of its own."""
    units = layout.units
    return Layout(
        design=np.full(owner.size, int(Design.BLOCKED)),
        units=Units(place, units.block[rows], units.side[rows], units.level[rows]),
        within_run=layout.within_run[owner],
        within_boot=layout.within_boot[owner],
        left_out=np.zeros(owner.size, dtype=np.int64),
    )


def _hull(delta: FloatArray, reach: FloatArray, owner: IntArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the metrics, and the smallest and largest bound of their blocks; NaN where a block has none."""
    metrics, group = np.unique(owner, return_inverse=True)
    low, high = np.full(metrics.size, np.inf), np.full(metrics.size, -np.inf)
    np.minimum.at(low, group, delta - reach[:, 0])
    np.maximum.at(high, group, delta + reach[:, 1])
    return metrics, low, high
