"""The common way from a program's output to records; each program brings its options and a scan of its lines."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.parsers import commandline, outcome
from ingest.parsers.draft import MAX_RUNS, Draft, TooManyRunsError
from ingest.parsers.lines import Line, Stripped, clean, is_elided, is_mail, sample, stripped_sentence
from ingest.parsers.outcome import Outcome
from ingest.parsers.runner_case import program_of, runner_case
from ingest.records import Format, FormatError, Output, Param, Record, Status

Scan = Callable[[list[Line], Output], list[Draft]]


@dataclass(frozen=True, slots=True)
class Program:
    """One benchmark program: its names, how its output is recognised, its options, and how its lines are read.

    `markers`: strings of which one stands in every output that has numbers; `rivals`: strings that prove another
    program. `derive` may turn what was asked for into canonical parameters (`-f 4` and `-w 25` are one thing).
    `measures` is false for a program without numbers. `format` is the registry's name where it is not the program's.
    """

    name: str
    version: int
    markers: tuple[str, ...]
    options: Mapping[str, commandline.Option]
    scan: Scan
    rivals: tuple[str, ...] = ()
    suite: str = "kvm-selftests"
    format: str = ""
    measures: bool = True
    derive: Callable[[dict[str, Param]], dict[str, Param]] = dict


def make_format(program: Program) -> Format:
    """The registry row of a program."""
    return Format(
        name=program.name,
        version=program.version,
        recognises=lambda output: recognises(program, output),
        parse=lambda output: parse(program, output),
    )


def recognises(program: Program, output: Output) -> bool:
    """Whether the command line names the program or, without one, the text holds one of its lines."""
    if program_of(output) == program.name:
        return True
    markers = (*program.markers, f"{program.name}.c:", f"./{program.name}")
    text = sample(output.text)
    return any(marker in text for marker in markers) and not any(rival in text for rival in program.rivals)


def parse(program: Program, output: Output) -> list[Record]:
    """One record per run in the output; an output that only a command line explains is one run without measurements."""
    records = parse_lines(program, clean(output.text), output)
    if output.command is None and output.exit_status is None and not _is_understood(records[0]):
        raise FormatError(
            output.source,
            0,
            f"mentions {program.name} and holds none of its output lines",
            "tables typed by hand cannot be read; pass what the program printed",
        )
    return records


def parse_lines(program: Program, lines: list[Line], output: Output) -> list[Record]:
    """The same for lines that were cleaned before: a part of a text with the exit status of just that part."""
    try:
        drafts = program.scan(lines, output) or [Draft()]
    except TooManyRunsError as error:
        what = f"more than {MAX_RUNS} runs in one text"
        raise FormatError(output.source, error.line, what, "capture one run per file") from error
    drafts[0].first_line = 0
    command = _command(program, output, lines)
    unjudged = replace(output, exit_status=None, stderr="")
    from_mail = is_mail(lines)
    parts = _parts(lines, drafts)
    records = [
        _record(program, draft, part, output if draft is drafts[-1] else unjudged, command)
        for draft, part in zip(drafts, parts, strict=True)
    ]
    return [replace(record, reported=record.reported or from_mail) for record in records]


def _is_understood(record: Record) -> bool:
    return bool(record.measurements or record.warnings[1:] or record.labels or record.status is not Status.KILLED)


def _command(program: Program, output: Output, lines: Sequence[Line]) -> str:
    if output.command:
        return output.command.strip()
    if runner_case(output).has_default_options:
        return program.name
    return commandline.command_in(lines, program.name)


def _parts(lines: Sequence[Line], drafts: Sequence[Draft]) -> list[Sequence[Line]]:
    """The lines of each run: from its first line to the next run's."""
    numbers = [line.number for line in lines]
    starts = [bisect_left(numbers, draft.first_line) for draft in drafts]
    return [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


def _record(program: Program, draft: Draft, lines: Sequence[Line], output: Output, command: str) -> Record:
    draft.is_elided = draft.is_elided or is_elided(lines)
    invocation = commandline.invocation(command)
    ended = _outcome(program, draft, lines, output)
    labels = draft.labels | ended.labels | ({"wrapper": invocation.wrapper} if invocation.wrapper else {})
    cleaned = stripped_sentence(draft.stripped)
    return Record(
        benchmark=f"{program.suite}/{program.name}",
        format=program.format or program.name,
        status=ended.status,
        command=command,
        params=_params(program, draft, invocation) | _case(output),
        labels=labels,
        warnings=(*ended.warnings, *draft.warnings, *((cleaned,) if cleaned else ())),
        measurements=tuple(draft.measurements),
        # who writes "Before:" in front of a line shows two runs in one text: an author, no program
        reported="variant" in draft.params or any(Stripped.QUOTE in flags for flags in draft.stripped),
    )


def _case(output: Output) -> dict[str, Param]:
    """The runner's name for options that nobody captured: two of its cases are two test cases."""
    case = runner_case(output)
    return {} if output.command or not case.case or case.has_default_options else {"testcase": case.case}


def _params(program: Program, draft: Draft, invocation: commandline.Invocation) -> dict[str, Param]:
    """What the output tells wins over what was asked for: programs round and align."""
    asked: dict[str, Param] = {}
    if invocation.program == program.name:
        asked = program.derive(commandline.parameters(invocation, program.options))
        draft.params.pop("test_memory_bytes", None)  # it follows from vCPUs and bytes per vCPU
    return asked | draft.params


def _outcome(program: Program, draft: Draft, lines: Sequence[Line], output: Output) -> Outcome:
    errors = clean(output.stderr)
    last_error = next((line.text for line in reversed(errors) if line.text), "")
    said = outcome.judge(output.exit_status, outcome.signs_in(lines), outcome.signs_in(errors), last_error[:200])
    ended = _without_verdict(draft, lines) if said is None or _is_of_another(said, draft, output) else said
    if draft.is_broken and ended.status is Status.PASS:
        return replace(ended, status=Status.FAIL)
    if ended.status is Status.PASS and said is not None:
        return replace(ended, warnings=(*ended.warnings, *_gaps(program, draft)))
    if ended.status in {Status.FAIL, Status.TIMEOUT, Status.KILLED} and draft.measurements:
        kept = f"It did not finish: the {len(draft.measurements)} values printed before are complete, more are missing."
        return replace(ended, warnings=(*ended.warnings, kept))
    return ended


def _is_of_another(said: Outcome, draft: Draft, output: Output) -> bool:
    """Whether a skip line stands after a finished run: logs without headers name nobody."""
    return said.status is Status.SKIP and output.exit_status is None and draft.is_finished and draft.is_begun


def _without_verdict(draft: Draft, lines: Sequence[Line]) -> Outcome:
    """The outcome of a run whose exit status nobody captured and whose text names no failure."""
    if draft.is_finished and not draft.is_elided and draft.is_begun:
        unsure = "No exit status was captured: that it passed follows from the text alone."
        return Outcome(Status.PASS, () if draft.measurements else (unsure,))
    if draft.measurements and draft.is_excerpt:
        return Outcome(Status.PASS, ("Only a part of the output is there: an excerpt, taken as it is.",))
    if any(line.text for line in lines):
        return Outcome(Status.KILLED, ("The output ends early and no exit status was captured.",))
    return Outcome(Status.KILLED, ("Nothing was printed and no exit status was captured.",))


def _gaps(program: Program, draft: Draft) -> tuple[str, ...]:
    """What a reader should know about a run that says it passed."""
    if not program.measures or (draft.is_finished and draft.is_begun and not draft.is_elided):
        return ()
    if not draft.measurements:
        return ("The program passed, but its output holds no measurement.",)
    if draft.is_excerpt:
        return ("Only a part of the output is there: an excerpt, taken as it is.",)
    return ("The program passed, but its output ends early: the last lines are missing.",)
