"""What SQLite needs: the file and its folder, the settings of each connection, and reading where nobody may write."""

import os
import sqlite3
import stat
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL

from db.errors import DatabaseError

BUSY_TIMEOUT_MS = 10_000
WRITING = "kvmperf_writing"  # execution option: take the write lock at BEGIN, not at the first write
# Of a file or a folder that may only be read, or that is on such a medium.
_MAY_NOT_WRITE = ("readonly", "unable to open")


def prepare(url: URL, *, create: bool) -> None:
    """Look for the file; with `create`, make it and its folder where there is none."""
    if not url.database or url.database == ":memory:":
        return
    path = Path(url.database)
    try:
        if path.is_dir():
            raise DatabaseError(f"{path}: a directory, not a database file")
        is_there = path.exists()
    except OSError as error:
        raise DatabaseError(
            f"{path}: cannot be reached: {error.strerror}", "check the permissions of its folder; --db names another"
        ) from error
    if not is_there and not create:
        raise DatabaseError(
            f"{path}: no database here",
            "`kvmperf upload`, `serve` or `demo` makes one; --db or KVMPERF_DB names another",
        )
    if is_there:
        return
    try:  # what is new is its owner's alone: outputs and facts are not for everybody; the -wal and -shm follow the file
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise DatabaseError(f"{path}: cannot be made: {error.strerror}", "--db names another place") from error


def listen(engine: Engine) -> None:
    """Have every connection of an engine opened, set up and begun as we need it."""
    event.listen(engine, "do_connect", _open)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)


def address(path: Path) -> str:
    """A file as an SQLite URI; one that nobody can change is opened without locks and files beside it.

    In WAL mode SQLite could not read it otherwise: it would make those files first.
    """
    return f"file:{quote(str(path.absolute()))}{'?immutable=1' if _is_sealed(path) else ''}"


def _is_sealed(path: Path) -> bool:
    """Whether nobody can write to a file: a backup that was put away, or a medium that is read-only."""
    if not path.is_file() or os.access(path, os.W_OK) or path.with_name(f"{path.name}-wal").exists():
        return False
    is_for_reading = not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    return is_for_reading or bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _open(_dialect: object, _record: object, words: list[Any], options: dict[str, Any]) -> None:  # Any: of the driver
    if words and words[0] != ":memory:" and _is_sealed(Path(words[0])):
        words[0] = address(Path(words[0]))
        options["uri"] = True


def _set_up(connection: Any, _record: object) -> None:  # Any: the driver's own connection type
    connection.isolation_level = None  # transactions are begun by _begin, not guessed by the driver
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if not any(words in str(error) for words in _MAY_NOT_WRITE):  # reading goes without
            raise
    for pragma in (
        "synchronous=FULL",  # what was acknowledged survives a power cut, not only a crash of ours
        "foreign_keys=ON",
        "cache_size=-65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    lock = "IMMEDIATE" if connection.get_execution_options().get(WRITING) else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {lock}")
