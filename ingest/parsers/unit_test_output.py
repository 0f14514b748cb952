"""What the programs of kvm-unit-tests measure.

vmexit costs and emulated instructions in cycles, arm's micro-bench in ns, and the dirty logging benchmark of 2012.
vmexit prints no unit: `cpuid 1098` are cycles. Piped through `sort | uniq -c` it is a histogram over runs.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from ingest.parsers import commandline, program
from ingest.parsers.draft import MAX_RUNS, Draft, begin
from ingest.parsers.lines import MARGIN, Line, sample, without_cut_line
from ingest.parsers.program import Program
from ingest.records import Better, Format, FormatError, Measurement, Output, Param, Record, Unit

SUITE = "kvm-unit-tests"
VERSION = 2
_NAMES = (
    r"cpuid|vmcall|hypercall|mov_(?:from|to)_cr8|mov_dr|inl_from_\w{3,20}|outl_to_\w{3,20}|(?:wb)?invd|ipi|ipi[+_]halt|"
    r"ple[-_]round[-_]robin|(?:wr|rd)_[a-z0-9_]{3,40}|self_ipi_\w{3,40}|x2apic_self_ipi_\w{3,40}|tsc_?deadline\w{0,20}|"
    r"(?:mmio|portio)-[\w-]{3,60}(?::[\w-]{3,20})?|invlpg\w{0,20}|rdtscp?|rdpmc|pause\w{0,20}|hlt\w{0,20}"
)
VMEXIT_NAME = re.compile(rf"(?:{_NAMES})\Z")
_VMEXIT = re.compile(r"(?:(?P<count>\d{1,9}) +)?(?P<name>[a-z][\w+:.-]{1,80}) +(?P<cycles>\d{1,15})\Z")
_KNOWN = re.compile(
    MARGIN + rf"(?:\d{{1,9}} +)?(?:{_NAMES}) +\d{{1,15}}[ \t\r]{{0,20}}(?:<[-=<~].{{0,300}})?$", re.MULTILINE
)
_HEADING = re.compile(
    r"(?P<which>before|after|old|new|base|patched|without|with)(?: (?:the )?(?:patch|series)\w*)?:\Z", re.IGNORECASE
)
_SIDES = {"old": "before", "base": "before", "without": "before"} | dict.fromkeys(("new", "patched", "with"), "after")
_PER = re.compile(r"(?P<cycles>\d{1,15}) cycles/(?P<what>[a-z][\w ]{2,60})\Z")
_DIRTY_LOG = re.compile(r"get dirty log: *(?P<ns>\d{1,15}) ns for *(?P<pages>\d{1,12}) dirty pages\Z")
_LATENCY = re.compile(
    r"Latency (?P<what>[A-Z]{2,12}) *: *max: *(?P<max>\d{1,15}) +min: *(?P<min>\d{1,15}) +avg: *(?P<avg>\d{1,15})\Z"
)
_BENCH_HEADER = re.compile(r"name +total ns +avg ns\Z")
_BENCH = re.compile(r"(?P<name>[a-z]\w{1,40}) +(?P<total>\d{1,15}\.\d{1,3}) +(?P<avg>\d{1,15}\.\d{1,3})\Z")
_HISTOGRAM = (
    "The lines were counted (`sort | uniq -c`): each value stands for as many runs as the label `histogram` says. "
    "It describes a distribution and is never judged."
)
_DESCRIBED = 4000  # characters of a histogram that are kept


def _scan_vmexit(lines: list[Line], output: Output) -> list[Draft]:
    is_named = "vmexit" in (output.command or "")
    drafts: list[Draft] = []
    variant, after = "", 0
    whole, cut = without_cut_line(lines, output.text, ends_in_number=True)
    for line in whole:
        if line.text[-1:] == ":" and (heading := _HEADING.match(line.text)):
            word = heading["which"].lower()
            variant = _SIDES.get(word, word)
            _side(begin(drafts, line), variant)
            continue
        match = _VMEXIT.match(line.text) if line.text[-1:].isdigit() else None
        if match is None or not (is_named or line.number == after or VMEXIT_NAME.match(match["name"])):
            continue
        after = line.number + 1  # a test that is newer than this list stands among those that it knows
        _add_cycles(line, match, _draft_for(line, match, drafts, variant))
    return _closed([draft for draft in drafts if draft.measurements], output, cut)


def _draft_for(line: Line, match: re.Match[str], drafts: list[Draft], variant: str) -> Draft:
    """The run of a line: a name that comes again begins another run, unless the lines are a histogram."""
    last = drafts[-1] if drafts else None
    is_again = (
        last is not None and match["count"] is None and any(one.metric == match["name"] for one in last.measurements)
    )
    if last is None or is_again:
        last = begin(drafts, line)
        _side(last, variant)
    return last


def _side(draft: Draft, variant: str) -> None:
    if variant:
        draft.params["variant"] = variant


def _add_cycles(line: Line, match: re.Match[str], draft: Draft) -> None:
    count, name, cycles = match.groups()
    better = Better.LOWER if count is None else Better.NONE
    draft.add(line, Measurement(name, Unit.CYCLE, better, float(cycles), line=line.number))
    if count is not None:
        draft.warn(_HISTOGRAM)
        described = draft.labels.get("histogram", "")
        if len(described) < _DESCRIBED:
            draft.labels["histogram"] = f"{described} {cycles}x{count}".strip()


def _closed(drafts: list[Draft], output: Output, cut: str = "") -> list[Draft]:
    """What a unit test prints has neither a first nor a last line: what is there is whole."""
    for draft in drafts:
        draft.is_begun = draft.is_finished = True
        draft.params |= test_options(output.command)
    if cut and drafts:
        drafts[-1].warn(cut)
    return drafts


def test_options(command: str | None) -> dict[str, Param]:
    """What a command line of `x86/run TEST.flat -smp 2 …` asks for."""
    words = (command or "").split()
    found: dict[str, Param] = {}
    for flag, value in pairwise(words):
        if flag == "-smp":
            found["smp"] = commandline.integer(value.split(",")[0].removeprefix("cpus="))
        elif flag == "-cpu":
            found["cpu"] = value[:200]
    return found


def _one_draft(lines: list[Line], output: Output, read: Callable[[Line, Draft], object]) -> list[Draft]:
    draft = Draft()
    whole, cut = without_cut_line(lines, output.text)
    for line in whole:
        if line.text:
            read(line, draft)
    return _closed([draft] if draft.measurements else [], output, cut)


def _read_per(line: Line, draft: Draft) -> None:
    if match := _PER.match(line.text):
        metric = "cycles_per_" + "_".join(match["what"].split())
        draft.add(line, Measurement(metric, Unit.CYCLE, Better.LOWER, float(match["cycles"]), line=line.number))


def _read_latency(line: Line, draft: Draft) -> None:
    if match := _LATENCY.match(line.text):
        for which, better in (("max", Better.NONE), ("min", Better.LOWER), ("avg", Better.LOWER)):
            metric = f"{match['what'].lower()}_latency_{which}"
            draft.add(line, Measurement(metric, Unit.CYCLE, better, float(match[which]), line=line.number))


def _read_dirty_log(line: Line, draft: Draft) -> None:
    if match := _DIRTY_LOG.match(line.text):
        phase = f"{match['pages']}_pages"  # how many pages are dirty is what the time depends on
        seconds = float(match["ns"]) / 1e9
        draft.add(
            line, Measurement("get_dirty_log_time", Unit.SECOND, Better.LOWER, seconds, phase=phase, line=line.number)
        )


def _scan_micro_bench(lines: list[Line], output: Output) -> list[Draft]:
    draft = Draft()
    is_inside = False
    for line in lines:
        if _BENCH_HEADER.match(line.text):
            is_inside = True
        elif is_inside and (match := _BENCH.match(line.text)):
            name, number = match["name"], line.number
            total, average = float(match["total"]) / 1e9, float(match["avg"]) / 1e9
            draft.add(line, Measurement(name, Unit.SECOND, Better.LOWER, average, line=number))
            draft.add(line, Measurement(f"{name}_total_time", Unit.SECOND, Better.NONE, total, line=number))
    return _closed([draft] if draft.measurements else [], output)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A program of kvm-unit-tests that measures: how its text is recognised and read."""

    program: Program
    shape: re.Pattern[str]


