"""Long lists of ids in statements: written into the text, in parts that an engine takes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Dialect, bindparam, false
from sqlalchemy.types import UserDefinedType

_CHUNK = 50_000  # ids in one statement


def chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """The ids in parts, each for one statement."""
    return (ids[i : i + _CHUNK] for i in range(0, len(ids), _CHUNK))


def is_one_of(column: Any, ids: Sequence[int]) -> Any:  # Any: typed columns and conditions have no short name
    """Whether a column is one of these ids, which are written into the text when it is sent: bound ones are limited.

    Numbers are safe there, and the statement is compiled once for all lists.
    """
    if not ids:
        return false()
    listed = f"({','.join(str(int(one)) for one in ids)})"
    return column.op("IN", is_comparison=True)(bindparam(None, listed, type_=_Written(), literal_execute=True))


class _Written(UserDefinedType[str]):
    """A list of numbers that is put into a statement as it is."""

    cache_ok = True

    def literal_processor(self, dialect: Dialect) -> Callable[[str], str]:  # noqa: ARG002 - as SQLAlchemy calls it
        """No quotes."""
        return str
