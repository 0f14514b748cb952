"""Numbers that an author typed into a table of a mail: reported, one record per side and test case.

Read is only what has a unit: behind the number, in the heading, or by what the row is known to be. Percentages and
factors are the author's claims and never measurements.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ingest.parsers import commandline, page_table
from ingest.parsers.dirty_log_perf import PROGRAM as DIRTY_LOG
from ingest.parsers.dirty_log_perf import phase_of_round
from ingest.parsers.draft import MAX_RUNS
from ingest.parsers.lines import MARGIN, Line, clean, sample, without_cut_line
from ingest.parsers.program import Program
from ingest.parsers.table_shapes import Row, Table, is_claim, tables
from ingest.parsers.unit_test_output import VMEXIT_NAME
from ingest.records import Better, Format, FormatError, Measurement, Output, Param, Record, Status, Unit

NAME = "mail-table"
VERSION = 1
_TYPED = "The numbers were typed into a table by an author: reported, not measured here."
_SECONDS = {"s": 1.0, "sec": 1.0, "secs": 1.0, "ms": 1e3, "msec": 1e3, "msecs": 1e3, "us": 1e6, "usec": 1e6} | {
    "usecs": 1e6,
    "ns": 1e9,
    "nsec": 1e9,
    "nsecs": 1e9,
}
_CELL = re.compile(r"(?P<number>\d[\d,]{0,20}(?:\.\d{1,12})?) ?(?P<suffix>[a-zA-Z]{0,5})\Z")
_PAGE = 60  # lines above a table in which its command line can stand
_THOUSANDS = {"k": 1e3, "K": 1e3, "M": 1e6}
_IN_BRACKETS = re.compile(r"\((?P<inside>[^()]{1,40})\)")
_METRIC_WORDS = re.compile(
    r"(?:time|rate|latency|number of|count|mappings|unmap|throughput|bandwidth)\b", re.IGNORECASE
)
_ROUND = re.compile(r"iteration (?P<round>\d{1,6}) (?P<rest>.{3,60})", re.IGNORECASE)
_SIDES = frozenset({"before", "after", "old", "new", "base", "baseline", "patched", "without", "with"})
_STATISTICS = frozenset({"mean", "median", "stddev", "min", "max"})
_KNOWN: Mapping[str, str] = {
    "dirty memory time": "dirty_memory_time",
    "get dirty log time": "get_dirty_log_time",
    "clear dirty log time": "clear_dirty_log_time",
    "populate memory time": "populate_memory_time",
    "enabling dirty logging time": "enable_dirty_logging_time",
    "disabling dirty logging time": "disable_dirty_logging_time",
}
_VCPUS = re.compile(r"#?vcpus?(?: count)?\Z|number of vcpus\Z", re.IGNORECASE)
_PROGRAMS = re.compile(
    r"\b(?P<name>dirty_log_perf_test|demand_paging_test|memslot_perf_test|kvm_page_table_test|mmu_stress_test|"
    r"access_tracking_perf_test|memslot_modification_stress_test)\b"
)
_COMMAND = re.compile(r"(?:\$|#|cmdline:|command:)?\s*(?P<command>(?:\S*/)?[a-z]\w{3,60}(?:_test|_perf)\b.{0,400})\Z")
_GRID = re.compile(MARGIN + r"\|?[^|\n]{0,200}\|[^\n|]{0,80}\d[^\n|]{0,80}(?:\||$)", re.MULTILINE)
_COLUMNS = re.compile(
    r"^[># \t]{0,80}(?:[\w-]{1,40}[ \t]{2,80})?"
    r"(?:before|without|old|base|baseline|vanilla|not-mitigated|unpatched)[ \t]{2,80}"
    r"(?:after|with|new|patched|series|mitigated)\b",
    re.MULTILINE | re.IGNORECASE,
)
_LIST = re.compile(MARGIN + r"[A-Z#][\w #]{1,40}(?:, ?[A-Z#][\w #()]{1,40}){2,8}[ \t\r]{0,20}$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a number in a table is: its metric, round, side, and the factor and unit that its heading tells."""

    metric: str = ""
    iteration: int | None = None
    variant: str = ""
    unit: str = ""
    phase: str = ""


@dataclass(slots=True)
class _Found:
    """The records in the making, by benchmark and parameters."""

    by_case: dict[tuple[str, tuple[tuple[str, Param], ...]], list[Measurement]] = field(default_factory=dict)
    claims: int = 0
    unknown: int = 0

    def add(self, benchmark: str, params: Mapping[str, Param], one: Measurement) -> None:
        """Keep a number of one side of one test case."""
        self.by_case.setdefault((benchmark, tuple(params.items())), []).append(one)


