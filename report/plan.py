"""Answers "how much must I measure to see x %?": boots and runs per metric, from the noise of the host."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from db import queries
from db.errors import UserError
from db.queries import Filters
from db.values import RevisionRow, SeriesRow
from report.names import resolve
from report.noise import RARE, spreads
from stats.policy import Policy
from stats.power import LIMIT, units_needed
from stats.variance import Spreads

MOST_RUNS = 20  # a boot; more would only wear the boot out


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be shown: a relative `effect` with probability `power`; a boot costs as much as `boot_cost` runs."""

    base: str
    head: str
    effect: float
    power: float = 0.8
    boot_cost: float = 10.0
    runs: int | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """Boots a side, with runs in each, that show the effect at the lowest cost.

    `worst`: boots if the noise is as large as its 90 % interval allows. `measured` are the boots (base, head) that are
    there already. None, and a reason in `why`, where nothing can be planned. `shared` are the runs a side that would
    do inside boots that both sides share (kvm modules reloaded), where the boot's own level cancels.
    """

    series: SeriesRow
    boots: int | None
    runs: int | None
    worst: int | None
    measured: tuple[int, int]
    shared: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class PlanReport:
    """The needs of all metrics, and the design that serves `share` of them."""

    base: RevisionRow
    head: RevisionRow
    needs: tuple[Need, ...]
    request: Request

    def covering(self, share: float) -> tuple[int, int] | None:
        """Boots a side and runs a boot that show the effect in this share of the metrics that can be planned."""
        known = sorted((need.boots or 0, need.runs or 0) for need in self.needs if need.boots is not None)
        if not known:
            return None
        boots, _ = known[min(int(np.ceil(share * len(known))), len(known)) - 1]
        return boots, max(runs for many, runs in known if many <= boots)


def build(connection: Connection, filters: Filters, request: Request, policy: Policy) -> PlanReport:
    """Plan every metric of the filters that either revision, or any other, was measured on."""
    known = queries.revisions(connection)
    base, head = resolve(request.base, known), resolve(request.head, known)
    found = spreads(connection, filters)
    if not found:
        raise UserError("nothing is measured yet that passes the filters", "a plan needs the noise of the host: upload")
    table = queries.samples(connection, [series.id for series, _ in found], [base.id, head.id])
    measured = {
        (int(s), int(r)): int(
            np.unique(table.boot[(table.series == s) & (table.revision == r) & (table.boot >= 0)]).size
        )
        for s in np.unique(table.series)
        for r in (base.id, head.id)
    }
    needs = tuple(
        _need(
            series,
            spread,
            (measured.get((series.id, base.id), 0), measured.get((series.id, head.id), 0)),
            request,
            policy,
        )
        for series, spread in found
    )
    return PlanReport(base, head, needs, request)


def _need(
    series: SeriesRow, found: Spreads | None, measured: tuple[int, int], request: Request, policy: Policy
) -> Need:
    if found is None:
        return Need(series, None, None, None, measured, why="values are not all positive")
    shared = _shared(found, request, policy)
    if found.unit() is None:
        why = "the spread between boots is unknown: measure 3 boots"
        return Need(series, None, None, None, measured, shared, why)
    choices = [request.runs] if request.runs else range(1, MOST_RUNS + 1)
    boots = {runs: _boots(found.unit(runs) or 0.0, request, policy) for runs in choices}
    cost = {runs: many * (request.boot_cost + runs) for runs, many in boots.items()}
    runs = min(cost, key=lambda one: (cost[one], one))
    if boots[runs] >= LIMIT:
        return Need(series, None, None, None, measured, shared, f"{LIMIT} boots or more")
    return Need(series, boots[runs], runs, _boots(_worst(found, runs), request, policy), measured, shared)


def _shared(found: Spreads, request: Request, policy: Policy) -> int | None:
    """Runs a side inside shared boots; None where runs were never repeated in a boot, or where too many are needed."""
    if found.between_runs.variance is None:
        return None
    runs = _boots(
        found.between_runs.variance + (found.within_run.variance or 0.0) / found.values_a_run, request, policy
    )
    return runs if runs < LIMIT else None


def _boots(unit: float, request: Request, policy: Policy) -> int:
    """Boots a side, at the significance that the false discovery rate leaves when one metric in ten changes."""
    change = np.array([np.log1p(request.effect)])
    return int(units_needed(np.array([unit]), change, alpha=policy.fdr * RARE, power=request.power)[0])


def _worst(found: Spreads, runs: int) -> float:
    """The variance of a boot where the spread between boots is as large as its interval allows."""
    high, estimate = found.between_boots.high or 0.0, found.between_boots.variance or 0.0
    return (found.unit(runs) or 0.0) + max(high - estimate, 0.0)
