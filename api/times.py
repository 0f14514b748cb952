"""Points in time as requests give them."""

from datetime import UTC, datetime

from api.errors import ApiError


def in_utc(name: str, told: datetime) -> datetime:
    """A time with its zone, in UTC; 422 for one without, and for one that lies outside of the calendar there."""
    example = "2026-11-01T00:00:00Z"
    if told.tzinfo is None:
        raise ApiError(422, f"{name}: a time without its zone", example)
    try:
        return told.astimezone(UTC)
    except OverflowError as error:
        raise ApiError(422, f"{name}: before the first day of the calendar, or after the last", example) from error