@dataclass(slots=True)
class _Place:
    """Where a table belongs: its benchmark, and the command line above it."""

    benchmark: str
    command: str
    known: dict[str, tuple[str, dict[str, Param]]] = field(default_factory=dict)

    def of(self, row: Row) -> tuple[str, dict[str, Param]]:
        """The benchmark of a row and what its command line, or the one above the table, asked for."""
        command = row.key if not self.command and _PROGRAMS.search(row.key) else self.command
        if command not in self.known:
            invoked = commandline.invocation(command)
            program = _PROGRAM_OF.get(invoked.program)
            named = f"kvm-selftests/{invoked.program}"
            self.known[command] = (self.benchmark, {}) if program is None else (named, _asked(invoked, program))
        return self.known[command]


def _parse(output: Output) -> list[Record]:
    lines, cut = without_cut_line(clean(output.text), output.text)
    commands = _commands(lines)
    named = next((match["name"] for line in lines if (match := _PROGRAMS.search(line.text))), "")
    found = _Found()
    told = list(tables(lines))
    for number, table in enumerate(told, start=1):
        home = f"kvm-selftests/{named}" if named else _by_rows(table)
        _read(table, _Place(home, _command_before(commands, table)), found, _number(table, number, len(told)))
        if len(found.by_case) > MAX_RUNS:
            raise FormatError(output.source, 0, f"more than {MAX_RUNS} test cases in one text", "pass one mail")
    if not found.by_case:
        raise FormatError(
            output.source, 0, "a table whose numbers have no unit that could be told", "pass what the program printed"
        )
    notes = (_TYPED, *_notes(found), *((cut,) if cut else ()))
    return [
        Record(benchmark, NAME, Status.PASS, "", dict(params), {}, notes, tuple(measured), reported=True)
        for (benchmark, params), measured in found.by_case.items()
    ]


def _number(table: Table, number: int, tables_told: int) -> int:
    """The number that keeps a table apart from others whose headings say nothing different; 0 where none is needed."""
    return number if tables_told > 1 and not table.titles else 0


def _notes(found: _Found) -> Iterator[str]:
    if found.claims:
        yield f"{found.claims} percentages and factors are the author's claims: they were left out."
    if found.unknown:
        yield f"{found.unknown} numbers have no unit that could be told: they were left out."


def _commands(lines: Sequence[Line]) -> list[tuple[int, str]]:
    """The command lines in the text with their line numbers."""
    return [
        (line.number, match["command"].strip())
        for line in lines
        if _PROGRAMS.search(line.text) and (match := _COMMAND.match(line.text))
    ]


def _command_before(commands: Sequence[tuple[int, str]], table: Table) -> str:
    """The command line that stands nearest above the table, within a page."""
    first = table.rows[0].line.number
    index = bisect_left(commands, (first, "")) - 1
    return commands[index][1] if index >= 0 and first - commands[index][0] <= _PAGE else ""


def _read(table: Table, place: _Place, found: _Found, number: int) -> None:
    section, title = "", _title(table.titles)
    config = next((text for text in table.titles if "=" in text), "")
    common: dict[str, Param] = {**({"table": number} if number else {}), **({"config": config[:200]} if config else {})}
    for index, row in enumerate(table.rows):
        section = table.sections.get(index, section)
        benchmark, asked = place.of(row)
        shared: dict[str, Param] = {**asked, **_key(table, row), **common}
        for column, (heads, cell) in enumerate(zip(table.columns, row.cells, strict=False)):
            meaning = _meaning(heads, title, row, section)
            one = _measurement(cell, meaning, row.line, (table.units[column : column + 1] or [""])[0])
            if one is not None:
                found.add(benchmark, {**shared, **({"variant": meaning.variant} if meaning.variant else {})}, one)
            elif cell:
                found.claims += is_claim(cell)
                found.unknown += not is_claim(cell)


def _title(titles: Sequence[str]) -> str:
    """The title that names what was measured."""
    return next((text for text in titles if _METRIC_WORDS.search(text) and "=" not in text), "")


def _key(table: Table, row: Row) -> dict[str, Param]:
    """What the first column tells of the test case: a number of something; otherwise nothing."""
    number = commandline.integer(row.key)
    if not isinstance(number, int):
        return {}
    return {"vcpus" if _VCPUS.match(table.key) else _slug(table.key) or "row": number}


def _by_rows(table: Table) -> str:
    """The benchmark that rows and headings tell."""
    if any(VMEXIT_NAME.match(row.key) for row in table.rows):
        is_arm = any(unit.startswith("ns") for unit in table.units)
        return "kvm-unit-tests/micro-bench" if is_arm else "kvm-unit-tests/vmexit"
    return _by_words(table)


