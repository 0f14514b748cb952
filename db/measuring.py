"""Rows of measurements: what most of an upload consists of."""

from collections.abc import Iterable

from sqlalchemy import Connection

from db.dimensions import Dimensions
from db.types import Floats
from db.values import NewRun

Placed = tuple[int, int, int | None, NewRun]  # id of the run, of its test case, of its host

_COLUMNS = ("time_series_id", "run_id", "n", "warmup", "values")
_TYPES = ("int8", "int8", "int4", "int4", "bytea")  # of PostgreSQL, in this order


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
        copy.set_types(_TYPES)
        for row in rows:
            copy.write_row(row)


def _packed(values: Floats) -> bytes:
    """As `db.types.PackedFloats` stores them."""
    return values.astype("<f8", copy=False).tobytes()
