"""Columns that the engine joins: many rows come as one text or one run of bytes, without a Python object for each.

Aggregates of one statement join the rows in one order, whichever it is.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, String, cast, func, literal_column, type_coerce
from sqlalchemy.types import LargeBinary

from db.types import Floats
from db.values import IntArray

_COMMA: ColumnElement[str] = literal_column("','")


def text_of(connection: Connection, column: Any) -> Any:  # Any: typed columns and functions have no short name
    """The aggregate that joins a column of numbers or short texts, with commas."""
    if connection.dialect.name == "sqlite":
        return func.group_concat(column, _COMMA)
    return func.string_agg(cast(column, String), _COMMA)


def bytes_of(connection: Connection, column: Any) -> Any:  # Any: as above
    """The aggregate that joins a column of packed values; `floats` reads what it gives.

    SQLite joins texts only, and takes bytes for text as they are, zeros and all, where its texts are UTF-8 (they are
    unless somebody made the file otherwise). Hexadecimal digits, which are safe everywhere, take three times as long.
    """
    stored = type_coerce(column, LargeBinary)
    if connection.dialect.name != "sqlite":
        return func.string_agg(stored, literal_column("''::bytea"))
    if connection.exec_driver_sql("PRAGMA encoding").scalar() != "UTF-8":
        return func.group_concat(func.hex(stored), literal_column("''"))
    return cast(func.group_concat(stored, literal_column("''")), LargeBinary)


def integers(texts: Sequence[str]) -> IntArray:
    """All numbers of joined texts, end to end."""
    return np.fromstring(",".join(texts), dtype=np.int64, sep=",")


def floats(parts: Sequence[bytes | str], count: int) -> Floats:
    """All values of joined bytes, end to end; they must be so many."""
    packed = b"".join(bytes.fromhex(part) if isinstance(part, str) else part for part in parts)
    if len(packed) != 8 * count:
        raise RuntimeError(f"the database joined {len(packed)} bytes where {count} values are stored")
    return np.frombuffer(packed, dtype="<f8")
