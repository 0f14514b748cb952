"""What a parser receives and returns. Parsers import this module and nothing else of ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from db.words import Better, Status, Unit
from ingest.errors import FormatError, UnknownFormatError

__all__ = [
    "Better",
    "Format",
    "FormatError",
    "Measurement",
    "Output",
    "Param",
    "Record",
    "Status",
    "Unit",
    "UnknownFormatError",
]

Param = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Output:
    """Everything known about one captured execution: its text and the files that lay beside it.

    `exit_status` follows the shell (128+N: killed by signal N; 124: `timeout` ended it). `started_at` and `ended_at`
    are epoch seconds. `source` is the path or name shown to people. None means "not captured", never zero. `files`
    are those of a program that leaves a folder behind (MMTests), by their path in it; `text` is empty then.
    """

    text: str
    source: str = "<stdin>"
    command: str | None = None
    exit_status: int | None = None
    started_at: float | None = None
    ended_at: float | None = None
    stderr: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)


class Measurement(NamedTuple):
    """One number that a program printed, in base units.

    `metric` is the program's quantity (`dirty_memory_time`), `iteration` the program's own round number, or None for
    a number printed once. `phase` tells apart rounds that are different experiments (`round1`, before
    write-protection, is not `round2`): metric and phase together name the time series, rounds of one phase are
    repetitions. `warmup` marks a value that is kept and never judged. `line` is 1-based in the text. A tuple, because
    long outputs hold hundreds of thousands of them and a frozen dataclass takes four times as long to make.
    """

    metric: str
    unit: Unit
    better: Better
    value: float
    iteration: int | None = None
    phase: str = ""
    warmup: bool = False
    line: int = 0

    @property
    def series(self) -> str:
        """The name of the time series: metric, a point, phase."""
        return f"{self.metric}.{self.phase}" if self.phase else self.metric


@dataclass(frozen=True, slots=True)
class Record:
    """One execution of one benchmark as its output tells it.

    `benchmark` is `suite/program` (`kvm-selftests/dirty_log_perf_test`). `params` identify the test case: what was
    asked of the program, defaults filled in where the program documents them, never what varies by itself (seeds,
    addresses). `labels` are facts worth keeping that identify nothing. `warnings` are whole sentences for a reader.
    `reported` is true for text out of a mail. A record whose status is not `PASS` keeps only measurements that were
    complete for their metric.
    """

    benchmark: str
    format: str
    status: Status
    command: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    reported: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the registry: `recognises` is cheap and never raises; `parse` raises FormatError.

    `version` grows by one whenever the parser's answer for some text changes; it is stored with each run.
    """

    name: str
    version: int
    recognises: Callable[[Output], bool]
    parse: Callable[[Output], list[Record]]
