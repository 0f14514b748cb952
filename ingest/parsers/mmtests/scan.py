"""What the readers of the benchmarks collect: samples of operations in their printed unit, and what was amiss."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.records import FormatError

NUMBER = r"-?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,2})?"
_NUMBER = re.compile(NUMBER)
MAX_OPERATIONS = 20_000


class Sample(NamedTuple):
    """One printed number: its text, and MMTests' interval where that is a whole number."""

    text: str
    interval: int | None = None


class Operation(NamedTuple):
    """What a time series is in MMTests: `time-4`. `phase` tells apart experiments that MMTests throws together."""

    name: str
    phase: str = ""


@dataclass(slots=True)
class Scan:
    """Samples in the order of operations and intervals; `printed_units` by an operation's first word (netperf)."""

    source: str
    samples: dict[Operation, list[Sample]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    incomplete: set[str] = field(default_factory=set)
    printed_units: dict[str, str] = field(default_factory=dict)

    def add(self, operation: str, text: str, interval: int | None = None, *, phase: str = "") -> None:
        """Keep one printed number; a word that is none is left out, as MMTests does, and said."""
        if not is_number(text):
            self.warn(f"{operation}: {text[:40]!r} is no number and was left out.")
            return
        key = Operation(operation, phase)
        if key not in self.samples and len(self.samples) >= MAX_OPERATIONS:
            raise FormatError(self.source, 0, f"more than {MAX_OPERATIONS} operations", "these are no MMTests logs")
        self.samples.setdefault(key, []).append(Sample(text, interval))

    def warn(self, sentence: str) -> None:
        """Add a sentence for the reader, once, and not without end."""
        if sentence not in self.warnings and len(self.warnings) < 20:
            self.warnings.append(sentence)

    def lacks(self, log: str, *operations: str) -> None:
        """A log without its result: the operations it belongs to are not complete."""
        self.missing.append(log)
        self.incomplete.update(operations)


def is_number(text: str) -> bool:
    """Whether a word is a finite decimal number."""
    return _NUMBER.fullmatch(text) is not None


def natural(text: str) -> tuple[tuple[int, float, str], ...]:
    """A sort key that puts `time-2` before `time-10`."""
    parts = re.split(r"(\d{1,15})", text)
    return tuple((0, float(part), "") if part.isdigit() else (1, 0.0, part) for part in parts if part)
