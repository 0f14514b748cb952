"""Rows of measurements: the values of each metric beside their summary, computed for many of them at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from sqlalchemy import Connection

from db.dimensions import Dimensions
from db.types import Floats
from db.values import NewMeasurement, NewRun

Placed = tuple[int, int, int | None, NewRun]  # id of the run, of its test case, of its host
Summary = tuple[float, float, float, float, float | None]  # mean, median, minimum, maximum, deviation

_COLUMNS = ("time_series_id", "run_id", "n", "warmup", "values", "mean", "median", "minimum", "maximum", "deviation")
_TYPES = ("int8", "int8", "int4", "int4", "bytea", *["float8"] * 5)  # of PostgreSQL, in this order


def add(connection: Connection, dimensions: Dimensions, runs: Iterable[Placed]) -> None:
    """Insert one row per metric and run.

    They go to the driver directly: building the parameters of a statement costs SQLAlchemy more than the database
    needs to store them, and these are nine of ten rows of an upload.
    """
    keys: list[tuple[int, int]] = []
    measured: list[NewMeasurement] = []
    for run_id, case_id, host_id, run in runs:
        for one in run.measurements:
            keys.append((dimensions.time_series(case_id, host_id, run.benchmark, one), run_id))
            measured.append(one)
    if not keys:
        return
    parts = zip(keys, measured, summarised(measured), strict=True)
    rows = ((*key, m.values.size, m.warmup, _packed(m.values), *summary) for key, m, summary in parts)
    names = ", ".join(f'"{name}"' for name in _COLUMNS)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(_COLUMNS))
        connection.exec_driver_sql(f"INSERT INTO measurement ({names}) VALUES ({marks})", list(rows))  # noqa: S608 (constants)
        return
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 (an open transaction has one)
    with driver.cursor() as cursor, cursor.copy(f"COPY measurement ({names}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(_TYPES)
        for row in rows:
            copy.write_row(row)


def summarised(measured: Sequence[NewMeasurement]) -> list[Summary]:
    """The summary of each measurement; warm-up is left out unless there is nothing else.

    Those of one shape go through NumPy together: five calls for a thousand of them, where five calls each would cost
    more than storing them.
    """
    found: list[Summary] = [(0.0, 0.0, 0.0, 0.0, None)] * len(measured)
    shapes: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for index, one in enumerate(measured):
        shapes[one.values.size, one.warmup].append(index)
    for (size, warmup), indices in shapes.items():
        values = np.concatenate([measured[index].values for index in indices]).reshape(len(indices), size)
        judged = values[:, warmup:] if warmup < size else values
        for index, summary in zip(indices, _summaries(judged), strict=True):
            found[index] = summary
    return found


def _packed(values: Floats) -> bytes:
    """As `db.types.PackedFloats` stores them."""
    return values.astype("<f8", copy=False).tobytes()


def _summaries(judged: Floats) -> Iterable[Summary]:
    columns = (judged.mean(axis=1), np.median(judged, axis=1), judged.min(axis=1), judged.max(axis=1))
    count, size = judged.shape
    spread: list[float] | list[None] = judged.std(axis=1, ddof=1).tolist() if size > 1 else [None] * count
    return zip(*(column.tolist() for column in columns), spread, strict=True)
