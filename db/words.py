"""The closed vocabularies of what is stored. The database checks them; every other part takes them from here.

Standard library only: the light client imports this without SQLAlchemy.
"""

from enum import StrEnum


class Status(StrEnum):
    """How one execution of a benchmark ended. Only `PASS` promises that its measurements are complete."""

    PASS = "pass"  # noqa: S105 (a word, not a password)
    FAIL = "fail"
    SKIP = "skip"
    TIMEOUT = "timeout"
    KILLED = "killed"


class Better(StrEnum):
    """The direction of a metric. `NONE`: a description (a count, a share) that is never judged."""

    LOWER = "lower"
    HIGHER = "higher"
    NONE = "none"


class Unit(StrEnum):
    """Base units. Values are converted at the door (ms to s, KiB to B); `stats.units` scales for display."""

    SECOND = "s"
    BYTE = "B"
    BYTE_PER_SECOND = "B/s"
    BIT_PER_SECOND = "bit/s"
    PAGE = "pages"
    PAGE_PER_SECOND = "pages/s"
    PAGE_PER_SECOND_VCPU = "pages/s/vcpu"
    OPERATION_PER_SECOND = "ops/s"
    CYCLE = "cycles"
    COUNT = "count"
    RATIO = "ratio"


class Scope(StrEnum):
    """What a token of the HTTP interface may do."""

    UPLOAD = "upload"
    READ = "read"
    TRIAGE = "triage"


class AlertKind(StrEnum):
    """What a group of alerts says. Only the first two come from steps of numbers and are worth waking someone."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    HOST_CHANGE = "host change"  # a step exactly where the host state changes: shown, never a regression
    MISSING_DATA = "missing data"
    FAILING_TEST = "failing test"
    NEWLY_SKIPPED = "newly skipped"


class Evidence(StrEnum):
    """How far what an alert says can be trusted, by the data alone."""

    CANDIDATE = "candidate"
    CONFIRMED = "confirmed"
    TRANSIENT = "transient"  # it came back before it was confirmed
    NOISY = "noisy"  # the time series does that by itself
    WITHDRAWN = "withdrawn"  # later data do not show it any more


class Triage(StrEnum):
    """What people have said about an alert."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    EXPECTED = "expected"
    FIXED = "fixed"
    INVALID = "invalid"
    REOPENED = "reopened"


class Delivery(StrEnum):
    """What became of a notification."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"  # given up; shown until someone sends it again
