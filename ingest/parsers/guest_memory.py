"""mmtest and migrate-perf: rounds of memory writes, timed; from outside a guest or inside while it is migrated.

Both print a header of `Key:Value` pairs, a line a round and an average. With a command, odd rounds of mmtest run it
beside the writers and even ones do not: two experiments, two phases.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from ingest.parsers import commandline, program
from ingest.parsers.commandline import Option, gibibytes, integer
from ingest.parsers.draft import MAX_RUNS, Draft, TooManyRunsError
from ingest.parsers.lines import Line, sample
from ingest.parsers.program import Program
from ingest.records import Better, Format, Measurement, Output, Param, Unit

_NUMBER = r"\d{1,18}(?:\.\d{1,9})?"
_MMTEST_HEADER = re.compile(
    r"Thread:(?P<threads>-?\d{1,9}), Mem:(?P<mib>-?\d{1,9})M, Time:(?P<rounds>-?\d{1,9}) Cmd:(?P<command>.{0,1000})\.\Z"
)
_MMTEST_START = re.compile(r"Thread:-?\d{1,9}, Mem:")
_ROUND = re.compile(
    rf"\bThe[ \t]{{1,20}}(?:(?P<round>\d{{1,9}})[ \t]{{1,20}})?time:[ \t]{{0,20}}(?P<value>{_NUMBER})?[ \t]{{0,20}}"
    r"(?P<unit>ns|us|ms|s)\b"
)
# a writer's line that was cut by a full buffer glues itself to what follows: `call action_wriThe 3 time:`
_GLUED = re.compile(r"(?<=\w)(?=The \d{1,9} time:|Thread:-?\d{1,9}, Mem:|Run \d{1,9} times, Avg)")
_AVERAGE = re.compile(
    rf"\bRun[ \t]{{1,20}}(?:(?P<rounds>\d{{1,9}})[ \t]{{1,20}})?times?,[ \t]{{0,20}}Avg time:(?P<blank>[ \t]{{0,20}})"
    rf"(?P<value>{_NUMBER})?[ \t]{{0,20}}(?P<unit>ns|us|ms|s)\b"
)
_PAIR = re.compile(r"(?P<key>[A-Za-z]\w{0,20}): ?(?P<value>[^\s,]{1,60})")
_HEADER_SHAPE = re.compile(r"[A-Za-z]\w{0,20}: ?[^\s,]{1,60}(?:,[ \t]*| +)[A-Za-z]\w{0,20}:")
_PER_SECOND: Mapping[str, int] = {"ns": 10**9, "us": 10**6, "ms": 10**3, "s": 1}
_SECOND, _LOWER = Unit.SECOND, Better.LOWER  # enum look-ups cost as much as the match of a line
_LONG_LINE = 400


@dataclass(slots=True)
class _Run:
    """One run as its lines come; headers and rounds can come several times (helpers flush what they inherited)."""

    draft: Draft
    rounds: dict[int, tuple[float, Line]] = field(default_factory=dict)
    average: tuple[float, Line] | None = None
    announced: int | None = None
    headers: int = 0


def _scan(lines: list[Line], output: Output, *, is_mmtest: bool) -> list[Draft]:
    runs: list[_Run] = []
    for line in _unglued(lines):
        text = line.text
        if "Avg" in text and (match := _AVERAGE.search(text)):
            _read_average(line, match, _current(line, runs))
        elif "time:" in text and (match := _ROUND.search(text)):
            _read_round(line, match, runs)
        elif (header := _MMTEST_HEADER.search(text)) or _is_header(text):
            run = _at_header(line, runs)
            run.draft.params |= _mmtest_params(header) if header else _other_params(text)
            run.announced = int(header["rounds"]) if header else run.announced
    asked = commandline.invocation(output.command)
    has_command = is_mmtest and "-e" in asked.arguments
    for run in runs:
        _close(run, is_split=has_command or bool(run.draft.params.get("beside")))
    return [run.draft for run in runs]


def _unglued(lines: list[Line]) -> Iterator[Line]:
    for line in lines:
        if not line.text or (":" not in line.text) or len(line.text) > _LONG_LINE:
            continue
        if "call action" not in line.text:
            yield line
            continue
        yield from (Line(line.number, piece, line.stripped) for piece in _GLUED.split(line.text))


def _is_header(text: str) -> bool:
    return _HEADER_SHAPE.match(text) is not None and "thread " not in text


def _current(line: Line, runs: list[_Run]) -> _Run:
    return _begin(line, runs) if not runs or runs[-1].average is not None else runs[-1]


def _begin(line: Line, runs: list[_Run]) -> _Run:
    if len(runs) >= MAX_RUNS:
        raise TooManyRunsError(line.number)
    runs.append(_Run(Draft(first_line=line.number)))
    return runs[-1]


def _at_header(line: Line, runs: list[_Run]) -> _Run:
    run = _current(line, runs)
    run.headers += 1
    run.draft.is_begun = True
    run.draft.see(line)
    return run


def _read_round(line: Line, match: re.Match[str], runs: list[_Run]) -> None:
    run = _current(line, runs)
    number = int(match["round"]) if match["round"] else len(run.rounds)
    if match["value"] is None:
        run.draft.warn(f"Line {line.number} has no time: the round was left out.")
        return
    value = float(match["value"]) / _PER_SECOND[match["unit"]]
    known = run.rounds.get(number)
    if known is None:
        run.rounds[number] = (value, line)
    elif known[0] != value and run.headers > 1:
        run.headers -= 1  # the header before this line belongs to the next run
        following = _begin(line, runs)
        following.draft.params, following.draft.is_begun = dict(run.draft.params), True
        following.rounds, following.announced, following.headers = {number: (value, line)}, run.announced, 1
    elif known[0] != value:
        run.draft.warn(f"Line {line.number} repeats round {number} with another time: the first one was kept.")


def _read_average(line: Line, match: re.Match[str], run: _Run) -> None:
    if match["rounds"]:
        run.announced = int(match["rounds"])
        run.draft.params.setdefault("rounds", run.announced)
    if match["value"] is None:
        run.draft.warn(f"Line {line.number} has no average time: it was left out.")
        return
    run.average = (float(match["value"]) / _PER_SECOND[match["unit"]], line)


def _mmtest_params(header: re.Match[str]) -> dict[str, Param]:
    beside = header["command"] if header["command"] != "(null)" else ""
    return {
        "threads": int(header["threads"]),
        "memory_bytes": int(header["mib"]) << 20,
        "rounds": int(header["rounds"]),
        "beside": beside,
    }


def _other_params(text: str) -> dict[str, Param]:
    return {match["key"].lower(): integer(match["value"].rstrip(".")) for match in _PAIR.finditer(text)}


def _close(run: _Run, *, is_split: bool) -> None:
    draft = run.draft
    draft.is_finished = run.average is not None
    for number, (value, line) in sorted(run.rounds.items()):
        phase = ("even", "odd")[number % 2] if is_split else ""
        draft.add(line, _time("round_time", value, line, number, phase))
    if run.average is not None:
        value, line = run.average
        draft.add(line, _time("avg_time", value, line, None, "mixed" if is_split else ""))
        _check_average(run, value)
    if draft.params.get("threads") == 0:
        draft.is_broken = True
        draft.warn("There was no writer: the times mean nothing, they are kept and never judged.")
        draft.measurements = [measurement._replace(warmup=True) for measurement in draft.measurements]


def _time(metric: str, value: float, line: Line, iteration: int | None, phase: str) -> Measurement:
    return Measurement(metric, _SECOND, _LOWER, value, iteration, phase, False, line.number)


def _check_average(run: _Run, average: float) -> None:
    values = [value for value, _line in run.rounds.values()]
    if run.announced is not None and values and len(values) < run.announced:
        run.draft.is_elided = True
    elif values and abs(sum(values) / len(values) - average) > 1e-3 * average + 2e-9:
        run.draft.warn("The printed average is not the mean of the printed rounds.")


def family_of(text: str) -> str:
    """Which of the two programs a text without a command line comes from; "" for neither.

    mmtest names its threads first and prints no blank before the average; everything else of this shape is
    migrate-perf.
    """
    if _MMTEST_START.search(text):
        return "mmtest"
    average = _AVERAGE.search(text)
    if average is not None:
        has_header = any(_HEADER_SHAPE.search(row[:_LONG_LINE]) for row in text[: average.start()].split("\n")[:200])
        return "migrate-perf" if average["blank"] or has_header else "mmtest"
    return "mmtest" if _ROUND.search(text) else ""


def make_format(one: Program) -> Format:
    """The registry row of one of the two programs."""
    return Format(
        name=one.name,
        version=one.version,
        recognises=lambda output: _recognises(one, output),
        parse=lambda output: program.parse(one, output),
    )


def _recognises(one: Program, output: Output) -> bool:
    if output.command and (named := commandline.invocation(output.command).program) in {"mmtest", "migrate-perf"}:
        return named == one.name
    return family_of(sample(output.text)) == one.name


MMTEST = Program(
    name="mmtest",
    version=1,
    markers=(),
    suite="guest-memory",
    options={
        "-c": Option("threads", integer, 8),
        "-m": Option("memory_bytes", gibibytes, 1 << 30),
        "-t": Option("rounds", integer, 10),
        "-d": Option("debug", default=False),
        "-e": Option("beside", str, ""),
    },
    scan=partial(_scan, is_mmtest=True),
)
MIGRATE_PERF = Program(
    name="migrate-perf",
    version=1,
    markers=(),
    suite="guest-memory",
    options={},
    scan=partial(_scan, is_mmtest=False),
)
