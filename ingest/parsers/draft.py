"""A record in the making: what a scan of one run collects before its status is known."""

from dataclasses import dataclass, field
from typing import Final

from ingest.parsers.lines import Line, Stripped
from ingest.records import Better, Measurement, Param, Unit

# `1.234567890s`; the corrupted `-3.-672213074s` matches too, to be refused by `add_seconds`
SECONDS: Final = r"-?\d{1,12}\.-?\d{1,9}"
_SECOND, _COUNT, _LOWER = Unit.SECOND, Unit.COUNT, Better.LOWER
MAX_RUNS: Final = 10_000


class TooManyRunsError(Exception):
    """A text with more runs than anybody captures in one file: stop before it costs minutes."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass(slots=True)
class Draft:
    """Facts and numbers of one run, in the order of its lines.

    `is_begun`: the first line that the program prints was there. `is_finished`: so was the last. `is_elided`: an author
    left lines out. `is_broken`: the program printed numbers that cannot be. `first_line` is where the run begins in
    the text.
    """

    first_line: int = 1
    params: dict[str, Param] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    is_begun: bool = False
    is_finished: bool = False
    is_elided: bool = False
    is_broken: bool = False
    stripped: set[Stripped] = field(default_factory=set)
    last_stripped: Stripped = Stripped.NOTHING

    def add(self, line: Line, measurement: Measurement) -> None:
        """Keep a measurement that stands on the line."""
        self.see(line)
        self.measurements.append(measurement)

    def add_seconds(
        self, line: Line, metric: str, text: str, iteration: int | None = None, phase: str = "", better: Better = _LOWER
    ) -> None:
        """Keep a time as printed, in seconds; refuse one that cannot be, and say so."""
        if "-" in text:  # all else that SECONDS matches is a number
            self.is_broken = True
            self.warn(f"Line {line.number} prints the time {text}s, which cannot be: it was left out.")
            return
        if line.stripped is not self.last_stripped:
            self.see(line)
        self.measurements.append(
            Measurement(metric, _SECOND, better, float(text), iteration, phase, False, line.number)
        )

    def add_count(self, line: Line, metric: str, text: str, better: Better, **place: int | str | None) -> None:
        """Keep a count; `place` is its iteration and phase."""
        iteration, phase = place.get("iteration"), place.get("phase", "")
        number = iteration if isinstance(iteration, int) else None
        self.add(line, Measurement(metric, _COUNT, better, float(text), number, str(phase or ""), line=line.number))

    def see(self, line: Line) -> None:
        """Remember what had to be taken off a line that meant something."""
        if line.stripped is not self.last_stripped:  # hashing a flag is slow, and lines come in rows of the same kind
            self.last_stripped = line.stripped
            self.stripped.add(line.stripped)

    def warn(self, sentence: str) -> None:
        """Add a sentence for the reader, once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    @property
    def is_excerpt(self) -> bool:
        """Whether an author shows a part of an output rather than a program having stopped in the middle."""
        return self.is_elided or not self.is_begun


def begin(drafts: list[Draft], line: Line, *, is_begun: bool = False) -> Draft:
    """A new run that begins at the line, added to the others."""
    if len(drafts) >= MAX_RUNS:
        raise TooManyRunsError(line.number)
    drafts.append(Draft(first_line=line.number, is_begun=is_begun))
    return drafts[-1]
