"""Where in a stored output its numbers stand: the output is parsed again, and the lines are kept. Stores nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from ingest import parsers
from ingest.errors import FormatError
from ingest.records import Measurement, Output

LONGEST = 32 << 20  # bytes of one output that are parsed while somebody waits


@dataclass(frozen=True, slots=True)
class Asked:
    """A stored output and which of its runs is meant: `position` counts from 0 in the order of the parser."""

    files: Mapping[str, bytes]
    position: int
    source: str = ""
    command: str = ""
    exit_status: int | None = None
    started_at: float | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A number and the line that it was read from (1-based)."""

    line: int
    metric: str
    unit: str
    value: float
    iteration: int | None
    warmup: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """The lines of an output as parsers count them, and the numbers read from them; `problem` where none could be."""

    lines: tuple[str, ...]
    marks: tuple[Mark, ...]
    problem: str = ""


def read_again(asked: Asked) -> Reading:
    """What today's parsers read where. A newer parser may read other numbers than those stored."""
    if "stdout" not in asked.files:
        return Reading((), (), "a tree of files: its numbers stand in several of them")
    raw = asked.files["stdout"]
    text = raw.decode("utf-8", errors="replace").removeprefix("\ufeff")
    lines = tuple(text.split("\n"))
    if len(raw) > LONGEST:
        return Reading(lines, (), f"{len(raw) >> 20} MiB: too long to be parsed while you wait")
    try:
        records = parsers.parse(_output(asked, text))
    except FormatError as error:
        return Reading(lines, (), f"no parser reads it any more: {error}")
    if asked.position >= len(records):
        return Reading(
            lines, (), "today's parser finds fewer runs in it: `kvmperf reparse` brings the database up to it"
        )
    return Reading(lines, tuple(_mark(one) for one in records[asked.position].measurements if one.line))


def _output(asked: Asked, text: str) -> Output:
    return Output(
        text=text,
        source=asked.source,
        command=asked.command or None,
        exit_status=asked.exit_status,
        started_at=asked.started_at,
        ended_at=asked.ended_at,
        stderr=asked.files.get("stderr", b"").decode("utf-8", errors="replace"),
    )


def _mark(one: Measurement) -> Mark:
    return Mark(one.line, one.series, one.unit.value, one.value, one.iteration, one.warmup)
