"""Answers "how did this metric move?": one level per revision of each time series, in the order of the revisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
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
    table = queries.samples(connection, [s.id for s in wanted], list(known) if revisions else None, boots)
    states = queries.host_states(connection, {int(i) for i in np.unique(table.state) if i >= 0})
    found = _points(table, list(known.values()), states)
    lines = tuple(Line(s, found[s.id]) for s in wanted if s.id in found)
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


def _points(
    table: SampleTable, ordered: Sequence[RevisionRow], states: Mapping[int, Mapping[str, str]]
) -> dict[int, tuple[Point, ...]]:
    """The points of each time series; revisions in their order. All levels are found at once, series by series."""
    rows = np.flatnonzero(table.counts)  # a run whose values are all warm-up is no point
    series, revision = table.series[rows], table.revision[rows]
    is_new = np.ones(rows.size, dtype=np.bool_)
    is_new[1:] = (series[1:] != series[:-1]) | (revision[1:] != revision[:-1])
    first = np.flatnonzero(is_new)
    found = levels(table.values, table.counts[rows], table.boot[rows], np.cumsum(is_new) - 1)
    ids = np.array([one.id for one in ordered], dtype=np.int64)
    place = np.argsort(ids)[np.searchsorted(np.sort(ids), revision[first])]
    order = np.lexsort((place, series[first]))
    state = table.state[rows[np.r_[first[1:], rows.size][order] - 1]]  # that of a point's last run
    places, series = place[order].tolist(), series[first]  # in order of the series already
    changes = _Changes(states)
    starts = np.flatnonzero(np.diff(series, prepend=-1))
    return {
        int(series[start]): tuple(
            map(
                Point,
                map(ordered.__getitem__, places[start:stop]),
                map(found.__getitem__, order[start:stop].tolist()),
                changes.along(state[start:stop]),
            )
        )
        for start, stop in pairwise([*starts.tolist(), series.size])
    }


class _Changes:
    """What matters of a host state that differs from the one before; an unknown state differs from none."""

    def __init__(self, states: Mapping[int, Mapping[str, str]]) -> None:
        self._states = states
        self._found: dict[tuple[int, int], tuple[Difference, ...]] = {}  # time series of one host change alike

    def along(self, of_points: IntArray) -> list[tuple[Difference, ...]]:
        """The changes at each point of a line."""
        found: list[tuple[Difference, ...]] = [()] * of_points.size
        before = -1
        for position in np.flatnonzero(np.diff(of_points, prepend=-1)).tolist():
            number = int(of_points[position])
            if self._states.get(number):
                found[position] = self._between(before, number)
                before = number
        return found

    def _between(self, before: int, number: int) -> tuple[Difference, ...]:
        if before < 0 or before == number:
            return ()
        if (before, number) not in self._found:
            changed = differences(self._states[before], self._states[number])
            self._found[before, number] = tuple(one for one in changed if one.severity is not Severity.NOTE)
        return self._found[before, number]
