"""Answers "how did this metric move?": one level per revision of each time series, in the order of the revisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from db import queries
from db.errors import UserError
from db.hoststate import Difference, Severity, differences
from db.queries import Filters
from db.values import RevisionRow, SampleTable, SeriesRow
from stats.levels import Level, levels


@dataclass(frozen=True, slots=True)
class Point:
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
    lines = tuple(line for s in wanted if (line := _line(s, table, known, states)).points)
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
    known: Mapping[int, RevisionRow],
    states: Mapping[int, Mapping[str, str]],
) -> Line:
    first, last = np.searchsorted(table.series, [series.id, series.id + 1])
    rows = first + np.flatnonzero(table.counts[first:last])  # a run whose values are all warm-up is no point
    revisions = sorted({int(r) for r in table.revision[rows]}, key=lambda r: known[r].order)
    rank = {revision: position for position, revision in enumerate(revisions)}
    position = np.array([rank[int(r)] for r in table.revision[rows]], dtype=np.int64)
    counts = table.counts[rows]
    offsets = np.r_[0, np.cumsum(table.counts)]
    found = levels(
        table.values[offsets[first] : offsets[last]],
        np.repeat(table.run[rows], counts),
        np.repeat(table.boot[rows], counts),
        np.repeat(position, counts),
    )
    last_row = dict(zip(position.tolist(), rows.tolist(), strict=True))
    points: list[Point] = []
    before: Mapping[str, str] = {}
    for at, level in enumerate(found):
        state = states.get(int(table.state[last_row[at]]), {})
        changed = differences(before, state) if before and state and before is not state else ()
        grave = tuple(one for one in changed if one.severity is not Severity.NOTE)
        points.append(Point(known[revisions[at]], level, grave))
        before = state or before
    return Line(series, tuple(points))
