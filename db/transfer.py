"""Everything of one database into another, empty one, on either engine; compared row by row before it is committed."""

import hashlib
import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from sqlalchemy import JSON, Column, Connection, Engine, String, Table, Text, cast, func, select, text, type_coerce
from sqlalchemy.types import LargeBinary

from db.engine import reading, writing
from db.errors import DatabaseError
from db.models import Base
from db.nul import shown
from db.types import PackedFloats

_BATCH = 5_000
Row = Sequence[Any]  # Any: column values
Progress = Callable[[str, str, int, int], None]  # copied or compared, table, rows so far, rows of the table


def transfer(source: Engine, target: Engine, progress: Progress) -> dict[str, int]:
    """Copy every row and compare it; how many rows each table has. All of it, or nothing.

    The source is read as it is at one moment, also while others write. The target must have this schema and no rows:
    an interrupted copy leaves it so.
    """
    with reading(source) as old, writing(target) as new:
        _alone(new)
        _refuse_rows(new)
        rows = {table.name: _copied(old, new, table, progress) for table in tables()}
        for table in tables():
            _compare(old, new, table, progress, rows[table.name])
        _continue_numbers(new)
    return rows


def tables() -> list[Table]:
    """All tables, each after those that it refers to."""
    return list(Base.metadata.sorted_tables)


def checksum(row: Row) -> bytes:
    """A digest of a row's values, the same on both engines, to the last bit of a number."""
    return hashlib.blake2b(b"\0".join(map(_plain, row)), digest_size=16).digest()


def rows_of(connection: Connection, table: Table) -> Iterator[Row]:
    """The rows of a table in the order of its key, in the columns' order, with documents and arrays as stored."""
    key = [_in_order(column, connection) for column in table.primary_key]
    wanted = select(*map(_raw, table.columns)).order_by(*key)
    for part in connection.execute(wanted.execution_options(stream_results=True, yield_per=_BATCH)).partitions():
        yield from part


def _in_order(column: Column[Any], connection: Connection) -> Any:  # Any: a column of any type
    """Texts in the order of their characters' numbers, as SQLite has them, whatever language PostgreSQL sorts by."""
    is_text = connection.dialect.name == "postgresql" and isinstance(column.type, String)
    return column.collate("C") if is_text else column


def _raw(column: Column[Any]) -> Any:  # Any: a column of any type
    if isinstance(column.type, JSON):
        return cast(column, Text)
    return type_coerce(column, LargeBinary) if isinstance(column.type, PackedFloats) else column


def _alone(connection: Connection) -> None:
    """Keep other writers out of the target; SQLite does so by itself."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(connection.dialect.identifier_preparer.format_table(table) for table in tables())
        connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


def _refuse_rows(connection: Connection) -> None:
    held = [table.name for table in tables() if connection.execute(select(table).limit(1)).first() is not None]
    if held:
        raise DatabaseError(
            f"the target is not empty: it has rows in {', '.join(held[:3])}{' and others' if len(held) > 3 else ''}",
            "name a database without data; nothing was changed",
        )


def _copied(old: Connection, new: Connection, table: Table, progress: Progress) -> int:
    total = old.execute(select(func.count()).select_from(table)).scalar_one()
    done = 0
    batch: list[Row] = []
    for row in rows_of(old, table):
        batch.append(row)
        if len(batch) == _BATCH:
            _insert(new, table, batch)
            done += len(batch)
            batch = []
            progress("copied", table.name, done, total)
    if batch:
        _insert(new, table, batch)
    progress("copied", table.name, total, total)
    return total


def _insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    prepare = [_bound(column, connection) for column in table.columns]
    ready = [[one(value) if one else value for one, value in zip(prepare, row, strict=True)] for row in rows]
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(column.name) for column in table.columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        connection.exec_driver_sql(
            f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks})",  # noqa: S608 (names of ours)
            [tuple(row) for row in ready],
        )
        return
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 (an open transaction has one)
    with driver.cursor() as cursor, cursor.copy(f"COPY {quote(table.name)} ({names}) FROM STDIN") as copy:
        for row in ready:
            copy.write_row(row)


def _bound(column: Column[Any], connection: Connection) -> Callable[[Any], Any] | None:
    """What makes a value ready for the driver; documents and arrays are as they are stored."""
    if isinstance(column.type, JSON | PackedFloats):
        return None
    return column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)


def _compare(old: Connection, new: Connection, table: Table, progress: Progress, total: int) -> None:
    pairs = zip_longest(rows_of(old, table), rows_of(new, table))
    for number, (before, after) in enumerate(pairs, start=1):
        if before is None or after is None or checksum(before) != checksum(after):
            keys = dict(zip(table.columns.keys(), before or after or (), strict=False))
            key = ", ".join(f"{column.name} {keys[column.name]}" for column in table.primary_key)
            raise DatabaseError(f"{table.name} ({key}): not the same after copying", "nothing was kept of the copy")
        if number % _BATCH == 0:
            progress("compared", table.name, number, total)
    progress("compared", table.name, total, total)


def _continue_numbers(connection: Connection) -> None:
    """New rows get ids after the largest one; SQLite looks at the table itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables():
        if _has_numbers(connection, table):
            largest = connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
            setting = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :next, false)")
            connection.execute(setting, {"name": table.name, "next": largest + 1})


def _has_numbers(connection: Connection, table: Table) -> bool:
    asked = text("SELECT pg_get_serial_sequence(:name, 'id')")
    return "id" in table.c and connection.execute(asked, {"name": table.name}).scalar() is not None


def _plain(value: Any) -> bytes:
    """A value of any type as bytes that tell its kind. Integers and booleans are one: SQLite has no booleans."""
    if isinstance(value, float):
        return b"f" + struct.pack("<d", value)
    if isinstance(value, bytes | memoryview):
        return b"b" + hashlib.blake2b(value, digest_size=16).digest()
    if isinstance(value, datetime):
        return b"t" + value.astimezone(UTC).isoformat().encode()
    if isinstance(value, str):
        return b"s" + shown(value).encode()
    return b"n" if value is None else b"i%d" % value
