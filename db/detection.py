"""What detection reads and keeps: measurements as one number a run, progress a time series, marks of the whole."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, LargeBinary, func, select, type_coerce
from sqlalchemy.dialects import postgresql, sqlite

from db import queries
from db.alert_models import Detection, DetectionMark
from db.bulk import table_of
from db.listed import chunks, is_one_of
from db.models import Capture, Measurement, Metric, Revision, Run, TimeSeries
from db.samples import without_collection
from db.types import Floats
from db.values import IntArray
from db.words import Better


class PointRow(NamedTuple):
    """The columns of `Detection.points`: the level of one revision. `state` is -1 where unknown."""

    revision: float
    value: float
    state: float
    boots: float
    runs: float


class StepRow(NamedTuple):
    """The columns of `Detection.steps`: one step between two revisions, as `alerts.judge` writes and reads it."""

    base: float
    head: float
    before: float
    after: float
    effect: float
    low: float
    high: float
    z: float
    noise: float
    points: float
    boots: float
    evidence: float
    at_host: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a revision stands: its line (tree and branch) and its position on it, counted from 0."""

    line: str
    position: int
    when: datetime
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """The measured runs that count, as columns ordered by id; -1 where boot or state are unknown."""

    id: IntArray
    revision: IntArray
    boot: IntArray
    state: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Measurements as columns: time series, run, and the median of the run's iterations."""

    series: IntArray
    run: IntArray
    median: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The progress of one time series: a table of `PointRow` and one of `StepRow`."""

    points: Floats
    steps: Floats


def places(connection: Connection) -> dict[int, Place]:
    """Every revision that is followed: patches of a posted series are compared with their base, not with a trend."""
    lines = {
        row.id: "/".join(part for part in (row.tree, row.branch) if part)[:200]
        for row in connection.execute(select(Revision.id, Revision.tree, Revision.branch))
    }
    counts: dict[str, int] = {}
    found: dict[int, Place] = {}
    for one in queries.revisions(connection):
        if one.series:
            continue
        line = lines[one.id]
        counts[line] = counts.get(line, -1) + 1
        found[one.id] = Place(line, counts[line], one.committed_at or one.first_seen_at, one.name)
    return found


def judged_series(connection: Connection) -> IntArray:
    """The ids of the time series whose metric has a direction, ascending."""
    wanted = select(TimeSeries.id).join(Metric).where(Metric.better != Better.NONE).order_by(TimeSeries.id)
    return _ints(connection.execute(wanted).scalars())


def unjudged(connection: Connection) -> IntArray:
    """The ids of the time series without progress, ascending: new ones, and those that were forgotten."""
    wanted = select(TimeSeries.id).join(Detection, isouter=True).where(Detection.time_series_id.is_(None))
    return _ints(connection.execute(wanted.order_by(TimeSeries.id)).scalars())


def judged_so_far(connection: Connection) -> int:
    """How many time series have been judged."""
    return connection.execute(select(func.count()).select_from(Detection)).scalar_one()


def newest_run(connection: Connection) -> int:
    """The largest id of a run; 0 without runs."""
    return connection.execute(select(func.max(Run.id))).scalar() or 0


def revisions_after(connection: Connection, run_id: int) -> IntArray:
    """The revisions of the runs with a larger id."""
    return _ints(connection.execute(select(Run.revision_id).where(Run.id > run_id).distinct()).scalars())


@without_collection()
def runs(connection: Connection, revision_ids: Collection[int] | None = None) -> Runs:
    """The runs of these revisions (None: all) that were measured here and not deleted."""
    wanted = (
        select(Run.id, Run.revision_id, Run.boot_id, Run.host_state_id)
        .join(Capture, Run.capture_id == Capture.id)
        .where(Run.reported.is_(False), Capture.deleted_at.is_(None))
        .order_by(Run.id)
    )
    if revision_ids is not None:
        wanted = wanted.where(is_one_of(Run.revision_id, sorted(revision_ids)))
    columns = list(zip(*connection.execute(wanted).all(), strict=True)) or [(), (), (), ()]
    return Runs(*(_ints(-1 if one is None else one for one in column) for column in columns))


@without_collection()
def of_series(connection: Connection, series_ids: Sequence[int]) -> Rows:
    """All measurements of these time series, in the order of the table."""
    return _rows(connection, Measurement.time_series_id, series_ids)


@without_collection()
def of_runs(connection: Connection, run_ids: Sequence[int]) -> Rows:
    """All measurements of these runs."""
    return _rows(connection, Measurement.run_id, run_ids)


@without_collection()
def kept(connection: Connection, series_ids: Sequence[int]) -> dict[int, Kept]:
    """The progress of these time series, where there is any."""
    wanted = select(Detection.time_series_id, Detection.points, Detection.steps)
    found: dict[int, Kept] = {}
    for part in chunks(series_ids):
        for number, points, steps in connection.execute(wanted.where(is_one_of(Detection.time_series_id, part))):
            found[number] = Kept(_table(points, PointRow), _table(steps, StepRow))
    return found


def all_steps(connection: Connection) -> dict[int, Floats]:
    """The steps of every time series that has some."""
    wanted = select(Detection.time_series_id, Detection.steps).where(func.length(Detection.steps) > 0)
    return {row[0]: _table(row[1], StepRow) for row in connection.execute(wanted.order_by(Detection.time_series_id))}


def keep(connection: Connection, progress: Mapping[int, Kept], newest: Mapping[int, int]) -> None:
    """Write down the progress of time series, and the newest run of each that was judged."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table_of(Detection))
    names = ("measurements", "newest_run", "points", "steps")
    upsert = insert.on_conflict_do_update(
        index_elements=["time_series_id"], set_={name: insert.excluded[name] for name in names}
    )
    rows = [
        {
            "time_series_id": number,
            "measurements": int(one.points[:, 4].sum()),
            "newest_run": newest.get(number, 0),
            "points": one.points.ravel(),
            "steps": one.steps.ravel(),
        }
        for number, one in progress.items()
    ]
    if rows:
        connection.execute(upsert, rows)


