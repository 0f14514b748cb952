"""Logs of the kselftest runner (`make run_tests`, run_kselftest.sh): cut into programs, each read by its own parser.

When the runner's output goes to a file, what the programs print can come after all verdicts, its beginning lost:
those lines are read without a verdict.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.parsers import any_selftest, program
from ingest.parsers.draft import MAX_RUNS
from ingest.parsers.lines import Line, clean, sample
from ingest.parsers.program import Program
from ingest.records import Format, FormatError, Output, Record

NAME = "kselftest"
VERSION = 1
_MARK = "selftests: "
_HEADER = re.compile(r"selftests: (?P<suite>[\w/-]{1,40}): (?P<name>[\w.-]{1,80})\Z")
_VERDICT = re.compile(
    r"(?P<bad>not )?ok \d{1,6} selftests: [\w/-]{1,40}: (?P<name>[\w.-]{1,80})"
    r"(?: # (?P<why>SKIP|TIMEOUT|exit=\d{1,3})\b.*)?\Z"
)


@dataclass(slots=True)
class _Segment:
    """The lines of one program; `name` "" before the first program and after a verdict."""

    name: str
    suite: str
    lines: list[Line]
    verdict: re.Match[str] | None = None


def make_format(programs: Sequence[Program]) -> Format:
    """The registry row; `programs` are those that the log's parts can be read with."""
    by_name = {one.name: one for one in programs}
    return Format(name=NAME, version=VERSION, recognises=_recognises, parse=lambda output: _parse(output, by_name))


def _recognises(output: Output) -> bool:
    text = sample(output.text)
    return _MARK in text and (": kvm: " in text or "ok " in text)


def _parse(output: Output, programs: Mapping[str, Program]) -> list[Record]:
    segments = list(_segments(clean(output.text)))
    named = [segment for segment in segments if segment.name and segment.suite == "kvm"]
    if not named:
        raise FormatError(output.source, 0, "a kselftest log without any KVM selftest", "pass a log of `-c kvm`")
    if len(named) > MAX_RUNS:
        raise FormatError(
            output.source, 0, f"more than {MAX_RUNS} runs in one log", "capture one round of tests per file"
        )
    records: list[Record] = []
    for segment in segments:
        if segment.name and segment.suite == "kvm":
            records += _read(segment, output, programs, is_last=segment is segments[-1])
        elif not segment.name:
            records += _leftover(segment, output, programs)
    return records


def _segments(lines: Sequence[Line]) -> Iterator[_Segment]:
    current = _Segment("", "", [])
    for line in lines:
        header = _HEADER.match(line.text) if line.text.startswith(_MARK) else None
        verdict = _VERDICT.match(line.text) if _MARK in line.text and header is None else None
        if header is not None:
            yield current
            current = _Segment(header["name"], header["suite"], [])
        current.lines.append(line)
        if verdict is not None and verdict["name"] == current.name:
            current.verdict = verdict
            yield current
            current = _Segment("", "", [])
    yield current


def _read(segment: _Segment, output: Output, programs: Mapping[str, Program], *, is_last: bool) -> list[Record]:
    """The runner's exit status says nothing about a program, except that the last one was cut off with it."""
    ended_by_force = output.exit_status is not None and (output.exit_status == 124 or output.exit_status > 128)
    status = _exit_status(segment.verdict) if segment.verdict else None
    if segment.verdict is None and is_last and ended_by_force:
        status = output.exit_status
    part = Output(text="", source=output.source, exit_status=status)
    known = programs.get(segment.name)
    if known is not None:
        return program.parse_lines(known, segment.lines, part)
    return any_selftest.parse_as(segment.name, segment.lines, part)


def _exit_status(verdict: re.Match[str]) -> int | None:
    why = verdict["why"] or ""
    if why == "SKIP":
        return 4
    if why == "TIMEOUT":
        return None  # the text has the limit
    if why.startswith("exit="):
        return int(why.removeprefix("exit="))
    return 1 if verdict["bad"] else 0


def _leftover(segment: _Segment, output: Output, programs: Mapping[str, Program]) -> list[Record]:
    text = "\n".join(line.text for line in segment.lines)
    part = Output(text=text, source=output.source)
    found: list[Record] = []
    for known in programs.values():
        if program.recognises(known, part):
            found += program.parse_lines(known, segment.lines, part)
    return [_without_place(record) for record in found if record.measurements]


def _without_place(record: Record) -> Record:
    why = "These lines stand apart from the runner's verdicts: which run they belong to is a guess."
    return replace(record, warnings=(*record.warnings, why))
