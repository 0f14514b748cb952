"""Answers "how noisy is this host?": the spreads of each metric, from the repetitions of every stored revision."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from db import queries
from db.errors import UserError
from db.queries import Filters
from db.values import IntArray, SampleTable, SeriesRow
from stats.policy import Policy
from stats.power import detectable_change
from stats.variance import Replicates, Spreads, components

# Significance that the false discovery rate leaves when one metric in ten changes.
RARE = 0.1


@dataclass(frozen=True, slots=True)
class NoiseRow:
    """One metric of one test case on one host. `smallest` is the relative change that boots x runs a side would show.

    `smallest` is None where the spread between boots is unknown; `spreads` is None for values that are not positive.
    """

    series: SeriesRow
    spreads: Spreads | None
    smallest: float | None


@dataclass(frozen=True, slots=True)
class NoiseReport:
    """The noise of a host at a design of `boots` a side with `runs` each, `power` to show a change."""

    rows: tuple[NoiseRow, ...]
    boots: int
    runs: int
    power: float
    margin: float

    @property
    def known(self) -> tuple[NoiseRow, ...]:
        """The rows whose smallest change is known."""
        return tuple(row for row in self.rows if row.smallest is not None)

    @property
    def hidden(self) -> int:
        """In how many metrics a change of the size of the margin is noise at this design."""
        return sum(row.smallest is not None and row.smallest > self.margin for row in self.rows)


def build(connection: Connection, filters: Filters, *, boots: int, runs: int, policy: Policy) -> NoiseReport:
    """The noise of every metric that passes the filters. Raises UserError where there is none."""
    rows = [
        NoiseRow(series, found, None if found is None else smallest(found, boots, runs, policy))
        for series, found in spreads(connection, filters)
    ]
    if not rows:
        raise UserError("no measurements pass the filters", "loosen them, or upload results first: kvmperf upload PATH")
    return NoiseReport(tuple(rows), boots, runs, policy.power, float(policy.margin))


def spreads(connection: Connection, filters: Filters) -> list[tuple[SeriesRow, Spreads | None]]:
    """The variance components of every metric that passes the filters and that anything is known of, in order."""
    wanted = [one for one in queries.series(connection, filters) if one.better != "none"]
    boots = {b.id for b in queries.boots(connection, filters.boot)} if filters.boot else None
    table = queries.samples(connection, [one.id for one in wanted], None, boots)
    found = []
    for series in wanted:
        columns = replicates(table, series.id)
        if columns.value.size:
            is_positive = bool((columns.value > 0).all())
            found.append((series, components(columns) if is_positive else None))
    return found


def smallest(found: Spreads, boots: int, runs: int, policy: Policy) -> float | None:
    """The relative change that so many boots and runs a side show with the policy's power; None where unknown.

    At the significance that the false discovery rate leaves when one metric in ten changes.
    """
    unit = found.unit(runs)
    if unit is None:
        return None
    change = detectable_change(np.array([unit]), np.array([float(boots)]), alpha=policy.fdr * RARE, power=policy.power)
    return float(np.expm1(change[0]))


def replicates(table: SampleTable, series: int, rows: IntArray | None = None) -> Replicates:
    """The repetitions of one time series, or of some of its rows.

    A revision in another host state counts as another revision.
    """
    if rows is None:
        first, last = np.searchsorted(table.series, [series, series + 1])
        rows = np.arange(first, last)
    counts = table.counts[rows]
    edges = np.concatenate([[0], np.cumsum(table.counts)])
    parts = [table.values[edges[row] : edges[row + 1]] for row in rows]
    measured = table.revision[rows] * (int(table.state.max(initial=0)) + 2) + table.state[rows]
    return Replicates(
        np.repeat(measured, counts),
        np.repeat(table.boot[rows], counts),
        np.repeat(table.run[rows], counts),
        np.concatenate(parts) if parts else np.zeros(0),
    )