def _kind(name: str, scan: program.Scan, shape: str) -> _Kind:
    own = Program(name=name, version=VERSION, markers=(), options={}, scan=scan, suite=SUITE, format=f"{SUITE}/{name}")
    return _Kind(own, re.compile(shape, re.MULTILINE))


def _format(kind: _Kind) -> Format:
    return Format(
        name=kind.program.format,
        version=VERSION,
        recognises=lambda output: _is_named(kind, output) or kind.shape.search(sample(output.text)) is not None,
        parse=partial(_parse, kind),
    )


def _is_named(kind: _Kind, output: Output) -> bool:
    return kind.program.name == "vmexit" and "x86/vmexit" in (output.command or "")


def _parse(kind: _Kind, output: Output) -> list[Record]:
    records = program.parse(kind.program, output)
    if len(records) > MAX_RUNS:
        raise FormatError(output.source, 0, f"more than {MAX_RUNS} runs in one text", "capture one run per file")
    return records


_KINDS: Mapping[str, _Kind] = {
    kind.program.name: kind
    for kind in (
        _Kind(_kind("vmexit", _scan_vmexit, "x").program, _KNOWN),
        _kind("realmode", partial(_one_draft, read=_read_per), MARGIN + r"\d{1,15} cycles/[a-z]"),
        _kind("svm", partial(_one_draft, read=_read_latency), MARGIN + r"Latency [A-Z]{2,12} *: *max: "),
        _kind("micro-bench", _scan_micro_bench, MARGIN + r"name +total ns +avg ns"),
        _kind("dirty-log-perf", partial(_one_draft, read=_read_dirty_log), MARGIN + r"get dirty log: *\d{1,15} ns for"),
    )
}
FORMATS = tuple(_format(kind) for kind in _KINDS.values())
