import multiprocessing
import re
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from db import engine as engines
from db import sqlite
from db.errors import DatabaseError
from db.models import Base


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def test_head_names_the_newest_migration():
    script = ScriptDirectory(str(Path(engines.__file__).parent / "migrations"))

    assert script.get_heads() == [engines.HEAD]


def is_no_partition(name, kind, _parents):
    return not (kind == "table" and re.fullmatch(r"measurement_p\d\d", name))


def test_migrations_make_the_tables_of_the_models(database):
    engine = engines.connect(database)

    with engines.reading(engine) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": is_no_partition, "target_metadata": Base.metadata}
        )
        difference = compare_metadata(context, Base.metadata)
    is_postgresql = engine.dialect.name == "postgresql"
    engine.dispose()

    triggers = {"fk_measurement_run_id_run", "fk_measurement_time_series_id_time_series"} if is_postgresql else set()
    assert {(kind, what.name) for kind, what in difference} == {("add_fk", name) for name in triggers}


def test_downgrade_leaves_nothing(database):
    engine = engines.connect(database)

    engines.downgrade(engine, "base")

    with engines.reading(engine) as connection:
        tables = inspect(connection).get_table_names()
    engine.dispose()
    assert tables == ["alembic_version"]


def test_a_reader_of_a_missing_database_is_told_what_to_do(tmp_path):
    with pytest.raises(DatabaseError, match="no database here") as caught:
        engines.connect(url(tmp_path / "absent.db"))

    assert "kvmperf upload" in caught.value.hint
    assert not (tmp_path / "absent.db").exists()


def test_a_newer_schema_is_refused_and_left_alone(database):
    engine = engines.connect(database)
    with engines.writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    for refused in (
        lambda: engines.connect(database),
        lambda: engines.connect(database, create=True),
        lambda: engines.upgrade(engine),
        lambda: engines.downgrade(engine, "base"),
    ):
        with pytest.raises(DatabaseError, match="newer than this kvmperf"):
            refused()
    assert engines.schema_version(engine) == "9999"
    engine.dispose()


def test_a_downgrade_to_nowhere_lists_what_there_is(database):
    engine = engines.connect(database)
    with pytest.raises(DatabaseError, match="no schema of this kvmperf") as caught:
        engines.downgrade(engine, "7")

    engine.dispose()
    assert "0001, 0002" in caught.value.hint


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("not a database, surely " * 100)

    with pytest.raises(DatabaseError, match=r"notes\.txt: not a database file"):
        engines.connect(url(tmp_path / "notes.txt"), create=True)


def test_a_database_of_another_program_is_refused(tmp_path):
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE mine (x)").connection.commit()

    with pytest.raises(DatabaseError, match="some other program"):
        engines.connect(url(tmp_path / "other.db"), create=True)


def test_a_locked_database_says_so(tmp_path, monkeypatch):
    engines.connect(url(tmp_path / "busy.db"), create=True)
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    holder = sqlite3.connect(tmp_path / "busy.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    engine = engines.connect(url(tmp_path / "busy.db"))
    with pytest.raises(DatabaseError, match="locked") as caught, engines.writing(engine):
        pass

    holder.execute("ROLLBACK")
    assert "try again" in caught.value.hint


@pytest.mark.parametrize("address", ["nonsense", "mysql://host/x", "oracle+nothing://x"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(DatabaseError, match="is no database address"):
        engines.connect(address)


def test_two_processes_may_create_a_database_at_once(empty_database):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        versions = pool.map(_create, [empty_database] * 2)

    assert versions == [engines.HEAD] * 2


def _create(address: str) -> str:
    return engines.schema_version(engines.connect(address, create=True))


def test_a_new_database_is_its_owner_s_alone(tmp_path):
    path = tmp_path / "new" / "k.db"
    engine = engines.connect(url(path), create=True)
    with engines.writing(engine) as connection:
        connection.execute(text("DELETE FROM host"))
        modes = {one.name: one.stat().st_mode & 0o777 for one in path.parent.iterdir()}

    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert modes == {"k.db": 0o600, "k.db-wal": 0o600, "k.db-shm": 0o600}


def test_an_existing_database_keeps_who_may_read_it(tmp_path):
    path = tmp_path / "k.db"
    path.touch(mode=0o644)
    path.chmod(0o664)
    engines.connect(url(path), create=True).dispose()

    assert path.stat().st_mode & 0o777 == 0o664


def test_a_server_that_is_not_there_is_told_with_a_hint():
    pytest.importorskip("psycopg")

    with pytest.raises(DatabaseError, match="refused") as told:
        engines.connect("postgresql://127.0.0.1:1/kvmperf")

    assert "KVMPERF_DB names another" in told.value.hint
