"""Opens databases: engines with the right settings, transactions, and the check that the schema is ours."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import DatabaseError as DriverError

from db import sqlite
from db.address import advice, shown
from db.errors import DamagedError, DatabaseError, UserError

T = TypeVar("T")

HEAD = "0006"  # the newest migration; a test keeps it true
_HINTS = {
    "locked": "another kvmperf is writing; try again",
    "connection": "does the server run, and is this its address? --db or KVMPERF_DB names another",
    "full": "make room, then do it again: what is stored is not stored twice",
    "readonly": "writing needs a file and a folder that are writable for you; --db names another database",
    "unable to open": "check the permissions of the file and its folder; --db names another database",
}
_UPGRADING = 5386010  # the advisory lock that upgrades of one PostgreSQL database wait for
_OLDEST_POSTGRESQL = 15
_TRIES = 6
_PAUSE_S = 0.05  # before the second try; doubles
_PATIENCE_S = 10  # for a PostgreSQL server that does not answer
# SQLSTATEs that say: another transaction was in the way, the same again may succeed. The last, a unique key that was
# there only after we had looked, finds the row on the next try.
_COLLISIONS = ("40001", "40P01", "23505")
_DAMAGED = ("XX001", "XX002")  # PostgreSQL's word for a torn page of a table, of an index


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
            f"{_shown(engine.url)}: no kvmperf tables here",
            "`kvmperf upload`, `serve` or `demo` makes them; --db or KVMPERF_DB names another",
        )
    elif version != HEAD:
        _refuse(engine, version)
    return engine


def upgrade(engine: Engine, to: str = "head") -> None:
    """Run the migrations up to a revision (`head`: the newest). Idempotent, and safe to call from two processes.

    A schema newer than this program is refused.
    """
    from alembic import command

    with _migrating(engine) as connection:
        command.upgrade(_alembic_config(connection), to)


def downgrade(engine: Engine, to: str) -> None:
    """Take migrations back down to a revision (`base`: nothing left). What only newer schemas can hold is lost."""
    from alembic import command

    if to not in (known := ["base", *_migrations_known()]):
        raise DatabaseError(f"{to!r} is no schema of this kvmperf", f"known: {', '.join(sorted(known))}")
    with _migrating(engine) as connection:
        command.downgrade(_alembic_config(connection), to)


def open_any(url: str, *, create: bool = False) -> Engine:
    """An engine without the schema check: for `db upgrade` and `db check`."""
    return _engine(url, create=create)


def schema_version(engine: Engine) -> str:
    """The migration the database stands at, or an empty string for a database without our tables."""
    return _version(engine)


def named(engine: Engine) -> str:
    """Where the database is, for messages: a file, or an address without its password."""
    return _shown(engine.url)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for queries: one consistent snapshot, nothing written."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with _errors_for_people(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: committed at the end, rolled back on any exception."""
    writer = engine.execution_options(**{sqlite.WRITING: True})
    with _errors_for_people(engine), writer.begin() as connection:
        yield connection


def in_transaction(engine: Engine, work: Callable[[Connection], T]) -> T:
    """What `work` returns, done in one transaction that writes; done again where another writer was in the way.

    `work` must be able to run twice. SQLite has one writer at a time, and nothing to try again.
    """
    for attempt in range(1, _TRIES):
        try:
            with writing(engine) as connection:
                return work(connection)
        except (DatabaseError, IntegrityError) as error:
            if not _is_collision(error):
                raise
            time.sleep(random.uniform(0.5, 1.5) * _PAUSE_S * 2**attempt)  # noqa: S311 (no secret)
    with writing(engine) as connection:
        return work(connection)


def _engine(url: str, *, create: bool) -> Engine:
    try:
        parsed = _parsed(url)
        is_postgresql = parsed.get_backend_name() == "postgresql"
        options: dict[str, Any] = _postgresql_options(parsed) if is_postgresql else {}  # Any: of create_engine
        engine = create_engine(parsed, **options)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "psycopg":
            raise DatabaseError("PostgreSQL needs psycopg", "pip install 'kvmperf[server,postgres]'") from error
        raise DatabaseError(f"{shown(url)!r} is no database address", advice(url)) from error
    if is_postgresql:
        event.listen(engine, "connect", _set_up_postgresql)
    if parsed.get_backend_name() == "sqlite":
        sqlite.prepare(parsed, create=create)
        sqlite.listen(engine)
    return engine


