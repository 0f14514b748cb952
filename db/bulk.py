"""Many rows at once: ids reserved in one step, rows inserted without asking for anything back."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text

from db import models

Row = Mapping[str, Any]  # Any: column values
_FEW = 8  # rows up to which a plain statement is quicker than COPY


def table_of(model: type[models.Base]) -> Table:
    """The table of a model."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 (declarative classes always have one)
    return table


def by_keys(connection: Connection) -> None:
    """Make PostgreSQL find rows by their keys for the rest of the transaction, also in tables that were empty.

    It plans the check of a foreign key once a session. Planned on an empty table, the check reads the table from its
    beginning each time, also when it has grown to a million rows.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL enable_seqscan = off"))


def reserve(connection: Connection, model: type[models.Base], count: int) -> range | list[int]:
    """Ids for so many new rows, ascending. Knowing them beforehand, rows that refer to each other go in in bulk.

    On SQLite the transaction holds the only write lock, so what follows the largest id is free; elsewhere the
    table's sequence hands them out.
    """
    if not count:
        return range(0)
    table = table_of(model)
    if connection.dialect.name == "postgresql":
        asked = text(  # the sequence is looked up once, and one row comes back
            "SELECT string_agg(CAST(nextval(of.name) AS text), ',') FROM generate_series(1, :count),"
            " (SELECT CAST(pg_get_serial_sequence(:name, 'id') AS regclass) AS name OFFSET 0) of"
        )
        told = connection.execute(asked, {"name": table.name, "count": count}).scalar_one()
        return sorted(map(int, told.split(",")))
    largest = connection.execute(select(func.max(table.c.id))).scalar() or 0
    return range(largest + 1, largest + count + 1)


def add_all(connection: Connection, model: type[models.Base], rows: Sequence[Row]) -> None:
    """Insert rows that all have the same columns. What they leave out gets the server's default, or nothing."""
    if not rows:
        return
    table = table_of(model)
    if connection.dialect.name == "postgresql" and len(rows) > _FEW:
        _copy(connection, table, rows)
    else:
        connection.execute(insert(table), list(rows))


def _copy(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """COPY saves what INSERT costs a row. It knows nothing of columns' types: values are prepared here."""
    names = list(rows[0])
    prepare = [table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for name in names]
    quoted = ", ".join(connection.dialect.identifier_preparer.quote(name) for name in names)
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 (an open transaction has one)
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({quoted}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([ready(row[n]) if ready else row[n] for n, ready in zip(names, prepare, strict=True)])
