"""Rows of measurements: what most of an upload consists of."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from sqlalchemy import Connection

from db.dimensions import Dimensions
from db.types import Floats
from db.values import NewRun

Placed = tuple[int, int, int | None, NewRun]  # id of the run, of its test case, of its host

_COLUMNS = ("time_series_id", "run_id", "n", "warmup", "values")
_Row = tuple[int, int, int, int, bytes]  # as named above

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
    placed = list(runs)
    dimensions.find_time_series(
        (case, host, run.benchmark, m) for _, case, host, run in placed for m in run.measurements
    )
    rows = [
        (dimensions.time_series(case_id, host_id, run.benchmark, m), run_id, m.values.size, m.warmup, _packed(m.values))
        for run_id, case_id, host_id, run in placed
        for m in run.measurements
    ]
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in _COLUMNS)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(_COLUMNS))
        connection.exec_driver_sql(f"INSERT INTO measurement ({names}) VALUES ({marks})", rows)  # noqa: S608 (constants)
        return
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 (an open transaction has one)
    with driver.cursor() as cursor, cursor.copy(f"COPY measurement ({names}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(_BEGIN + b"".join(_blocks(rows)) + _END)


def _blocks(rows: Sequence[_Row]) -> Iterator[bytes]:
    """The rows as PostgreSQL takes them: those of one length are a table of NumPy, which is five times as fast."""
    by_length: dict[int, list[_Row]] = {}
    for row in rows:
        by_length.setdefault(len(row[-1]), []).append(row)
    for length, alike in by_length.items():
        sized = [(f"size of {name}", ">i4") for name, _ in _FIELDS]
        layout = [part for pair in zip(sized, _FIELDS, strict=True) for part in pair]
        table = np.empty(len(alike), [("fields", ">i2"), *layout, ("size", ">i4"), ("values", f"V{length}")])
        table["fields"], table["size"] = len(_COLUMNS), length
        *numbers, packed = zip(*alike, strict=True)
        for (name, kind), column in zip(_FIELDS, numbers, strict=True):
            table[f"size of {name}"], table[name] = np.dtype(kind).itemsize, column
        table["values"] = np.frombuffer(b"".join(packed), f"V{length}")
        yield table.tobytes()


def _packed(values: Floats) -> bytes:
    """As `db.types.PackedFloats` stores them."""
    return values.astype("<f8", copy=False).tobytes()
