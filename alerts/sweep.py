"""`kvmperf detect` over everything stored: what came in since the last time is judged, then the alerts are settled.

Time series are judged in portions, each in a transaction of its own; the alerts follow in one more. A process that
dies leaves whole portions: the next one passes over what was judged already and reaches the same state.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection, Engine

from alerts import levels, silence
from alerts.decide import Context
from alerts.judge import NOTHING, judge
from alerts.rules import Rules
from alerts.settle import settle
from alerts.spread import Detector
from db import detection, queries
from db.detection import Kept, Place, PointRow, Rows, Runs
from db.engine import reading, writing
from db.hoststate import Severity, differences
from db.types import Floats
from db.values import IntArray
from stats.changepoints import detect_many

NEWEST = "newest_run"
PORTION = 5_000  # time series that are judged in one transaction
MOST_NEW_RUNS = 400_000  # beyond, time series are read from their beginning, portion by portion
_LATE = 10_000  # ids of runs that may become visible after larger ones: uploads to PostgreSQL overlap

_NO_POINTS = np.zeros((0, len(PointRow._fields)))

NO_RULES = Rules()
Said = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: time series judged anew, those whose steps are others now, what happened to which group."""

    judged: int
    moved: int
    happened: tuple[tuple[int, str], ...]


@dataclass(slots=True)
class States:
    """Whether two host states differ gravely; read as they are asked for."""

    connection: Connection
    fields: dict[int, Mapping[str, str]] = field(default_factory=dict)
    known: dict[tuple[int, int], bool] = field(default_factory=dict)

    def differ(self, one: int, other: int) -> bool:
        """Whether a difference is more than a note."""
        pair = (one, other)
        if pair not in self.known:
            missing = {state for state in pair if state not in self.fields}
            self.fields |= queries.host_states(self.connection, missing)
            found = differences(self.fields.get(one, {}), self.fields.get(other, {}))
            self.known[pair] = any(each.severity is not Severity.NOTE for each in found)
        return self.known[pair]


def sweep(
    engine: Engine,
    rules: Rules = NO_RULES,
    *,
    now: datetime | None = None,
    since: datetime | None = None,
    say: Said = str,
    many: Detector = detect_many,
) -> Swept:
    """Judge what is new and settle the alerts. Idempotent: without new data nothing changes.

    `many` finds the changes of many series, here or on other machines (`alerts.spread`).
    """
    at = now or datetime.now(UTC)
    with writing(engine) as connection:
        known = _known(connection)
    with reading(engine) as connection:
        work = plan(connection, known)
    judged = moved = 0
    for portion in work.portions():
        with writing(engine) as connection:
            done = _judged(connection, work, portion, many)
        judged, moved = judged + done[0], moved + done[1]
        say(f"judged {judged} of {work.series.size} time series")
    with writing(engine) as connection:
        happened = settle(connection, Context(at, rules, work.places, work.families, since))
        happened += silence.settle(connection, work.places, rules, at)
        detection.mark(connection, NEWEST, str(work.newest))
    return Swept(judged, moved, tuple(happened))


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What is to be judged: time series, ascending; `fresh` ones are read from their beginning.

    `new` are the measurements of every revision that something came in for, ordered by time series.
    """

    series: IntArray
    fresh: frozenset[int]
    new: Rows
    new_runs: Runs
    all_runs: Runs
    places: Mapping[int, Place]
    families: int
    newest: int

    def portions(self) -> Iterator[Sequence[int]]:
        """The time series, some at a time."""
        ids = self.series.tolist()
        return (ids[i : i + PORTION] for i in range(0, len(ids), PORTION))


def plan(connection: Connection, known: int) -> Work:
    """What came in after a run, and what has no progress yet."""
    judged = detection.judged_series(connection)
    fresh = np.intersect1d(detection.unjudged(connection), judged)
    late = _LATE if connection.dialect.name == "postgresql" else 0
    touched = detection.revisions_after(connection, max(known - late, 0))
    new_runs = detection.runs(connection, touched.tolist())
    new = _sorted(detection.of_runs(connection, new_runs.id.tolist()))
    return Work(
        series=np.union1d(np.intersect1d(new.series, judged), fresh),
        fresh=frozenset(fresh.tolist()),
        new=new,
        new_runs=new_runs,
        all_runs=detection.runs(connection) if fresh.size else new_runs,
        places=detection.places(connection),
        families=int(judged.size),
        newest=detection.newest_run(connection),
    )


def _known(connection: Connection) -> int:
    """The newest run of the last sweep. Where very many came since, all progress is thrown away and counts as none."""
    known, newest = int(detection.marks(connection).get(NEWEST, "0")), detection.newest_run(connection)
    if known and newest - known <= MOST_NEW_RUNS:
        return known
    detection.forget_all(connection)
    detection.mark(connection, NEWEST, str(newest))
    return newest


def _sorted(rows: Rows) -> Rows:
    order = np.argsort(rows.series, kind="stable")
    return Rows(rows.series[order], rows.run[order], rows.median[order])


def _judged(connection: Connection, work: Work, portion: Sequence[int], many: Detector) -> tuple[int, int]:
    """Judge some time series and write down how far they are; how many were judged, how many have other steps now."""
    points, newest = _points(connection, work, portion)
    before = detection.kept(connection, portion)
    tables: dict[int, Floats] = {}
    for number in portion:
        old = before[number].points if number in before else None
        new = points.get(number, _NO_POINTS)
        if old is None or number in work.fresh:
            tables[number] = new
        elif not _is_in(new, old):
            tables[number] = levels.merged(old, new)
    steps = judge(list(tables.values()), work.places, States(connection).differ, many)
    progress = {number: Kept(table, found) for (number, table), found in zip(tables.items(), steps, strict=True)}
    detection.keep(connection, progress, newest)
    none = Kept(_NO_POINTS, NOTHING)
    others = sum(not np.array_equal(one.steps, before.get(number, none).steps) for number, one in progress.items())
    return len(progress), others


def _points(connection: Connection, work: Work, portion: Sequence[int]) -> tuple[dict[int, Floats], dict[int, int]]:
    """The levels that are new, by time series, and the newest run of each."""
    first, last = np.searchsorted(work.new.series, [portion[0], portion[-1] + 1])
    part = Rows(work.new.series[first:last], work.new.run[first:last], work.new.median[first:last])
    fresh = [number for number in portion if number in work.fresh]
    found = list(levels.points(part, work.new_runs))
    found += levels.points(detection.of_series(connection, fresh), work.all_runs)
    return {number: table for number, table, _ in found}, {number: run for number, _, run in found}


def _states_in(tables: Iterable[Floats]) -> set[int]:
    """The host states that must be told apart: where a time series knows more than one."""
    states = (table[:, 2] for table in tables if len(table))
    return {int(one) for column in states if (column != column[0]).any() for one in np.unique(column) if one >= 0}


def _is_in(new: Floats, old: Floats) -> bool:
    """Whether these levels are known already, each as it is now."""
    at = np.minimum(np.searchsorted(old[:, 0], new[:, 0]), max(len(old) - 1, 0))
    return bool(len(old)) and bool((old[at] == new).all())
