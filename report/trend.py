"""Answers "how did this metric move?": one level per revision of each time series, in the order of the revisions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from db import queries
from db.errors import UserError
from db.hoststate import Difference, Severity, differences
from db.queries import Filters
from db.samples import without_collection
from db.values import IntArray, RevisionRow, SampleTable, SeriesRow
from stats.levels import Level, levels


class Point(NamedTuple):
    """One revision of one time series. `host_changed` names the state fields that differ from the point before."""

    revision: RevisionRow
    level: Level
    host_changed: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One time series with its points in the order of the revisions."""

    series: SeriesRow
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class RawPoint:
    """One run of one time series: what lies under a point of a line."""

    series_id: int
    revision_id: int
    run_id: int
    boot: int
    value: float


@without_collection()
def build(
    connection: Connection, filters: Filters, *, revisions: Sequence[str] = (), limit: int = 200
) -> tuple[Line, ...]:
    """The lines that pass the filters, in the order of `db.queries.series`; at most `limit` of them.

    `revisions` keeps only the revisions whose name contains one of these texts (all, if empty). Raises UserError where
    nothing is left.
    """
    wanted = queries.series(connection, filters)[:limit]
    known = {r.id: r for r in queries.revisions(connection) if _kept(r, revisions)}
    boots = {b.id for b in queries.boots(connection, filters.boot)} if filters.boot else None
    table = queries.samples(connection, [s.id for s in wanted], list(known), boots)
    states = queries.host_states(connection, {int(i) for i in np.unique(table.state) if i >= 0})
    ordered = sorted(known.values(), key=lambda revision: revision.order)
    ids = np.array([revision.id for revision in ordered], dtype=np.int64)
    rank = np.argsort(ids)[np.searchsorted(np.sort(ids), table.revision)]  # of each row, in the order of the revisions
    lines = tuple(line for s in wanted if (line := _line(s, table, rank, ordered, states)).points)
    if not lines:
        raise UserError("no measurements pass the filters", "loosen them, or upload results first: kvmperf upload PATH")
    return lines


def raw(connection: Connection, series_id: int) -> tuple[RawPoint, ...]:
    """The median of each run of one time series, ordered by revision, boot, run."""
    table = queries.samples(connection, [series_id])
    ends = np.cumsum(table.counts)
    return tuple(
        RawPoint(series_id, int(revision), int(run), int(boot), float(np.median(table.values[end - count : end])))
        for revision, run, boot, count, end in zip(
            table.revision, table.run, table.boot, table.counts, ends, strict=True
        )
        if count
    )


def typical(found: Sequence[RawPoint], revision: int, level: float) -> tuple[RawPoint, ...]:
    """The run of this revision whose value lies nearest to the level: what to look at first; nothing without runs."""
    of_revision = [one for one in found if one.revision_id == revision]
    return tuple(sorted(of_revision, key=lambda one: (abs(one.value - level), one.run_id))[:1])


def _kept(revision: RevisionRow, texts: Sequence[str]) -> bool:
    return not texts or any(text in revision.name or text == revision.kernel for text in texts)


def _line(
    series: SeriesRow,
    table: SampleTable,
    rank: IntArray,
    ordered: Sequence[RevisionRow],
    states: Mapping[int, Mapping[str, str]],
) -> Line:
    first, last = np.searchsorted(table.series, [series.id, series.id + 1])
    rows = first + np.flatnonzero(table.counts[first:last])  # a run whose values are all warm-up is no point
    ranks, position = np.unique(rank[rows], return_inverse=True)
    counts = table.counts[rows]
    start, stop = table.counts[:first].sum(), table.counts[:last].sum()
    found = levels(
        table.values[start:stop],
        np.repeat(table.run[rows], counts),
        np.repeat(table.boot[rows], counts),
        np.repeat(position, counts),
    )
    last_row = np.zeros(ranks.size, dtype=np.int64)
    last_row[position] = rows
    changed = _host_changes(table.state[last_row].tolist(), states)
    return Line(series, tuple(map(Point, map(ordered.__getitem__, ranks.tolist()), found, changed)))


def _host_changes(
    of_points: Sequence[int], states: Mapping[int, Mapping[str, str]]
) -> Iterator[tuple[Difference, ...]]:
    """What matters of each point's host state that differs from the one before; an unknown state differs from none."""
    before: Mapping[str, str] = {}
    last = -1
    for number in of_points:
        if number == last:
            yield ()
            continue
        state = states.get(number, {})
        changed = differences(before, state) if before and state and before is not state else ()
        yield tuple(one for one in changed if one.severity is not Severity.NOTE)
        before, last = state or before, number
