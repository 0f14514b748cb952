"""Answers "what would kvmperf find on my data?": regressions put into the repetitions of stored revisions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from db import queries
from db.errors import UserError
from db.queries import Filters
from db.values import SampleTable, SeriesRow
from stats.policy import Policy
from stats.selfcheck import FEWEST, Repeated, SelfCheck, check

_DIRECTION = {"lower": -1, "higher": 1}


@dataclass(frozen=True, slots=True)
class HostCheck:
    """The self-check of one host; `boots` and `runs` are the typical (median) numbers a metric that were split."""

    host: str
    result: SelfCheck
    boots: float
    runs: float


def build(
    connection: Connection, filters: Filters, *, sizes: Sequence[float], splits: int, policy: Policy
) -> tuple[HostCheck, ...]:
    """Check every host that passes the filters. Raises UserError where nothing is stored."""
    wanted = [one for one in queries.series(connection, filters) if one.better != "none"]
    boots = {b.id for b in queries.boots(connection, filters.boot)} if filters.boot else None
    table = queries.samples(connection, [one.id for one in wanted], None, boots)
    if not table.series.size:
        raise UserError("no measurements pass the filters", "loosen them, or upload results first: kvmperf upload PATH")
    found = []
    for host in dict.fromkeys(one.host for one in wanted):
        mine = [one for one in wanted if one.host == host]
        repeated = _repeated(table, mine)
        better = np.array([_DIRECTION[one.better] for one in mine])
        result = check(repeated, better, sizes, splits=splits, policy=policy)
        counts = [
            (np.unique(repeated.boot[rows]).size, np.unique(repeated.run[rows]).size)
            for rows in (repeated.metric == m for m in range(len(mine)))
        ]
        found.append(HostCheck(host, result, *(float(np.median(column)) for column in zip(*counts, strict=True))))
    return tuple(found)


def too_few(checked: HostCheck) -> str:
    """What is missing where nothing, or little, can be split; empty where the data do."""
    result = checked.result
    if result.metrics == 0:
        return (
            f"no metric has {FEWEST} boots of one revision, or {FEWEST} runs of one in a boot: "
            "measure one revision more often"
        )
    if result.by_boots == 0:
        return (
            f"no metric has {FEWEST} boots of one revision: runs inside boots were split, "
            "so that nothing is said about differences between boots"
        )
    return ""


def _repeated(table: SampleTable, wanted: Sequence[SeriesRow]) -> Repeated:
    """The measurements of the best repeated revision (in one host state) of each metric."""
    edges = np.concatenate([[0], np.cumsum(table.counts)])
    metrics, boots, runs, values = [], [], [], []
    for m, series in enumerate(wanted):
        first, last = np.searchsorted(table.series, [series.id, series.id + 1])
        rows = _best(table, np.arange(first, last))
        count = table.counts[rows]
        metrics.append(np.full(int(count.sum()), m))
        boots.append(np.repeat(table.boot[rows], count))
        runs.append(np.repeat(table.run[rows], count))
        values += [table.values[edges[row] : edges[row + 1]] for row in rows]
    joined = np.concatenate(values) if values else np.zeros(0)
    return Repeated(np.concatenate(metrics), np.concatenate(boots), np.concatenate(runs), joined)


def _best(table: SampleTable, rows: np.ndarray) -> np.ndarray:
    """The rows of the revision and host state with most boots (up to what a split needs), then most runs."""
    if rows.size == 0:
        return rows
    code = table.revision[rows] * (int(table.state.max(initial=0)) + 2) + table.state[rows]
    groups = [rows[code == one] for one in np.unique(code)]
    return max(groups, key=lambda mine: (min(np.unique(table.boot[mine]).size, FEWEST), mine.size))
