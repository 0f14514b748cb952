"""Copy, backup, restore, check and prune, on both engines, with the sample database of the dashboard's tests."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sample_databases
from sqlalchemy import insert, select, text, update

from db import engine as engines
from db import queries
from db.alert_models import AlertGroup, AlertMember
from db.audit import add
from db.backup import backup, restore
from db.checking import check
from db.errors import DatabaseError
from db.models import Artifact, Audit, Capture, Measurement, Run, TimeSeries, Upload
from db.pruning import Retention, foresee, prune
from db.transfer import tables, transfer
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from db.writes import Writer

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def quiet(*_):
    pass


def say_nothing_wrong(engine):
    return [one.text for one in check(engine) if one.is_problem]


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """Everything that the tables can hold: a patch series, hostile texts, quarantine, an audit trail."""
    url = sample_databases.build(tmp_path_factory.mktemp("sample") / "sample.db")
    engine = engines.connect(url)
    with engines.writing(engine) as connection:
        add(connection, "tester", "try", "x", {"b": 1, "a": [1e22, None, "\u20ac"]})
        connection.execute(update(Capture).where(Capture.id == 1).values(command="./a\0b"))
    yield engine
    engine.dispose()


@pytest.fixture
def engine(database):
    found = engines.connect(database)
    yield found
    found.dispose()


def everything(engine):
    with engines.reading(engine) as connection:
        return {
            "series": queries.series(connection),
            "revisions": queries.revisions(connection),
            "counts": queries.counts(connection),
            "values": queries.samples(connection, [one.id for one in queries.series(connection)]).values.tobytes(),
            "quarantine": queries.quarantine(connection),
        }


def one_more(engine, label="later", minute=1):
    with engines.writing(engine) as connection:
        run = NewRun("suite/new", {}, "pass", "f", 1, (NewMeasurement("t", "s", "lower", np.array([1.0, 2.0])),))
        context = CaptureContext("fresh", RevisionFacts(label=label), f"boot-{label}")
        when = NOW + timedelta(minutes=minute)
        writer = Writer(connection, now=NOW)
        return writer.store(context, NewCapture("n.out", {"stdout": label.encode()}, None, 0, when, when, (run,)))


def test_everything_is_copied_and_goes_on(sample, engine):
    rows = transfer(sample, engine, quiet)

    assert everything(engine) == everything(sample)
    assert rows["run"] > 100
    assert set(rows) == {table.name for table in tables()}
    assert one_more(engine).outcome == "stored"  # ids go on after the copied ones
    assert say_nothing_wrong(engine) == []


def test_there_and_back_is_the_same(sample, postgresql, tmp_path):
    there = engines.connect(postgresql())
    back = engines.connect(f"sqlite:///{tmp_path / 'back.db'}", create=True)
    transfer(sample, there, quiet)
    transfer(there, back, quiet)
    there.dispose()

    def dump(engine):
        lines = sqlite3.connect(engine.url.database).iterdump()
        return sorted(line for line in lines if not line.startswith('INSERT INTO "capture" VALUES(1,'))  # NUL in it

    assert dump(back) == dump(sample)


def test_a_target_with_rows_is_refused(sample, engine):
    one_more(engine)
    before = everything(engine)

    with pytest.raises(DatabaseError, match="not empty"):
        transfer(sample, engine, quiet)
    assert everything(engine) == before


def test_a_copy_that_breaks_off_leaves_the_target_empty(sample, engine):
    def stop(_done, table, _rows, _total):
        if table == "measurement":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transfer(sample, engine, stop)
    with engines.reading(engine) as connection:
        assert queries.counts(connection)["hosts"] == 0
    assert transfer(sample, engine, quiet)["run"] > 100


def test_a_row_that_differs_afterwards_is_found(sample, engine, monkeypatch):
    from db import transfer as module

    real = module._continue_numbers, module._compare

    def damaged(old, new, table, *rest):
        if table.name == "measurement":
            new.execute(update(Measurement).where(Measurement.run_id == 7).values(warmup=1))
        return real[1](old, new, table, *rest)

    monkeypatch.setattr(module, "_compare", damaged)

    with pytest.raises(DatabaseError, match=r"measurement \(time_series_id \d+, run_id 7\): not the same"):
        transfer(sample, engine, quiet)
    with engines.reading(engine) as connection:
        assert queries.counts(connection)["runs"] == 0


def test_a_backup_is_whole_while_others_write(sample, engine, tmp_path, postgresql):
    transfer(sample, engine, quiet)
    stop = threading.Event()
    stored = []

    def write():
        while not stop.is_set():
            stored.append(one_more(engine, f"more{len(stored)}"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backup(engine, tmp_path / "b.db", quiet)
    finally:
        stop.set()
        writer.join()
    target = engines.connect(postgresql())
    restore(tmp_path / "b.db", target, quiet)

    assert stored
    assert (tmp_path / "b.db").stat().st_mode & 0o777 == 0o600
    assert say_nothing_wrong(target) == []
    with engines.reading(target) as connection:
        restored = connection.execute(select(Run.id)).scalars().all()
        assert len(restored) >= 118
    target.dispose()
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_backup_needs_no_file_beside_it(engine, tmp_path):
    backup(engine, tmp_path / "b.db", quiet)

    assert (tmp_path / "b.db").read_bytes()[18:20] == b"\1\1"  # not in WAL mode


def test_a_restored_backup_is_what_was_backed_up(sample, engine, tmp_path):
    backup(sample, tmp_path / "b.db", quiet)
    restore(tmp_path / "b.db", engine, quiet)

    assert everything(engine) == everything(sample)


def test_a_backup_of_an_older_schema_is_brought_to_today(tmp_path, engine):
    old = engines.open_any(f"sqlite:///{tmp_path / 'old.db'}", create=True)
    engines.upgrade(old, "0003")
    with engines.writing(old) as connection:
        connection.execute(text("INSERT INTO host VALUES (1, 'bm1', '', '2026-01-01')"))
    old.dispose()

    rows = restore(tmp_path / "old.db", engine, quiet)

    assert rows["host"] == 1
    assert engines.schema_version(engine) == engines.HEAD


@pytest.mark.parametrize("damage", ["strange", "newer", "damaged", "existing"])
def test_what_is_no_sound_backup_is_refused_in_a_word(sample, engine, tmp_path, damage):
    path = tmp_path / "b.db"
    if damage == "strange":
        path.write_bytes(b"hello" * 1000)
    else:
        backup(sample, path, quiet)
    if damage == "newer":
        with sqlite3.connect(path) as opened:
            opened.execute("UPDATE alembic_version SET version_num = '9999'")
    if damage == "damaged":
        with sqlite3.connect(path) as opened:
            opened.execute("UPDATE artifact SET content = x'00' WHERE id = 1")

    with pytest.raises(DatabaseError) as caught:
        backup(sample, path, quiet) if damage == "existing" else restore(path, engine, quiet)

    says = {"strange": "not a database", "newer": "newer", "damaged": "hash", "existing": "already"}[damage]
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    with engines.reading(engine) as connection:
        assert queries.counts(connection)["hosts"] == 0


def test_a_sound_database_has_nothing_wrong(sample):
    found = list(check(sample))

    assert [one.what for one in found] == [
        "schema",
        "file",
        "references",
        "captures",
        "artifacts",
        "measurements",
        "left over",
    ]
    assert not any(one.is_problem for one in found)


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (update(Artifact).where(Artifact.id == 1).values(content=b"no gzip"), "artifacts"),
        (update(Artifact).where(Artifact.id == 1).values(size=3), "artifacts"),
        (update(Measurement).where(Measurement.run_id == 3).values(n=77), "measurements"),
        (text("DELETE FROM capture_file WHERE capture_id = 2"), "captures"),
        (text("DELETE FROM measurement"), "nothing"),
    ],
)
def test_damage_is_found_and_named(sample, tmp_path, damage, what):
    backup(sample, tmp_path / "b.db", quiet)
    engine = engines.connect(f"sqlite:///{tmp_path / 'b.db'}")
    with engines.writing(engine) as connection:
        connection.execute(damage)

    found = {one.what for one in check(engine) if one.is_problem}
    engine.dispose()
    assert found == ({what} - {"nothing"})


def test_rows_that_point_nowhere_are_found(sample, tmp_path):
    backup(sample, tmp_path / "b.db", quiet)
    with sqlite3.connect(tmp_path / "b.db") as opened:
        opened.execute("DELETE FROM boot WHERE id = 1")  # without foreign_keys=ON nobody minds
    engine = engines.connect(f"sqlite:///{tmp_path / 'b.db'}")

    texts = say_nothing_wrong(engine)
    engine.dispose()
    assert any("of run name a boot that is not there" in one for one in texts)


def test_pruning_takes_what_was_foreseen_and_nothing_else(sample, engine):
    transfer(sample, engine, quiet)
    one_more(engine)
    retention = Retention(before=NOW - timedelta(days=1))

    expected = foresee(engine, retention)
    untouched = everything(engine)
    done = prune(engine, retention, "tester")

    assert done == expected
    assert done.captures > 50
    assert untouched["counts"]["runs"] == done.runs + everything(engine)["counts"]["runs"]
    with engines.reading(engine) as connection:
        kept = {row.series or row.label for row in queries.revisions(connection) if _runs_at(connection, row.id)}
        trail = connection.execute(select(Audit.action, Audit.actor).order_by(Audit.id.desc()).limit(1)).one()
    assert kept == {"mmu-lockless", "later"}
    assert tuple(trail) == ("prune", "tester")
    assert done.kept > 0
    assert say_nothing_wrong(engine) == []
    assert foresee(engine, retention).captures == 0


def test_what_an_alert_compares_stays(sample, engine):
    transfer(sample, engine, quiet)
    with engines.writing(engine) as connection:
        run = connection.execute(select(Run).join(Upload, Run.id > 0).limit(1)).first()
        series = connection.execute(select(Measurement.time_series_id).where(Measurement.run_id == run.id)).scalar()
        group = {"id": 1, "kind": "regression", "evidence": "confirmed", "line": "", "subject": "", "detail": {}}
        group |= {"base_revision_id": run.revision_id, "head_revision_id": None, "opened_at": NOW, "triage": "new"}
        connection.execute(insert(AlertGroup).values(group))
        member = dict.fromkeys(("before", "after", "effect", "low", "high", "z", "noise"), 0.0)
        member |= {"group_id": 1, "time_series_id": series, "base_revision_id": run.revision_id, "points": 1}
        member |= {"head_revision_id": run.revision_id, "boots": 1, "worse": True, "evidence": "confirmed"}
        connection.execute(insert(AlertMember).values(member))
        before = len(_runs_at(connection, run.revision_id))

    prune(engine, Retention(before=NOW + timedelta(days=1)), "tester")

    with engines.reading(engine) as connection:
        assert len(_runs_at(connection, run.revision_id)) == before > 0
        assert connection.execute(select(TimeSeries.id).where(TimeSeries.id == series)).scalar() == series


def test_deleted_captures_go_when_asked(sample, engine):
    transfer(sample, engine, quiet)
    with engines.writing(engine) as connection:
        free = select(Run.capture_id).where(Run.labels.is_not(None)).order_by(Run.id).limit(3)
        ids = connection.execute(free).scalars().all()
        connection.execute(update(Capture).where(Capture.id.in_(ids)).values(deleted_at=NOW))

    assert foresee(engine, Retention()).captures == 0
    assert prune(engine, Retention(deleted=True), "tester").captures == len(set(ids))


def _runs_at(connection, revision_id):
    return connection.execute(select(Run.id).where(Run.revision_id == revision_id)).scalars().all()