def _parsed(url: str) -> URL:
    parsed = make_url(url)
    if "@" in (parsed.host or ""):  # the rest of a password; the driver would print it
        raise ArgumentError("no host")
    return parsed


def _postgresql_options(url: URL) -> dict[str, Any]:  # Any: of create_engine
    """Connections are tried before use: after a restart of the server the pool would hand out dead ones."""
    known = {} if "connect_timeout" in url.query else {"connect_timeout": _PATIENCE_S}
    return {"pool_pre_ping": True, "connect_args": known}


def _set_up_postgresql(connection: Any, _record: object) -> None:  # Any: the driver's own connection type
    version = connection.info.server_version // 10_000
    if version < _OLDEST_POSTGRESQL:
        raise DatabaseError(f"PostgreSQL {version} is too old", f"kvmperf needs {_OLDEST_POSTGRESQL} or newer")
    from db.nul import register

    register(connection)


def _version(engine: Engine) -> str:
    with reading(engine) as connection:
        return _version_at(connection)


def _version_at(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        if inspect(connection).get_table_names():
            raise DatabaseError(
                f"{_shown(connection.engine.url)}: a database of some other program", "--db names another"
            )
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def _refuse(engine: Engine, version: str) -> None:
    where = _shown(engine.url)
    if version in _migrations_known():
        raise DatabaseError(
            f"{where}: schema {version} is older than this kvmperf's {HEAD}", "run `kvmperf db upgrade`"
        )
    raise DatabaseError(
        f"{where}: schema {version} is newer than this kvmperf's {HEAD}", "install a newer kvmperf; nothing was changed"
    )


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other migration shares, on a schema that this program knows."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADING})
        version = _version_at(connection)
        if version and version not in _migrations_known():
            _refuse(engine, version)
        yield connection


def _migrations_known() -> list[str]:
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory(str(_migrations())).walk_revisions()]


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
    where = _shown(engine.url)
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        said = _said(error)
        hint = next((hint for word, hint in _HINTS.items() if word in said), "")
        raise DatabaseError(f"{where}: {said}", hint) from error
    except DriverError as error:
        told = _for_people(where, error)
        if told is None:
            raise
        raise told from error
    except UnicodeDecodeError as error:  # SQLite's own message quotes what it could not read
        if not error.object.startswith(b"malformed"):
            raise
        raise DamagedError(where, error.object.decode(errors="replace").split(" - ")[0]) from error


def _for_people(where: str, error: DriverError) -> UserError | None:
    """What people can understand of a driver's error; nothing where it is a bug."""
    said = _said(error)
    if "not a database" in said:
        return DatabaseError(f"{where}: not a database file", "--db names another")
    if "malformed" in said or _state(error) in _DAMAGED:
        return DamagedError(where, said)
    if _state(error) == "22001":  # SQLite takes a text of any length
        return UserError("a name is too long for the database", "names have at most 200 characters")
    if _state(error) == "42501":
        return DatabaseError(f"{where}: {said}", "the role needs rights on this database")
    return None


def _said(error: DBAPIError) -> str:
    """What the driver says, in one line: PostgreSQL adds the statement and lists every address that it tried.

    SQLite adds the text that is none, however long.
    """
    lines = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
    return lines[0].split(" with text ")[0].rstrip(":")


def _state(error: BaseException | None) -> str:
    """The SQLSTATE of a PostgreSQL error, or nothing."""
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _is_collision(error: Exception) -> bool:
    return _state(error) in _COLLISIONS or _state(error.__cause__) in _COLLISIONS


def _shown(url: URL) -> str:
    return url.database or "" if url.get_backend_name() == "sqlite" else shown(url.render_as_string(hide_password=True))