def _asked(invoked: commandline.Invocation, program: Program) -> dict[str, Param]:
    """The parameters, without those that a script's loop sets (`-v $i`, `-v [#vCPU]`): the rows tell them."""
    loops = {
        program.options[flag].param
        for flag, value in pairwise(invoked.arguments)
        if value[:1] in {"$", "["} and flag in program.options
    }
    asked = program.derive(commandline.parameters(invoked, program.options))
    return {name: value for name, value in asked.items() if name not in loops}


def _by_words(table: Table) -> str:
    words = " ".join([*table.titles, table.key, *(text for column in table.columns for text in column)]).lower()
    if "dirty" in words or "paging rate" in words:
        return f"kvm-selftests/{'dirty_log_perf_test' if 'dirty' in words else 'demand_paging_test'}"
    if "micro-bench" in words:
        return "kvm-unit-tests/micro-bench"
    return "reported/table"


def _meaning(column: Sequence[str], title: str, row: Row, section: str) -> _Meaning:
    """What a column means: words of measuring make it a metric, all others a side of the comparison."""
    metric, variant, unit = title, "", ""
    for text in column:
        inside = _IN_BRACKETS.search(text)
        word = inside["inside"] if inside else ""
        plain = _IN_BRACKETS.sub("", text).strip()
        is_unit = word.lower() in _SECONDS
        if is_unit or _METRIC_WORDS.search(plain):
            metric, unit = plain, word if is_unit else unit
            variant = word if word and not is_unit else variant
        else:
            variant = text
    if variant.lower() in _STATISTICS and section:
        return _Meaning(f"{_slug(section)}_{variant.lower()}", None, row.key)
    if row.key.lower() in _SIDES:
        variant = row.key
    elif not metric and not row.key.isdigit() and not _PROGRAMS.search(row.key):
        metric = row.key
    return _named(metric, variant.lower() if variant.lower() in _SIDES else variant, unit)


def _named(metric: str, variant: str, unit: str) -> _Meaning:
    match = _ROUND.match(metric)
    words = " ".join((match["rest"] if match else metric).lower().split())
    name = _KNOWN.get(words) or (words if VMEXIT_NAME.match(words) else _slug(words))
    number = int(match["round"]) if match else None
    return _Meaning(name, number, variant[:100], unit, phase_of_round(number) if number is not None else "")


def _measurement(cell: str, meaning: _Meaning, line: Line, unit: str) -> Measurement | None:
    """The number in a cell; `unit` is what a line of units under the headings says of the column."""
    match = _CELL.match(cell)
    if match is None or is_claim(cell):
        return None
    number, suffix = float(match["number"].replace(",", "")), match["suffix"]
    place = (meaning.iteration, meaning.phase)
    told = (suffix or meaning.unit or unit).lower()
    if told in _SECONDS:
        name = _time_name(meaning.metric) if not unit else meaning.metric
        return Measurement(name, Unit.SECOND, Better.LOWER, number / _SECONDS[told], *place, line=line.number)
    factor = _THOUSANDS.get(suffix) if suffix else 1.0
    kind = _kind(meaning.metric)
    if factor is None or kind is None:
        return None
    return Measurement(meaning.metric, *kind, number * factor, *place, line=line.number)


def _time_name(metric: str) -> str:
    return metric if metric.endswith("_time") else f"{metric}_time" if metric else "time"


def _kind(metric: str) -> tuple[Unit, Better] | None:
    """Unit and direction of a number without a unit, where its name leaves no doubt."""
    if VMEXIT_NAME.match(metric):
        return Unit.CYCLE, Better.LOWER
    if "paging_rate" in metric:
        return Unit.PAGE_PER_SECOND, Better.HIGHER
    if metric.startswith("number_of_"):
        return Unit.COUNT, Better.NONE
    better = Better.NONE if metric.endswith("_stddev") else Better.HIGHER
    if re.search(r"_ops(?:_|\Z)", metric):
        return Unit.OPERATION_PER_SECOND, better
    return (Unit.RATIO, better) if "scalability" in metric else None


def _slug(text: str) -> str:
    return "_".join(re.findall(r"[a-z0-9]+", text.lower()))[:80]


def _recognises(output: Output) -> bool:
    if output.command:
        return False
    text = sample(output.text)
    return any(shape.search(text) is not None for shape in (_GRID, _COLUMNS, _LIST))


_PROGRAM_OF: Mapping[str, Program] = {one.name: one for one in (DIRTY_LOG, page_table.PROGRAM)}
FORMATS = (Format(name=NAME, version=VERSION, recognises=_recognises, parse=_parse),)
