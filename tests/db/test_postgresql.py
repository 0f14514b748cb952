"""What only PostgreSQL has: partitions, snapshots, collisions of writers, a server that goes away."""

import re
import threading
import time
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db import engine as engines
from db import queries
from db.errors import DatabaseError, UserError
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from db.writes import Writer

WHEN = datetime(2026, 11, 1, tzinfo=UTC)


def context(host="bm1"):
    return CaptureContext(host, RevisionFacts(kernel="6.12.0"), "boot1")


def capture(name="01.out", metrics=2, values=(1.0, 2.0), command="./prog"):
    told = tuple(NewMeasurement(f"m{i}", "s", "lower", np.array(values)) for i in range(metrics))
    run = NewRun("suite/prog", {"b": 1e22, "a": 2.50, "c": "x"}, "pass", "prog", 1, told)
    return NewCapture(name, {"stdout": name.encode()}, command, 0, WHEN, WHEN, (run,))


@pytest.fixture
def engine(postgresql):
    found = engines.connect(postgresql())
    yield found
    found.dispose()


def store(engine, *captures):
    with engines.writing(engine) as connection:
        return list(Writer(connection).store_all((context(), one) for one in captures))


def test_measurements_lie_in_partitions_by_time_series(engine):
    store(engine, capture(metrics=60))

    with engines.reading(engine) as connection:
        counted = connection.execute(text("SELECT tableoid::regclass::text, count(*) FROM measurement GROUP BY 1"))
        filled = dict(map(tuple, counted))
    assert sum(filled.values()) == 60
    assert len(filled) > 8


def test_a_time_series_is_read_from_one_partition(engine):
    store(engine, capture())

    with engines.reading(engine) as connection:
        lines = connection.execute(text("EXPLAIN SELECT * FROM measurement WHERE time_series_id = 1")).scalars().all()
    assert len(set(re.findall(r"measurement_p\d\d", "\n".join(lines)))) == 1


@pytest.mark.parametrize("values", [[1e-320, 1.7e150, -0.0], [0.1 + 0.2], [3.0]])
def test_values_and_parameters_come_back_to_the_last_bit(engine, values):
    store(engine, capture(metrics=1, values=values))

    with engines.reading(engine) as connection:
        (series,) = queries.series(connection)
        table = queries.samples(connection, [series.id])
    assert table.values.tobytes() == np.array(values).tobytes()
    assert list(series.params.items()) == [("b", 1e22), ("a", 2.5), ("c", "x")]
    assert isinstance(series.params["b"], float)


def test_a_text_with_nul_is_stored_with_its_symbol(engine):
    store(engine, capture(command="./prog\0-v\x002"))

    with engines.reading(engine) as connection:
        command = connection.execute(text("SELECT command FROM capture")).scalar_one()
    assert command == "./prog␀-v␀2"


def test_a_reader_sees_one_moment(engine):
    with engines.reading(engine) as connection:
        before = queries.counts(connection)["runs"]
        store(engine, capture())

        assert queries.counts(connection)["runs"] == before == 0


def test_a_reader_cannot_write(engine):
    with pytest.raises(Exception, match="read-only"), engines.reading(engine) as connection:
        connection.execute(text("DELETE FROM run"))


def test_two_writers_of_the_same_capture_store_it_once(engine):
    """The second finds out only when it commits, or has to wait: it tries again and sees a duplicate."""
    looked = threading.Barrier(2, timeout=30)
    tries = []

    def work(connection):
        writer = Writer(connection)
        tries.append(1)
        if len(tries) <= 2:
            connection.execute(text("SELECT 1"))
            looked.wait()
        return writer.store(context(), capture())

    outcomes = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(engines.in_transaction(engine, work).outcome)) for _ in "ab"
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert sorted(outcomes) == ["duplicate", "stored"]


