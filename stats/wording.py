"""The sentences of a comparison: why a metric was judged so, and what its reader should beware of. ASCII."""

import numpy as np
from numpy.typing import NDArray

from stats.answer import Comparison, Evidence, Replication
from stats.designs import Design
from stats.judge import Reason, verdict
from stats.policy import Policy


def answers(evidence: Evidence, reasons: NDArray[np.object_], policy: Policy) -> tuple[Comparison, ...]:
    """Return the comparisons with their sentences."""
    out = []
    f = lambda x: None if np.isnan(x) else float(x)
    for m, reason in enumerate(reasons):
        worse = (evidence.head[m] - evidence.base[m]) * evidence.better[m] < 0
        ci = evidence.interval[m]
        out.append(
            Comparison(
                verdict(reason, is_worse=bool(worse)),
                f(evidence.effect[m]),
                None if np.isnan(ci).any() else (float(ci[0]), float(ci[1])),
                f(evidence.p[m]),
                f(evidence.q[m]),
                f(evidence.base[m]),
                f(evidence.head[m]),
                tuple(Replication(*map(int, evidence.counts[m, s])) for s in (0, 1)),
                Design(evidence.design[m]).name.lower(),
                reason.value,
            )
        )
    return tuple(out)
