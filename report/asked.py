"""A comparison asked for in plain words and numbers, for doors that know no statistics."""

from collections.abc import Sequence
from typing import Literal

from db.errors import UserError
from db.queries import Filters
from report.comparison import Request
from stats.policy import Policy

_UNITS: dict[str, Literal["boot", "run"]] = {"boot": "boot", "run": "run"}


def ask(revisions: Sequence[str], filters: Filters, vary: Sequence[str], margin: float, unit: str) -> Request:
    """The request that compares the first revision with each of the others; `margin` is a fraction."""
    if len(revisions) < 2:
        raise UserError("a comparison needs a base and at least one head", "name them: base=A&head=B")
    if not 0 <= margin < 1:
        raise UserError(f"{margin} is no margin", "a fraction from 0 to 1: 0.02 is 2%")
    if unit not in _UNITS:
        raise UserError(f"{unit!r} is no unit of replication", "boot or run")
    return Request(revisions[0], tuple(revisions[1:]), filters, tuple(vary), Policy(margin=margin, unit=_UNITS[unit]))
