"""Measurements as columns: what is asked for, in the stated order, on every engine."""

import sqlite3
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select

from db import engine as engines
from db import queries
from db.joined import floats
from db.models import Boot, Measurement, Run
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from db.writes import Writer

START = datetime(2026, 11, 1, 12, 30, 15, 123457, tzinfo=UTC)
METRICS = 70  # more time series than are read one by one


def stored(engine):
    """Runs of two revisions in two boots and an unknown one, with and without a start, of many metrics."""
    rng = np.random.default_rng(4)
    with engines.writing(engine) as connection:
        writer = Writer(connection)
        for number in range(8):
            measured = tuple(
                NewMeasurement(f"m{m:02}", "s", "lower", rng.normal(size=1 + (number + m) % 4), warmup=(number * m) % 2)
                for m in range(METRICS)
            )
            run = NewRun("suite/prog", {}, "pass", "prog", 1, measured)
            started = START + timedelta(minutes=number) if number % 3 else None
            context = CaptureContext("bm", RevisionFacts(label="ab"[number % 2]), ("x", "y", "")[number % 3])
            writer.store(
                context, NewCapture(f"{number}.out", {"stdout": b"%d" % number}, started_at=started, runs=(run,))
            )


def one_by_one(engine, series, revisions=None, boots=None):
    with engines.reading(engine) as connection:
        runs = {run.id: run for run in connection.execute(select(Run.__table__)).all()}
        rows = connection.execute(select(Measurement.__table__)).all()
    told = [
        (
            row.time_series_id,
            run.revision_id,
            -1 if run.boot_id is None else run.boot_id,
            row.run_id,
            run.started_at.timestamp() if run.started_at else None,
            np.frombuffer(row.values)[row.warmup :].tolist(),
        )
        for row in rows
        for run in (runs[row.run_id],)
        if row.time_series_id in series
        and (revisions is None or run.revision_id in revisions)
        and (boots is None or run.boot_id in boots)
    ]
    return sorted(told, key=lambda one: one[:4])


def as_rows(table):
    ends = np.cumsum(table.counts)
    return [
        (
            *(int(part) for part in key),
            None if np.isnan(started) else started,
            table.values[end - count : end].tolist(),
        )
        for *key, started, count, end in zip(
            table.series, table.revision, table.boot, table.run, table.started, table.counts, ends, strict=True
        )
    ]


@pytest.mark.parametrize("count", [1, METRICS])
def test_columns_say_what_the_rows_say(database, count):
    engine = engines.connect(database)
    stored(engine)
    with engines.reading(engine) as connection:
        series = [one.id for one in queries.series(connection)][:count]
        revision = queries.revisions(connection)[0].id
        boots = connection.execute(select(Boot.id).order_by(Boot.id)).scalars().all()[:1]

        asked = [(series,), (series, [revision]), (series, None, boots), (series, [revision], boots)]
        found = [as_rows(queries.samples(connection, *what)) for what in asked]
        nothing = [queries.samples(connection, *what) for what in (([],), (series, []), (series, None, []))]

    assert found == [one_by_one(engine, *what) for what in asked]
    assert all(len(rows) for rows in found)
    assert [table.values.size + table.series.size for table in nothing] == [0, 0, 0]
    assert all(table.values.dtype == np.float64 for table in nothing)
    engine.dispose()


@pytest.mark.parametrize("count", [1, METRICS])
def test_runs_of_others_between_those_that_are_wanted_are_left_out(database, count):
    """The first and the last revision of many: the engine looks at the run of each row."""
    engine = engines.connect(database)
    with engines.writing(engine) as connection:
        for number in range(16):
            measured = tuple(NewMeasurement(f"m{m}", "s", "lower", np.array([number, m, 0.0])) for m in range(METRICS))
            run = NewRun("suite/prog", {}, "pass", "prog", 1, measured)
            place = CaptureContext("bm", RevisionFacts(label=f"r{number % 15}"))
            Writer(connection).store(place, NewCapture(f"{number}.out", {"stdout": b"%d" % number}, runs=(run,)))
    with engines.reading(engine) as connection:
        series = [one.id for one in queries.series(connection)][:count]
        wanted = [one.id for one in queries.revisions(connection) if one.label in {"r0", "r14"}]

        found = as_rows(queries.samples(connection, series, wanted))

    assert found == one_by_one(engine, series, wanted)
    assert len(found) == 3 * count
    engine.dispose()


def test_an_sqlite_file_of_another_encoding_gives_the_same_values(tmp_path):
    """Made by somebody else, empty: bytes that SQLite joins as texts would be turned into others there."""
    path = tmp_path / "utf16.db"
    with sqlite3.connect(path) as made:
        made.execute("PRAGMA encoding = 'UTF-16'")
        made.execute("CREATE TABLE made (id INTEGER)")
        made.execute("DROP TABLE made")
    engine = engines.connect(f"sqlite:///{path}", create=True)
    stored(engine)
    with engines.reading(engine) as connection:
        series = [one.id for one in queries.series(connection)]
        encoding = connection.exec_driver_sql("PRAGMA encoding").scalar()

        found = as_rows(queries.samples(connection, series))

    assert encoding == "UTF-16le"
    assert found == one_by_one(engine, series)
    engine.dispose()


def test_joined_values_that_are_not_all_there_are_refused():
    with pytest.raises(RuntimeError, match="12 bytes where 2 values"):
        floats([b"123456789012"], 2)
