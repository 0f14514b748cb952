"""Measurements as columns: the one question that reads many rows, so it makes no objects of them."""

import gc
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import Connection, Select, String, cast, func, literal_column, select, type_coerce

from db.joined import bytes_of, floats, integers, text_of
from db.listed import chunks, is_one_of
from db.models import Capture, Measurement, Run, TimeSeries
from db.types import Floats
from db.values import IntArray, SampleTable

_FEW = 64  # time series up to which the whole history is read, and the runs are found by it
_DENSE = 4  # rows read for one that is wanted, at most, before the engine looks at the run of each
_WIDEST = 1 << 22  # span of ids in which places are looked up in a table
_Query = Select[*tuple[Any, ...]]  # Any: columns of several types

T = TypeVar("T", "_Columns", "_Runs")


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

    Measured runs only, or with `reported` those taken from mails only: the two never mix. Of long histories only that
    part is read in which the runs of these revisions lie.
    """
    series = sorted(series_ids)
    wanted = select(Run.id).join(Capture, Run.capture_id == Capture.id)
    wanted = wanted.where(Run.reported.is_(reported), Capture.deleted_at.is_(None))
    if revision_ids is not None:
        wanted = wanted.where(is_one_of(Run.revision_id, sorted(revision_ids)))
    if revision_ids is None or len(series) <= _FEW:
        read = _joined([_read(connection, part) for part in chunks(series)], _NO_ROWS)
        ids = np.unique(read.run).tolist()
        runs = _joined([_runs(connection, wanted.where(is_one_of(Run.id, part))) for part in chunks(ids)], _NO_RUNS)
        return _table(read, runs, boot_ids)
    hosts = select(TimeSeries.host_id).where(is_one_of(TimeSeries.id, series))
    wanted = wanted.where(Run.host_id.in_(hosts))
    runs = _runs(connection, wanted)
    if not runs.id.size:
        return _table(_NO_ROWS, runs, boot_ids)
    among = _among(connection, runs, wanted, hosts)
    return _table(_joined([_read(connection, part, *among) for part in chunks(series)], _NO_ROWS), runs, boot_ids)


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """Measurements as they are stored, warm-up first in the values of each row."""

    series: IntArray
    run: IntArray
    n: IntArray
    warmup: IntArray
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Runs ordered by id, with what the rows of a `SampleTable` say of them."""

    id: IntArray
    revision: IntArray
    boot: IntArray
    state: IntArray
    started: Floats

    def places(self, ids: IntArray) -> IntArray:
        """The place of each id among the runs; -1 where it is none of them."""
        if not self.id.size:
            return np.full(ids.size, -1)
        first, last = int(self.id[0]), int(self.id[-1])
        if last - first > _WIDEST:
            found = np.minimum(np.searchsorted(self.id, ids), self.id.size - 1)
            return np.where(self.id[found] == ids, found, -1)
        table = np.full(last - first + 3, -1)  # one more at each end, for all that lies outside
        table[self.id - (first - 1)] = np.arange(self.id.size)
        return table[np.clip(ids, first - 1, last + 1) - (first - 1)]

    def ranks(self) -> IntArray:
        """The rank of each run by revision, boot, id."""
        rank = np.empty(self.id.size, dtype=np.int64)
        rank[np.lexsort((self.id, self.boot, self.revision))] = np.arange(self.id.size)
        return rank


_NOTHING = np.empty(0, dtype=np.int64)
_NO_ROWS = _Columns(_NOTHING, _NOTHING, _NOTHING, _NOTHING, np.empty(0))
_NO_RUNS = _Runs(_NOTHING, _NOTHING, _NOTHING, _NOTHING, np.empty(0))


