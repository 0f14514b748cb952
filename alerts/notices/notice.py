"""What one notice says, frozen when it was queued: a message that is sent again says the same again. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What happened. Every sink may choose among them."""

    OPENED = "opened"
    CHANGED = "changed"  # later data confirmed, moved or extended it
    RECOVERED = "recovered"
    WITHDRAWN = "withdrawn"
    REOPENED = "reopened"
    MISSING = "missing"  # a series, host or test fell silent
    FAILING = "failing"  # tests newly fail or are newly skipped
    DIGEST = "digest"


IMMEDIATE = tuple(kind for kind in Kind if kind is not Kind.DIGEST)


@dataclass(frozen=True, slots=True)
class Moved:
    """One metric that changed. Levels in `unit`; `effect` and `ci` are ratios minus one; no interval: None."""

    benchmark: str
    case: str
    metric: str
    unit: str
    better: str
    host: str
    before: float
    after: float
    effect: float
    ci: tuple[float, float] | None = None

    @property
    def is_worse(self) -> bool:
        """Whether it moved away from its better direction."""
        return self.better in ("lower", "higher") and (self.effect > 0) == (self.better == "lower")


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell.

    `why` is one sentence; `moved` begins with the metric that names it; `base` is the last good revision and `head` the
    first bad one; `details` are lines for what is no change of a metric (silent hosts, failing tests); `cover` is the
    Message-ID of the cover letter it answers.
    """

    kind: Kind
    group: int
    at: datetime
    title: str
    why: str
    state: str = ""
    owner: str = ""
    base: str = ""
    head: str = ""
    base_full: str = ""
    head_full: str = ""
    moved: tuple[Moved, ...] = ()
    details: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    command: str = ""
    link: str = ""
    links: tuple[str, ...] = ()
    cover: str = ""

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """The programs it speaks of, in order of first mention."""
        return tuple(dict.fromkeys(one.benchmark for one in self.moved))


def to_json(notice: Notice) -> dict[str, Any]:  # Any: JSON
    """The notice as the outbox keeps it."""
    return {**asdict(notice), "kind": notice.kind.value, "at": notice.at.isoformat()}


def from_json(told: Mapping[str, Any]) -> Notice:  # Any: JSON
    """The notice that the outbox kept; what a later version added is passed over."""
    known = {name: value for name, value in told.items() if name in Notice.__slots__}
    moved = tuple(_moved(one) for one in told.get("moved", ()))
    lists = {name: tuple(told.get(name, ())) for name in ("details", "hosts", "links")}
    at = datetime.fromisoformat(told["at"])
    return Notice(**{**known, **lists, "kind": Kind(told["kind"]), "at": at, "moved": moved})


def worst_first(moved: Sequence[Moved]) -> tuple[Moved, ...]:
    """Regressions before improvements, larger effects first."""
    return tuple(sorted(moved, key=lambda one: (not one.is_worse, -abs(one.effect))))


def _moved(told: Mapping[str, Any]) -> Moved:  # Any: JSON
    known = {name: value for name, value in told.items() if name in Moved.__slots__}
    return Moved(**{**known, "ci": tuple(told["ci"]) if told.get("ci") else None})
