"""Backups: one SQLite file, whatever the engine, made while others write and looked through before it counts.

SQLite copies its own pages; from PostgreSQL the rows are copied and compared. So a backup needs no program of the
server's version, can be opened as it is, and goes back into either engine.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from db.checking import check
from db.engine import HEAD, connect, open_any, schema_version, upgrade
from db.errors import DatabaseError
from db.sqlite import address
from db.transfer import Progress, transfer


def backup(engine: Engine, path: Path, progress: Progress) -> int:
    """Write a backup into a new file; its size in bytes. There is no file unless it is whole and sound."""
    _refuse_existing(path)
    with _beside(path) as unfinished:
        if engine.dialect.name == "sqlite":
            _copy_pages(Path(str(engine.url.database)), unfinished)
        else:
            copy = connect(f"sqlite:///{unfinished}", create=True)
            transfer(engine, copy, progress)
            copy.dispose()
        _look_through(unfinished, "the backup")
        _as_one_file(unfinished)
        _keep(unfinished, path)
    return path.stat().st_size


def restore(path: Path, target: Engine, progress: Progress) -> dict[str, int]:
    """Bring a backup back into an empty database, with the schema of today; how many rows each table has.

    The backup is looked through before anything is written, and the rows are compared afterwards.
    """
    with TemporaryDirectory(prefix="kvmperf-") as folder:
        copy = Path(folder) / "copy.db"
        _refuse_strange(path)
        _copy_pages(path, copy)
        source = open_any(f"sqlite:///{copy}")
        if schema_version(source) != HEAD:
            upgrade(source)
        _look_through(copy, str(path))
        upgrade(target)
        rows = transfer(source, target, progress)
        source.dispose()
    return rows


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise DatabaseError(f"{path}: there is something already", "name a new file; a backup replaces nothing")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise DatabaseError(f"{path.parent}: no folder that can be written to", "make it, or name another")


def _refuse_strange(path: Path) -> None:
    """Not a backup of ours, or one of a newer kvmperf."""
    engine = open_any(f"sqlite:///{path}")
    if not schema_version(engine):
        raise DatabaseError(f"{path}: no backup of kvmperf", "`kvmperf db backup FILE` makes one")
    engine.dispose()


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A place on the same disk, so that the finished file appears at once; cleared away if it is not finished."""
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        yield Path(folder) / path.name


def _copy_pages(source: Path, target: Path) -> None:
    """The pages of one moment; writers go on meanwhile, because the source is in WAL mode."""
    target.touch(mode=0o600)
    opened, copy = sqlite3.connect(address(source), uri=True), sqlite3.connect(target)
    try:
        opened.backup(copy)
    except sqlite3.Error as error:
        raise DatabaseError(f"{source}: {error}", "nothing was written") from error
    finally:
        opened.close()
        copy.close()


def _as_one_file(path: Path) -> None:
    """Out of WAL mode, so that it can be read where no file may be made beside it."""
    opened = sqlite3.connect(path)
    opened.execute("PRAGMA journal_mode=DELETE")
    opened.close()


def _look_through(path: Path, name: str) -> None:
    engine = open_any(f"sqlite:///{path}")
    problems = [one for one in check(engine) if one.is_problem]
    engine.dispose()
    if problems:
        raise DatabaseError(f"{name} is not sound: {problems[0].text}", "`kvmperf db check` lists what is wrong")


def _keep(unfinished: Path, path: Path) -> None:
    """On the disk before it has its name."""
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    os.link(unfinished, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
