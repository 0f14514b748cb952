"""tests-timestamp: the authority on what ran in an iteration, whether it ended, and how."""

import re
from dataclasses import dataclass, field

_EVENT = re.compile(r"test (?P<what>begin|end) :: (?P<name>\S{1,200}) (?P<at>\d{1,12})(?: (?P<status>\d{1,5}))?\s*")
_FRAME = re.compile(r"(?P<what>start|finish) :: (?P<at>\d{1,12})\s*")
_TIME = re.compile(
    r"time :: (?P<name>\S{1,200}) (?P<user>\d{1,12}(?:\.\d{1,6})?) user (?P<system>\d{1,12}(?:\.\d{1,6})?) system "
    r"(?P<elapsed>\d{1,12}(?:\.\d{1,6})?) elapsed\s*"
)
FILE = "tests-timestamp"


@dataclass(slots=True)
class Test:
    """One benchmark in one iteration. `begins` and `ends` are epoch seconds; `is_open`: its last event is a begin."""

    begins: list[int] = field(default_factory=list)
    ends: list[tuple[int, int]] = field(default_factory=list)
    seconds: list[dict[str, float]] = field(default_factory=list)
    is_open: bool = False

    @property
    def exit_status(self) -> int | None:
        """The last exit status; None when the benchmark never ended."""
        return None if self.is_open or not self.ends else self.ends[-1][1]

    @property
    def started_at(self) -> int | None:
        """When the benchmark began for the last time."""
        return self.begins[-1] if self.begins else None

    @property
    def ended_at(self) -> int | None:
        """When it ended, unless that is unknown or before it began."""
        if self.exit_status is None or not self.ends or (self.begins and self.ends[-1][0] < self.begins[-1]):
            return None
        return self.ends[-1][0]


@dataclass(slots=True)
class Timestamps:
    """The events of one iteration, in order."""

    started_at: int | None = None
    finished_at: int | None = None
    tests: dict[str, Test] = field(default_factory=dict)


def read(text: str) -> Timestamps:
    """The events of a tests-timestamp; lines that are none (a second run-mmtests tears some) are passed over."""
    found = Timestamps()
    for line in text.split("\n"):
        if (frame := _FRAME.fullmatch(line)) is not None:
            if frame["what"] == "start":
                found.started_at = int(frame["at"])
            else:
                found.finished_at = int(frame["at"])
        elif (event := _EVENT.fullmatch(line)) is not None:
            _take(found.tests.setdefault(event["name"], Test()), event)
        elif (time := _TIME.fullmatch(line)) is not None:
            words = ("user", "system", "elapsed")
            found.tests.setdefault(time["name"], Test()).seconds.append({word: float(time[word]) for word in words})
    return found


def of_one(text: str, benchmark: str) -> str:
    """The lines about one benchmark."""
    about = (line for line in text.split("\n") if f" :: {benchmark} " in line)
    return "".join(f"{line}\n" for line in about)


def _take(test: Test, event: re.Match[str]) -> None:
    test.is_open = event["what"] == "begin"
    if test.is_open:
        test.begins.append(int(event["at"]))
    elif event["status"] is not None:
        test.ends.append((int(event["at"]), int(event["status"])))
    else:
        test.is_open = True  # an end without a status was cut off
