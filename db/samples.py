"""Measurements as columns: the one question that reads many rows, so it makes no objects of them."""

import gc
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, func, literal_column, select, type_coerce
from sqlalchemy.types import LargeBinary, String

from db.listed import chunks, is_one_of
from db.models import Capture, Measurement, Run
from db.types import Floats
from db.values import IntArray, SampleTable

_FEW = 64  # time series up to which each row is joined to its run; beyond, the runs are found first


@contextmanager
def without_collection() -> Iterator[None]:
    """Make many values at once without looking for cycles among them: that took half the time of a long answer."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@without_collection()
def samples(
    connection: Connection,
    series_ids: Collection[int],
    revision_ids: Collection[int] | None = None,
    boot_ids: Collection[int] | None = None,
    *,
    reported: bool = False,
) -> SampleTable:
    """The measurements of these time series at these revisions (None: all) in these boots (None: all).

    Measured runs only, or with `reported` those taken from mails only: the two never mix.
    """
    runs = select(Run.id).join(Capture, Run.capture_id == Capture.id)
    runs = runs.where(Run.reported.is_(reported), Capture.deleted_at.is_(None))
    if revision_ids is not None:
        runs = runs.where(is_one_of(Run.revision_id, sorted(revision_ids)))
    wanted = _measurements()
    if len(series_ids) <= _FEW:
        wanted = wanted.where(runs.where(Run.id == Measurement.run_id).correlate(Measurement).exists())
    else:
        # Plus nothing: the planner must read the table in its order, not run by run through the index of runs, which
        # fetches a page a row (four times as slow over a whole history).
        wanted = wanted.where((Measurement.run_id + literal_column("0")).in_(runs))
    parts = [
        _read(connection, wanted.where(is_one_of(Measurement.time_series_id, part)))
        for part in chunks(sorted(series_ids))
    ]
    return _table(connection, _Columns.joined(parts), boot_ids)


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """Measurements as they are stored, warm-up first in the values of each row."""

    series: IntArray
    run: IntArray
    n: IntArray
    warmup: IntArray
    values: Floats

    @classmethod
    def joined(cls, parts: Sequence["_Columns"]) -> "_Columns":
        """All parts, one after another."""
        if len(parts) == 1:
            return parts[0]
        none = np.empty(0, dtype=np.int64)
        parts = parts or [cls(none, none, none, none, np.empty(0))]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))


def _read(connection: Connection, wanted: Select[*tuple[Any, ...]]) -> _Columns:  # Any: the columns of `_measurements`
    """The rows of a statement, as columns."""
    if connection.dialect.name == "sqlite":
        return _read_listed(connection, wanted)
    rows = connection.execute(wanted).all()
    series, run, n, warmup, packed = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return _Columns(_integers(series), _integers(run), _integers(n), _integers(warmup), _floats(packed))


def _read_listed(connection: Connection, wanted: Select[*tuple[Any, ...]]) -> _Columns:  # Any: as above
    """The same from SQLite, one row a time series, in the order of the table.

    It joins numbers to texts in half the time that Python needs to make the rows, and lets other threads run meanwhile.
    """
    lists = (func.group_concat(column) for column in (Measurement.run_id, Measurement.n, Measurement.warmup))
    packed = func.group_concat(func.hex(type_coerce(Measurement.values, LargeBinary)), "")
    wanted = wanted.with_only_columns(Measurement.time_series_id, func.count(), *lists, packed)
    rows = connection.execute(wanted.group_by(Measurement.time_series_id)).all()
    series, count, *listed, texts = zip(*rows, strict=True) if rows else ((), (), (), (), (), ())
    run, n, warmup = (np.fromstring(",".join(column), dtype=np.int64, sep=",") for column in listed)
    values = _floats([bytes.fromhex("".join(texts))])
    return _Columns(np.repeat(_integers(series), _integers(count)), run, n, warmup, values)


def _measurements() -> Select[*tuple[Any, ...]]:  # Any: five columns
    """Series, run, values in a row, warm-up, values as their bytes, to be joined before unpacking."""
    stored = type_coerce(Measurement.values, LargeBinary)
    return select(Measurement.time_series_id, Measurement.run_id, Measurement.n, Measurement.warmup, stored)


def _table(connection: Connection, read: _Columns, boot_ids: Collection[int] | None) -> SampleTable:
    series, run, n, warmup = read.series, read.run, read.n, read.warmup
    known, place = np.unique(run, return_inverse=True)
    revision, boot, state, started = _runs(connection, known)
    starts = np.cumsum(n) - n
    kept = np.arange(run.size)
    if boot_ids is not None:
        kept = np.flatnonzero(np.isin(boot[place], list(boot_ids)))
    order = kept[np.lexsort((run[kept], boot[place][kept], revision[place][kept], series[kept]))]
    counts = np.maximum(n - warmup, 0)[order]
    first = np.repeat((starts + np.minimum(warmup, n))[order] - (np.cumsum(counts) - counts), counts)
    at = place[order]
    return SampleTable(
        series=series[order],
        run=run[order],
        revision=revision[at],
        boot=boot[at],
        state=state[at],
        started=started[at],
        counts=counts,
        values=read.values[first + np.arange(counts.sum())],
    )


def _runs(connection: Connection, ids: IntArray) -> tuple[IntArray, IntArray, IntArray, Floats]:
    """Revision, boot, host state and start of the runs with these ids, which are in order; -1 and NaN where unknown."""
    nothing = func.coalesce
    started: Any = func.extract("epoch", Run.started_at)  # Any: a number, or a text
    if connection.dialect.name == "sqlite":
        started = type_coerce(Run.started_at, String)  # one call of NumPy reads them all
    wanted = select(Run.revision_id, nothing(Run.boot_id, -1), nothing(Run.host_state_id, -1), started).order_by(Run.id)
    rows: list[Any] = []  # Any: rows of four columns
    for part in chunks(ids.tolist()):
        rows += connection.execute(wanted.where(is_one_of(Run.id, part))).all()
    *numbers, times = zip(*rows, strict=True) if rows else ((), (), (), ())
    revision, boot, state = (_integers(column) for column in numbers)
    return revision, boot, state, _seconds(times)


def _seconds(times: Sequence[Any]) -> Floats:  # Any: numbers of PostgreSQL, texts of SQLite
    """Times as epoch seconds, NaN where unknown."""
    if any(isinstance(one, str) for one in times):
        instants = np.array(["NaT" if one is None else one for one in times], dtype="datetime64[us]")
        return np.where(np.isnat(instants), np.nan, instants.astype(np.int64) / 1e6)
    return np.array([np.nan if one is None else float(one) for one in times], dtype=np.float64)


def _integers(column: Sequence[int]) -> IntArray:
    return np.array(column, dtype=np.int64)


def _floats(parts: Sequence[bytes]) -> Floats:
    """All values end to end."""
    return np.frombuffer(b"".join(parts), dtype="<f8")
