"""Stores what an upload holds: parsed with no transaction open, written in short ones, so that others never wait long.

What fits one transaction is stored all or not at all. A larger upload that is interrupted has stored its first
outputs, whole ones; sent again it stores the rest, and nothing twice.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, Engine

from db import uploads
from db.engine import in_transaction
from db.samples import without_collection
from db.values import NewCapture, Stored
from db.writes import Pair, Writer


class Store(Protocol):
    """What takes captures with their contexts, and says what became of each, in their order."""

    def store_all(self, pairs: Iterable[Pair]) -> Iterator[Stored]:
        """Store captures as they come."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What one transaction writes at most: about a second's work, and a fraction of the memory that an upload may take.

    A single output that is larger goes in alone.
    """

    captures: int = 1000
    values: int = 100_000
    raw_bytes: int = 16 << 20


ONE_WRITE = Portion()


class Batches:
    """Writes captures in portions, each in a transaction of its own; reading and parsing happen between them.

    `begin` makes the row of the upload in the first transaction, or finds that of an earlier try that was interrupted.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        origin: str,
        begin: Callable[[Connection], int] | None = None,
        portion: Portion = ONE_WRITE,
    ) -> None:
        self._engine, self._origin = engine, origin
        self._begin = begin
        self._portion = portion
        self._upload_id: int | None = None
        self._before: set[str] = set()

    def store_all(self, pairs: Iterable[Pair]) -> Iterator[Stored]:
        """Store captures as they come; what became of each, in their order, once it is committed."""
        waiting: list[Pair] = []
        values = size = 0
        for pair in pairs:
            waiting.append(pair)
            values += _values(pair[1])
            size += sum(map(len, pair[1].files.values()))
            if (
                len(waiting) >= self._portion.captures
                or values > self._portion.values
                or size > self._portion.raw_bytes
            ):
                yield from self._write(waiting)
                waiting, values, size = [], 0, 0
        yield from self._write(waiting)

    def upload_id(self, connection: Connection) -> int:
        """The row of this upload, made where there is none yet."""
        if self._upload_id is None and self._begin is not None:
            self._upload_id = self._begin(connection)
            self._before = uploads.identities(connection, self._upload_id)
        return self._upload_id or 0

    def _write(self, waiting: list[Pair]) -> list[Stored]:
        if not waiting:
            return []
        known = self._upload_id, frozenset(self._before)

        def write(connection: Connection) -> tuple[int | None, list[Stored]]:
            self._upload_id, self._before = known[0], set(known[1])  # as they were, where this is not the first try
            upload_id = self.upload_id(connection) or None
            writer = Writer(connection, origin=self._origin, upload_id=upload_id, before=self._before)
            stored = list(writer.store_all(waiting))
            return writer.upload_id, stored

        with without_collection():
            self._upload_id, stored = in_transaction(self._engine, write)
        return stored


def _values(capture: NewCapture) -> int:
    return sum([one.values.size for run in capture.runs for one in run.measurements])
