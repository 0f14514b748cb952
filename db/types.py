"""Column types that behave the same on SQLite and PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import DateTime, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

Floats: TypeAlias = NDArray[np.float64]


class Instant(TypeDecorator[datetime]):
    """An aware UTC time. Naive times are refused: nobody knows what they mean."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (interface)
        """Return the time in UTC, or refuse it."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"naive time {value!r}")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (interface)
        """Return the time aware: SQLite gives it back without its zone."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class PackedFloats(TypeDecorator[Floats]):
    """A row's iterations as one value: little-endian float64 bytes.

    One row a run keeps a trend at one row a point and a comparison free of a join per sample. On PostgreSQL,
    `float8[]` would take 20 bytes more a row and two to five times as long to read.
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Floats | Sequence[float] | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 (interface)
        """Return what the driver stores."""
        return None if value is None else np.asarray(value, dtype="<f8").tobytes()

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Floats | None:  # noqa: ARG002 (interface)
        """Return the iterations in order."""
        return None if value is None else np.frombuffer(value, dtype="<f8")
