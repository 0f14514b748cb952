"""Opens databases: engines with the right settings, transactions, and the check that the schema is ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import DatabaseError as DriverError

from db.errors import DatabaseError

HEAD = "0003"  # the newest migration; a test keeps it true
_BUSY_TIMEOUT_MS = 10_000
_WRITING = "kvmperf_writing"  # execution option: take the write lock at BEGIN, not at the first write


def default_url(data_home: Path) -> str:
    """The database that is used when none is named: an SQLite file in the user's data directory."""
    return f"sqlite:///{data_home / 'kvmperf' / 'kvmperf.db'}"


def connect(url: str, *, create: bool = False) -> Engine:
    """An engine on a database with the current schema.

    With `create`, a missing or empty database is made (writers want that); without, it is an error that says what to
    do (a reader of nothing has mistyped a path). A schema that is older or newer is always refused.
    """
    engine = _engine(url, create=create)
    version = _version(engine)
    if version == "" and create:
        upgrade(engine)
    elif version == "":
        raise DatabaseError(
            f"{_shown(engine.url)}: no kvmperf tables here", "`kvmperf upload` or `kvmperf demo` fills a database"
        )
    elif version != HEAD:
        _refuse(engine, version)
    return engine


def upgrade(engine: Engine, to: str = "head") -> None:
    """Run the migrations up to a revision (`head`: the newest). Idempotent, and safe to call from two processes."""
    from alembic import command

    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(5386010)"))
        command.upgrade(_alembic_config(connection), to)


def downgrade(engine: Engine, to: str) -> None:
    """Take migrations back down to a revision (`base`: nothing left)."""
    from alembic import command

    with writing(engine) as connection:
        command.downgrade(_alembic_config(connection), to)


def open_any(url: str, *, create: bool = False) -> Engine:
    """An engine without the schema check: for `db upgrade` and `db check`."""
    return _engine(url, create=create)


def schema_version(engine: Engine) -> str:
    """The migration the database stands at, or an empty string for a database without our tables."""
    return _version(engine)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for queries: one consistent snapshot, nothing written."""
    with _errors_for_people(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: committed at the end, rolled back on any exception."""
    writer = engine.execution_options(**{_WRITING: True})
    with _errors_for_people(engine), writer.begin() as connection:
        yield connection


def _engine(url: str, *, create: bool) -> Engine:
    try:
        parsed = make_url(url)
        engine = create_engine(parsed)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise DatabaseError(
            f"{url!r} is no database address", "for example sqlite:///results.db or postgresql+psycopg://host/kvmperf"
        ) from error
    if parsed.get_backend_name() == "sqlite":
        _prepare_file(parsed, create=create)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_file(url: URL, *, create: bool) -> None:
    if not url.database or url.database == ":memory:":
        return
    path = Path(url.database)
    if path.is_dir():
        raise DatabaseError(f"{path}: a directory, not a database file")
    if not path.exists() and not create:
        raise DatabaseError(
            f"{path}: no database here", "`kvmperf upload` or `kvmperf demo` makes one; --db names another"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            f"{path.parent}: cannot make this directory: {error.strerror}", "--db names another place"
        ) from error


def _set_up_sqlite(connection: Any, _record: object) -> None:  # Any: the driver's own connection type
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not guessed by the driver
    for pragma in (
        f"busy_timeout={_BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",  # what was acknowledged survives a power cut, not only a crash of ours
        "foreign_keys=ON",
        "cache_size=-65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    lock = "IMMEDIATE" if connection.get_execution_options().get(_WRITING) else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {lock}")


def _version(engine: Engine) -> str:
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            if inspect(connection).get_table_names():
                raise DatabaseError(f"{_shown(engine.url)}: a database of some other program", "--db names another")
            return ""
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def _refuse(engine: Engine, version: str) -> None:
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory(str(_migrations())).walk_revisions()}
    where = _shown(engine.url)
    if version in known:
        raise DatabaseError(
            f"{where}: schema {version} is older than this kvmperf's {HEAD}", "run `kvmperf db upgrade`"
        )
    raise DatabaseError(
        f"{where}: schema {version} is newer than this kvmperf's {HEAD}", "install a newer kvmperf; nothing was changed"
    )


def _migrations() -> Path:
    return Path(__file__).parent / "migrations"


def _alembic_config(connection: Connection) -> Any:  # Any: alembic is imported late, its Config is not known here
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_migrations()))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _errors_for_people(engine: Engine) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        said = str(error.orig)
        hint = "another kvmperf is writing; try again" if "locked" in said else ""
        raise DatabaseError(f"{_shown(engine.url)}: {said}", hint) from error
    except DriverError as error:
        if "not a database" in str(error.orig):
            raise DatabaseError(f"{_shown(engine.url)}: not a database file", "--db names another") from error
        raise


def _shown(url: URL) -> str:
    return url.database or "" if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
