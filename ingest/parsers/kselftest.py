"""Logs of the kselftest runner (`make run_tests`, run_kselftest.sh): cut into programs, each read by its own parser.

When the runner's output goes to a file, what the programs print can come after all verdicts, its beginning lost:
those lines are read without a verdict.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.parsers import any_selftest, commandline, program
from ingest.parsers.draft import MAX_RUNS
from ingest.parsers.lines import Line, clean, sample
from ingest.parsers.program import Program
from ingest.records import Format, FormatError, Output, Record, Status

NAME = "kselftest"
VERSION = 3
_MARK = "selftests: "
_HEADER = re.compile(r"selftests: (?P<suite>[\w/-]{1,40}): (?P<name>[\w.-]{1,80})\Z")
_VERDICT = re.compile(
    r"(?P<bad>not )?ok \d{1,6} selftests: [\w/-]{1,40}: (?P<name>[\w.-]{1,80})"
    r"(?: # (?P<why>SKIP|TIMEOUT|exit=\d{1,3})\b.*)?(?:\s*\[ *\d{1,9}\.\d{6}\].*)?\Z"
)
# what the kernel writes onto a serial console, before what the runner was just printing
_CONSOLE = re.compile(
    r"\[ *\d{1,9}\.\d{6}\] .*?(?=(?:# ?)?(?:not ok|(?<!not )(?<![\w])ok) \d{1,6} selftests: |# selftests: )"
)
_LIMIT = re.compile(r"(?:timeout set|overriding timeout) to (?P<limit>\d{1,9})\Z")
_LIMITS = ("timeout set", "overriding timeout")
_RUNNER = "run_kselftest.sh"
_HEAD = 1 << 16  # enough to tell what was printed in place of a log
_LISTED = re.compile(r"[\w/-]{1,40}:[\w.-]{1,80}\Z")


@dataclass(slots=True)
class _Segment:
    """The lines of one program; `name` "" before the first program and after a verdict."""

    name: str
    suite: str
    lines: list[Line]
    verdict: re.Match[str] | None = None
    limit: str = ""


def make_format(programs: Sequence[Program]) -> Format:
    """The registry row; `programs` are those that the log's parts can be read with."""
    by_name = {one.name: one for one in programs}
    return Format(name=NAME, version=VERSION, recognises=_recognises, parse=lambda output: _parse(output, by_name))


def _recognises(output: Output) -> bool:
    if output.command and commandline.invocation(output.command).program == _RUNNER:
        return True
    text = sample(output.text)
    return _MARK in text and (": kvm: " in text or "ok " in text)


def _parse(output: Output, programs: Mapping[str, Program]) -> list[Record]:
    segments = list(_segments(clean(output.text)))
    named = [segment for segment in segments if segment.name and segment.suite == "kvm"]
    if not named:
        raise FormatError(output.source, 0, _why_empty(output), "pass a log of `run_kselftest.sh -c kvm`")
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


def _why_empty(output: Output) -> str:
    """What a runner that ran nothing printed instead."""
    lines = [line.text for line in clean(output.text[:_HEAD]) if line.text]
    said = next((line.text for line in reversed(clean(output.stderr)) if line.text), "")
    if not lines:
        return f"the runner ran nothing{f': {said[:200]}' if said else ''}"
    if lines[0].startswith("Usage:"):
        return "the runner printed its usage text and ran nothing: an option that this version does not know"
    if all(_LISTED.match(line) for line in lines):
        return "a list of tests (-l), no results"
    if any(line.startswith("run_many ") for line in lines):
        return "a dry run (-d): nothing ran"
    return "a kselftest log without any KVM selftest"


def _segments(lines: Sequence[Line]) -> Iterator[_Segment]:
    current = _Segment("", "", [])
    limit = ""
    for line in lines:
        if _MARK not in line.text:
            current.lines.append(line)
            stated = _LIMIT.match(line.text) if line.text.startswith(_LIMITS) else None
            limit = stated["limit"] if stated else limit
            continue
        line = _without_console(line)  # noqa: PLW2901
        header = _HEADER.match(line.text) if line.text.startswith(_MARK) else None
        verdict = _VERDICT.match(line.text) if header is None else None
        if header is not None:
            yield current
            current, limit = _Segment(header["name"], header["suite"], [], limit=limit), ""
        current.lines.append(line)
        if verdict is not None and verdict["name"] == current.name:
            current.verdict = verdict
            yield current
            current = _Segment("", "", [])
    yield current


def _without_console(line: Line) -> Line:
    """The line without a kernel message that was written into it."""
    if not line.text.startswith("["):
        return line
    rest = _CONSOLE.sub("", line.text[:2000], count=1)
    return line._replace(text=rest.removeprefix("# ")) if rest != line.text else line


def _read(segment: _Segment, output: Output, programs: Mapping[str, Program], *, is_last: bool) -> list[Record]:
    """The runner's exit status says nothing about a program, except that the last one was cut off with it."""
    ended_by_force = output.exit_status is not None and (output.exit_status == 124 or output.exit_status > 128)
    status = _exit_status(segment.verdict) if segment.verdict else None
    if segment.verdict is None and is_last and ended_by_force:
        status = output.exit_status
    part = Output(text="", source=output.source, exit_status=status)
    known = programs.get(segment.name)
    found = (
        program.parse_lines(known, segment.lines, part)
        if known is not None
        else any_selftest.parse_as(segment.name, segment.lines, part)
    )
    if segment.verdict is None:
        found = [_without_verdict(record) for record in found]
    if not segment.limit:
        return found
    return [replace(record, labels={**record.labels, "timeout_s": segment.limit}) for record in found]


def _without_verdict(record: Record) -> Record:
    """The runner says of every program how it ended: where it does not, log or program was cut."""
    if record.status is not Status.PASS or "subtest" in record.params:
        return record
    why = "The log has no verdict of the runner on this program: whether it passed is unknown."
    return replace(record, status=Status.KILLED, warnings=(*record.warnings, why))


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
    found: list[Record] = []
    for lines in _blocks(segment.lines):
        part = Output(text="\n".join(line.text for line in lines), source=output.source)
        for known in programs.values():
            if program.recognises(known, part):
                found += program.parse_lines(known, lines, part)
    return [_without_place(record) for record in found if record.measurements]


def _blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """The lines cut where another program begins, as far as its first line tells."""
    block: list[Line] = []
    for line in lines:
        if block and _begins(line.text, block):
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _begins(text: str, block: Sequence[Line]) -> bool:
    if text.startswith("Testing guest mode"):
        return not block[-1].text.startswith(("Test iterations: ", "Random seed: "))
    if text.startswith("Testing ") and " performance with " in text:
        return not any(" performance with " in line.text for line in block)
    return text.startswith(("Test iterations: ", "Random seed: ", "1..0 # SKIP"))


def _without_place(record: Record) -> Record:
    why = "These lines stand apart from the runner's verdicts: which run they belong to is a guess."
    return replace(record, warnings=(*record.warnings, why))