def test_a_deadlock_is_tried_again(engine):
    store(engine, capture(), capture("02.out"))
    both = threading.Barrier(2, timeout=30)
    tries = []

    def work(first, second):
        def run(connection):
            tries.append(first)
            lock = text("UPDATE run SET format_version = format_version + 1 WHERE id = :id")
            connection.execute(lock, {"id": first})
            if len(tries) <= 2:
                both.wait()
            connection.execute(lock, {"id": second})

        return run

    threads = [threading.Thread(target=engines.in_transaction, args=(engine, work(*ids))) for ids in ((1, 2), (2, 1))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    with engines.reading(engine) as connection:
        versions = connection.execute(text("SELECT format_version FROM run")).scalars().all()
    assert versions == [3, 3]
    assert len(tries) == 3


def test_foreign_keys_are_checked_by_index_also_in_tables_that_were_empty(engine):
    with engines.writing(engine) as connection:
        Writer(connection)
        setting = connection.execute(text("SHOW enable_seqscan")).scalar()
    with engines.writing(engine) as connection:
        after = connection.execute(text("SHOW enable_seqscan")).scalar()

    assert (setting, after) == ("off", "on")


def test_a_server_that_is_not_there_is_told_in_one_line(tmp_path):
    with pytest.raises(DatabaseError, match=r"failed|refused") as caught:
        engines.connect(f"postgresql://nobody:secret@/none?host={tmp_path}")

    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_database_that_is_not_there_is_told_in_one_line(engine):
    with pytest.raises(DatabaseError, match="does not exist") as caught:
        engines.connect(engine.url.set(database="absent").render_as_string(hide_password=False))

    assert "\n" not in str(caught.value)


def test_a_name_that_is_too_long_is_the_senders_matter(engine):
    told = (NewMeasurement("m" * 201, "s", "lower", np.array([1.0])),)
    run = NewRun("suite/prog", {}, "pass", "prog", 1, told)

    with pytest.raises(UserError, match="too long") as caught:
        store(engine, NewCapture("x.out", {"stdout": b"x"}, runs=(run,)))

    assert not isinstance(caught.value, DatabaseError)


LOST = "UPDATE measurement SET {} = 999999 WHERE run_id = 1"
STRAY = "INSERT INTO measurement SELECT {}, n, warmup, values FROM measurement WHERE run_id = 1"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (STRAY.format("999999, run_id"), "measurements name a time_series that is not there"),
        (STRAY.format("time_series_id, 999999"), "measurements name a run that is not there"),
        (LOST.format("time_series_id"), "measurements name a time_series that is not there"),
        (LOST.format("run_id"), "measurements name a run that is not there"),
        ("DELETE FROM run", "measurements are left of a run that was deleted"),
        ("DELETE FROM time_series", "measurements are left of a time_series that was deleted"),
    ],
)
def test_measurements_and_what_they_refer_to_stay_together(engine, statement, told):
    store(engine, capture(metrics=1), capture("02.out", metrics=1))

    with pytest.raises(IntegrityError, match=told), engines.writing(engine) as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("table", ["run", "time_series"])
def test_who_deletes_what_is_just_being_measured_waits_and_is_refused(engine, table):
    store(engine, capture(metrics=1))
    stray = "INSERT INTO measurement SELECT time_series_id, run_id, n, warmup, values FROM taken"
    refused = []

    def delete():
        with engines.writing(engine) as other:
            refused.append(other.connection.driver_connection.info.backend_pid)
            other.execute(text(f"DELETE FROM {table}"))  # noqa: S608 (a name of ours)

    def in_vain():
        with pytest.raises(IntegrityError, match="are left of"):
            delete()
        refused.append("refused")

    with engines.writing(engine) as connection:
        connection.execute(text("CREATE TEMP TABLE taken ON COMMIT DROP AS SELECT * FROM measurement"))
        connection.execute(text("DELETE FROM measurement"))
        connection.execute(text(stray))
        late = threading.Thread(target=in_vain)
        late.start()
        waited = wait_for_lock(engine, refused)
    late.join(30)

    assert waited
    assert refused[1:] == ["refused"]


def wait_for_lock(engine, pids):
    """Whether the session with the first of these numbers comes to wait for a lock."""
    asked = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid AND wait_event_type = 'Lock'")
    for _ in range(600):
        if pids:
            with engines.reading(engine) as connection:
                if connection.execute(asked, {"pid": pids[0]}).scalar_one():
                    return True
        time.sleep(0.05)
    return False
