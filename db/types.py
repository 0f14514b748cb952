"""Column types that behave the same on SQLite and PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import DateTime, Dialect, Double, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeDecorator, TypeEngine

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
    """A row's iterations as one value: little-endian float64 bytes on SQLite, `float8[]` on PostgreSQL.

    One row a run keeps a trend at one row a point and a comparison free of a join per sample.
    """

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(
        self, dialect: Dialect
    ) -> TypeEngine[Any]:  # Any: the two storage types have no common element
        """Return the storage type of the engine."""
        storage: TypeEngine[Any] = ARRAY(Double) if dialect.name == "postgresql" else LargeBinary()
        return dialect.type_descriptor(storage)

    def process_bind_param(
        self, value: Floats | Sequence[float] | None, dialect: Dialect
    ) -> bytes | list[float] | None:
        """Return what the driver stores."""
        if value is None:
            return None
        floats = np.asarray(value, dtype="<f8")
        return cast("list[float]", floats.tolist()) if dialect.name == "postgresql" else floats.tobytes()

    def process_result_value(self, value: bytes | list[float] | None, dialect: Dialect) -> Floats | None:  # noqa: ARG002 (interface)
        """Return the iterations in order."""
        if value is None:
            return None
        return np.frombuffer(value, dtype="<f8") if isinstance(value, bytes) else np.asarray(value, dtype=np.float64)
