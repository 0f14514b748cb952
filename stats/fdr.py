"""The false discovery rate over a family of tests."""

import numpy as np

from stats.policy import FloatArray


def adjust(p: FloatArray) -> FloatArray:
    """Return the Benjamini-Hochberg adjusted p-values (q) of one family; NaN entries are no members and stay NaN.

    Benjamini and Hochberg 1995, doi 10.1111/j.2517-6161.1995.tb02031.x: flagging q <= a holds the expected share of
    false flags among the flags at a, for independent and positively dependent tests.
    """
    q = np.full(p.shape, np.nan)
    members = np.flatnonzero(~np.isnan(p))
    if members.size == 0:
        return q
    order = members[np.argsort(p[members], kind="stable")[::-1]]
    ranks = np.arange(order.size, 0, -1)
    q[order] = np.minimum.accumulate(np.minimum(p[order] * order.size / ranks, 1.0))
    return q