def forget(connection: Connection, series_ids: Sequence[int]) -> None:
    """Judge these time series from their beginning next time: measurements were deleted or read anew."""
    for part in chunks(series_ids):
        table = table_of(Detection)
        connection.execute(table.delete().where(is_one_of(table.c.time_series_id, part)))


def forget_all(connection: Connection) -> None:
    """Judge every time series from its beginning next time."""
    connection.execute(table_of(Detection).delete())


def marks(connection: Connection) -> dict[str, str]:
    """What was noted of the whole database, by name."""
    return {row.name: row.value for row in connection.execute(select(DetectionMark.name, DetectionMark.value))}


def mark(connection: Connection, name: str, value: str) -> None:
    """Note something of the whole database."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table_of(DetectionMark)).values(name=name, value=value)
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def _rows(connection: Connection, column: Any, ids: Sequence[int]) -> Rows:  # Any: a typed column
    """The rows where a column holds one of the ids; a run whose values are all warm-up says nothing."""
    stored = type_coerce(Measurement.values, LargeBinary)  # the bytes themselves, to be joined before unpacking
    wanted = select(Measurement.time_series_id, Measurement.run_id, Measurement.n, Measurement.warmup, stored)
    wanted = wanted.where(Measurement.n > Measurement.warmup)
    rows: list[Any] = []  # Any: rows of five columns
    for part in chunks(ids):
        rows += connection.execute(wanted.where(is_one_of(column, part))).all()
    series, run, n, warmup, packed = list(zip(*rows, strict=True)) or [(), (), (), (), ()]
    return Rows(_ints(series), _ints(run), _medians(packed, _ints(n), _ints(warmup)))


def _medians(packed: Sequence[bytes], n: IntArray, warmup: IntArray) -> Floats:
    """The median of each row's values without warm-up; rows of one shape go through NumPy together."""
    values = np.frombuffer(b"".join(packed), dtype="<f8")
    starts = np.cumsum(n) - n
    found = np.empty(n.size)
    for size, skip in {*zip(n.tolist(), warmup.tolist(), strict=True)}:
        rows = np.flatnonzero((n == size) & (warmup == skip))
        found[rows] = np.median(values[starts[rows][:, None] + np.arange(skip, size)], axis=1)
    return found


def _table(flat: Floats, columns: type[PointRow] | type[StepRow]) -> Floats:
    return flat.reshape(-1, len(columns._fields))


def _ints(numbers: Iterable[int]) -> IntArray:
    return np.array(numbers if isinstance(numbers, list | tuple) else list(numbers), dtype=np.int64)
