"""Long lists of ids in statements: written into the text, in parts that an engine takes."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Dialect, bindparam, false
from sqlalchemy.types import UserDefinedType

_CHUNK = 50_000  # ids in one statement
_DIGEST = re.compile(r"[0-9a-f]{64}")


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


def is_one_digest_of(column: Any, digests: Sequence[str]) -> Any:  # Any: as above
    """Whether a column is one of these SHA-256 digests, written into the text as numbers are."""
    if not digests:
        return false()
    if not all(map(_DIGEST.fullmatch, digests)):
        raise ValueError("not all of these are digests")
    listed = f"""({",".join(f"'{one}'" for one in digests)})"""
    return column.op("IN", is_comparison=True)(bindparam(None, listed, type_=_Written(), literal_execute=True))


class _Written(UserDefinedType[str]):
    """A list of numbers or digests that is put into a statement as it is."""

    cache_ok = True

    def literal_processor(self, dialect: Dialect) -> Callable[[str], str]:  # noqa: ARG002 - as SQLAlchemy calls it
        """No quotes."""
        return str
