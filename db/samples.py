"""Measurements as columns: the one question that reads many rows, so it makes no objects of them."""

import gc
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, bindparam, literal_column, select, type_coerce
from sqlalchemy.types import LargeBinary

from db.models import Capture, Measurement, Run
from db.types import Floats
from db.values import IntArray, SampleTable

_CHUNK = 20_000  # ids in one statement, written into its text: bound ones are limited to 32,766
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
        runs = runs.where(_is_one_of(Run.revision_id, sorted(revision_ids)))
    wanted = _measurements()
    if len(series_ids) <= _FEW:
        wanted = wanted.where(runs.where(Run.id == Measurement.run_id).correlate(Measurement).exists())
    else:
        # Plus nothing: the planner must read the table in its order, not run by run through the index of runs, which
        # fetches a page a row (four times as slow over a whole history).
        wanted = wanted.where((Measurement.run_id + literal_column("0")).in_(runs))
    rows: list[Any] = []  # Any: rows of five columns
    for part in _chunks(sorted(series_ids)):
        rows += connection.execute(wanted.where(_is_one_of(Measurement.time_series_id, part))).all()
    return _table(connection, rows, boot_ids)


def _measurements() -> Select[*tuple[Any, ...]]:  # Any: five columns
    """Series, run, values in a row, warm-up, values as their bytes, to be joined before unpacking."""
    stored = type_coerce(Measurement.values, LargeBinary)
    return select(Measurement.time_series_id, Measurement.run_id, Measurement.n, Measurement.warmup, stored)


def _is_one_of(column: Any, ids: Sequence[int]) -> Any:  # Any: typed columns and conditions have no short name
    return column.in_(bindparam(None, ids, expanding=True, literal_execute=True))


def _table(connection: Connection, rows: Sequence[Any], boot_ids: Collection[int] | None) -> SampleTable:  # Any: rows
    columns = list(zip(*rows, strict=True)) or [(), (), (), (), ()]
    series, run, n, warmup = (np.array(column, dtype=np.int64) for column in columns[:4])
    known, place = np.unique(run, return_inverse=True)
    revision, boot, state, started = _runs(connection, known)
    values = _joined(columns[4])
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
        values=values[first + np.arange(counts.sum())],
    )


def _runs(connection: Connection, ids: IntArray) -> tuple[IntArray, IntArray, IntArray, Floats]:
    """Revision, boot, host state and start of the runs with these ids, which are in order; -1 and NaN where unknown."""
    rows: list[Any] = []  # Any: rows of four columns
    wanted = select(Run.revision_id, Run.boot_id, Run.host_state_id, Run.started_at).order_by(Run.id)
    for part in _chunks(ids.tolist()):
        rows += connection.execute(wanted.where(_is_one_of(Run.id, part))).all()
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    revision, boot, state = (
        np.array([-1 if one is None else one for one in column], dtype=np.int64) for column in columns[:3]
    )
    started = np.array([np.nan if one is None else one.timestamp() for one in columns[3]], dtype=np.float64)
    return revision, boot, state, started


def _joined(parts: Sequence[bytes]) -> Floats:
    """All values end to end."""
    return np.frombuffer(b"".join(parts), dtype="<f8")


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[i : i + _CHUNK] for i in range(0, len(ids), _CHUNK))
