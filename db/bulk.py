"""Many rows at once: ids reserved in one step, rows inserted without asking for anything back."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text

from db import models

Row = Mapping[str, Any]  # Any: column values


def table_of(model: type[models.Base]) -> Table:
    """The table of a model."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 (declarative classes always have one)
    return table


def reserve(connection: Connection, model: type[models.Base], count: int) -> range | list[int]:
    """Ids for so many new rows, ascending. Knowing them beforehand, rows that refer to each other go in in bulk.

    On SQLite the transaction holds the only write lock, so what follows the largest id is free; elsewhere the
    table's sequence hands them out.
    """
    if not count:
        return range(0)
    table = table_of(model)
    if connection.dialect.name == "postgresql":
        asked = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
        return sorted(connection.execute(asked, {"name": table.name, "count": count}).scalars())
    largest = connection.execute(select(func.max(table.c.id))).scalar() or 0
    return range(largest + 1, largest + count + 1)


def add_all(connection: Connection, model: type[models.Base], rows: Sequence[Row]) -> None:
    """Insert rows that all have the same columns."""
    if rows:
        connection.execute(insert(table_of(model)), list(rows))