def _joined(parts: Sequence[T], nothing: T) -> T:
    """All parts, one after another."""
    if len(parts) < 2:
        return parts[0] if parts else nothing
    names = type(nothing).__slots__
    return type(nothing)(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _among(connection: Connection, runs: _Runs, wanted: _Query, hosts: _Query) -> list[Any]:  # Any: conditions
    """What keeps to the rows of these runs: a span of the table's key, and the runs where others lie between them."""
    first, last = int(runs.id[0]), int(runs.id[-1])
    among = [Measurement.run_id.between(first, last)]
    there = select(func.count()).select_from(Run).where(Run.host_id.in_(hosts), Run.id.between(first, last))
    if connection.execute(there).scalar_one() > _DENSE * runs.id.size:
        # Plus nothing: the planner must read the table in its order, not run by run through the index of runs, which
        # fetches a page a row (four times as slow over a whole history).
        among.append((Measurement.run_id + literal_column("0")).in_(wanted))
    return among


def _read(connection: Connection, series: Sequence[int], *among: Any) -> _Columns:  # Any: conditions
    """The rows of these time series, as columns."""
    lists = (text_of(connection, column) for column in (Measurement.run_id, Measurement.n, Measurement.warmup))
    of = Measurement.time_series_id
    wanted = select(of, func.count(), *lists, bytes_of(connection, Measurement.values))
    rows = connection.execute(wanted.where(is_one_of(of, series), *among).group_by(of)).all()
    number, count, *listed, packed = zip(*rows, strict=True) if rows else ((), (), (), (), (), ())
    run, n, warmup = map(integers, listed)
    return _Columns(np.repeat(np.array(number, np.int64), count), run, n, warmup, floats(packed, int(n.sum())))


def _runs(connection: Connection, wanted: _Query) -> _Runs:
    """The runs of a statement."""
    known = func.coalesce
    started: Any = known(cast(func.extract("epoch", Run.started_at), String), "NaN")  # Any: two kinds of text
    if connection.dialect.name == "sqlite":
        started = known(type_coerce(Run.started_at, String), "NaT")  # NumPy reads them all at once
    columns = (Run.id, Run.revision_id, known(Run.boot_id, -1), known(Run.host_state_id, -1), started)
    row = connection.execute(wanted.with_only_columns(*(text_of(connection, one) for one in columns))).one()
    if row[0] is None:
        return _NO_RUNS
    ids, revision, boot, state = (integers([text]) for text in row[:4])
    order = np.argsort(ids)
    times = _seconds(connection, row[4].split(","))
    return _Runs(ids[order], revision[order], boot[order], state[order], times[order])


def _seconds(connection: Connection, times: Sequence[str]) -> Floats:
    """Times, as the engine prints them, as epoch seconds; NaN where unknown."""
    if connection.dialect.name != "sqlite":
        return np.array(times, dtype=np.float64)
    instants = np.array(times, dtype="datetime64[us]")
    return np.where(np.isnat(instants), np.nan, instants.astype(np.int64) / 1e6)


def _table(read: _Columns, runs: _Runs, boot_ids: Collection[int] | None) -> SampleTable:
    at = runs.places(read.run)
    kept = at >= 0
    if boot_ids is not None:
        kept[kept] = np.isin(runs.boot, list(boot_ids))[at[kept]]
    key = read.series * runs.id.size + np.r_[runs.ranks(), -1][at]
    if not kept.all() or (key[1:] < key[:-1]).any():
        order = np.flatnonzero(kept)
        order = order[np.argsort(key[order], kind="stable")]
        at = at[order]
        read = _chosen(read, order)
    elif read.warmup.any():
        read = _chosen(read, np.arange(read.run.size))
    return SampleTable(
        series=read.series,
        run=read.run,
        revision=runs.revision[at],
        boot=runs.boot[at],
        state=runs.state[at],
        started=runs.started[at],
        counts=read.n,
        values=read.values,
    )


def _chosen(read: _Columns, order: IntArray) -> _Columns:
    """The rows at these places without their warm-up."""
    n, warmup = read.n, np.minimum(read.warmup, read.n)
    counts = (n - warmup)[order]
    if n.size and not warmup.any() and (n == n[0]).all():
        values = read.values.reshape(n.size, -1)[order].ravel()
    else:
        first = np.repeat((np.cumsum(n) - n + warmup)[order] - (np.cumsum(counts) - counts), counts)
        values = read.values[first + np.arange(counts.sum())]
    return _Columns(read.series[order], read.run[order], counts, np.zeros_like(counts), values)
