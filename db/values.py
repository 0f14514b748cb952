"""What goes into the database and comes out of it: frozen values, no rows, no sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from db.origin import CaptureContext as CaptureContext  # noqa: PLC0414 (values of one kind are found in one place)
from db.origin import RevisionFacts as RevisionFacts  # noqa: PLC0414
from db.types import Floats

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NewMeasurement:
    """The values of one metric in one run, in order; the first `warmup` of them are never judged."""

    metric: str
    unit: str
    better: str
    values: Floats
    warmup: int = 0


@dataclass(frozen=True, slots=True)
class NewRun:
    """One run to be stored."""

    benchmark: str
    params: Mapping[str, object]
    status: str
    format: str
    format_version: int
    measurements: tuple[NewMeasurement, ...]
    warnings: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    reported: bool = False


@dataclass(frozen=True, slots=True)
class NewCapture:
    """One captured output with the runs that were read from it; none and a reason where it is quarantined.

    `parsed_with` names the parsers that looked at it.
    """

    source: str
    files: Mapping[str, bytes]
    command: str | None = None
    exit_status: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    runs: tuple[NewRun, ...] = ()
    quarantined: str = ""
    parsed_with: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one capture. `outcome`: stored, duplicate, quarantined or unreadable."""

    source: str
    outcome: str
    runs: int = 0
    measurements: int = 0
    values: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """A stored revision. `name` is the shortest unambiguous way to say it; `order` sorts revisions in time."""

    id: int
    kernel: str
    commit: str
    label: str
    subject: str
    committed_at: datetime | None
    first_seen_at: datetime
    series: str = ""
    version: int | None = None
    patch: int | None = None

    @property
    def name(self) -> str:
        """What people call it: series position, label, short commit, or kernel release."""
        if self.series:
            return f"{self.series}@v{self.version}" + (
                "~base" if self.patch == 0 else f"/{self.patch}" if self.patch else ""
            )
        return self.label or self.commit[:12] or self.kernel or f"revision-{self.id}"

    @property
    def order(self) -> tuple[float, str, int, int, int]:
        """Sorts by commit time where known, else by the first measurement; within a patch series by patch."""
        when = (self.committed_at or self.first_seen_at).timestamp()
        if self.series:
            return (0.0, self.series, self.version or 0, self.patch or 0, self.id)
        return (when, "", 0, 0, self.id)


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A time series in words."""

    id: int
    host: str
    benchmark: str
    test_case_id: int
    params: Mapping[str, str | int | float | bool]
    metric: str
    unit: str
    better: str


@dataclass(frozen=True, slots=True)
class SampleTable:
    """Measurements as columns, one entry per (time series, run), ordered by time series, revision, boot, run.

    `values` holds the iterations of all entries end to end, `counts` how many belong to each entry (warm-up left
    out). `boot` is -1 and `state` -1 where unknown; `started` is epoch seconds or NaN.
    """

    series: IntArray
    run: IntArray
    revision: IntArray
    boot: IntArray
    state: IntArray
    started: Floats
    counts: IntArray
    values: Floats


@dataclass(frozen=True, slots=True)
class RunCount:
    """How many runs of a test case on a host ended in which way at a revision."""

    revision_id: int
    host: str
    benchmark: str
    test_case_id: int
    params: Mapping[str, str | int | float | bool]
    status: str
    runs: int


@dataclass(frozen=True, slots=True)
class BootRow:
    """A boot of a host with what was measured in it."""

    id: int
    host: str
    boot_id: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A capture that no parser could read."""

    capture_id: int
    source: str
    host: str
    received_at: datetime
    reason: str
    size: int
