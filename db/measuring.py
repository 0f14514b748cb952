"""Rows of measurements: what most of an upload consists of."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from db.dimensions import Dimensions
from db.types import Floats
from db.values import NewRun

Placed = tuple[int, int, int | None, NewRun]  # id of the run, of its test case, of its host

_COLUMNS = ("time_series_id", "run_id", "n", "warmup", "values")

# PostgreSQL's binary COPY: a signature with flags and the length of an extension, rows, an end. A row is the number of
# its fields, then the length of each before it; all in network order.
_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_FIELDS = (("time_series_id", ">i8"), ("run_id", ">i8"), ("n", ">i4"), ("warmup", ">i4"))


def add(connection: Connection, dimensions: Dimensions, runs: Iterable[Placed]) -> None:
    """Insert one row per metric and run.

    They go to the driver directly: building the parameters of a statement costs SQLAlchemy more than the database
    needs to store them, and these are nine of ten rows of an upload.
    """
    placed = [(run_id, (case, host, run.benchmark, m)) for run_id, case, host, run in runs for m in run.measurements]
    if not placed:
        return
    run_ids, told = zip(*placed, strict=True)
    values = [m.values for *_, m in told]
    rows = _Rows(
        dimensions.time_series(told),
        run_ids,
        [one.size for one in values],
        [m.warmup for *_, m in told],
        np.concatenate(values).astype("<f8", copy=False),
    )
    names = ", ".join(f'"{name}"' for name in _COLUMNS)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(_COLUMNS))
        connection.exec_driver_sql(f"INSERT INTO measurement ({names}) VALUES ({marks})", rows.tuples())  # noqa: S608 (constants)
        return
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 (an open transaction has one)
    with driver.cursor() as cursor, cursor.copy(f"COPY measurement ({names}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(_BEGIN + b"".join(rows.blocks()) + _END)


class _Rows(NamedTuple):
    """Rows as columns: time series, run, number of values, of which warm-up; the values of all rows end to end."""

    series: Sequence[int]
    run: Sequence[int]
    n: Sequence[int]
    warmup: Sequence[int]
    values: Floats

    def tuples(self) -> list[tuple[object, ...]]:
        """Each row with its values as `db.types.PackedFloats` stores them."""
        packed, ends = self.values.tobytes(), [8 * end for end in accumulate(self.n)]
        of_rows = (packed[start:end] for start, end in pairwise([0, *ends]))
        return list(zip(*self[:4], of_rows, strict=True))

    def blocks(self) -> Iterator[bytes]:
        """The rows as PostgreSQL takes them: NumPy lays out those of one length together, five times as fast."""
        n = np.array(self.n)
        starts = np.cumsum(n) - n
        columns = [np.array(column) for column in self[:4]]
        for length in np.unique(n):
            rows = np.flatnonzero(n == length)
            table = np.empty(rows.size, _layout(8 * length))
            table["fields"], table["size"] = len(_COLUMNS), 8 * length
            for (name, kind), column in zip(_FIELDS, columns, strict=True):
                table[f"size of {name}"], table[name] = np.dtype(kind).itemsize, column[rows]
            values = self.values[starts[rows][:, None] + np.arange(length)]
            table["values"] = np.frombuffer(values.tobytes(), table.dtype["values"])
            yield table.tobytes()


def _layout(size: int) -> np.dtype[np.void]:
    """A row with so many bytes of values."""
    sized = [(f"size of {name}", ">i4") for name, _ in _FIELDS]
    numbers = [part for pair in zip(sized, _FIELDS, strict=True) for part in pair]
    return np.dtype([("fields", ">i2"), *numbers, ("size", ">i4"), ("values", f"V{size}")])
