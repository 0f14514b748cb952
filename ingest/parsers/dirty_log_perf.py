"""dirty_log_perf_test: how long it takes to dirty memory, read the dirty log and clear it, round by round."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ingest.parsers.commandline import Option, integer
from ingest.parsers.draft import SECONDS, Draft, begin
from ingest.parsers.lines import Line, unwrap
from ingest.parsers.memory_options import MEMORY_OPTIONS, read_header
from ingest.parsers.program import Program
from ingest.records import Better, Output, Param

# The order in which the program prints: a line of an earlier stage begins another run.
_HEADER, _POPULATE, _MODE_SET, _ENABLE, _ROUNDS, _DISABLE, _SUMMARY = range(7)
_KINDS = {"dirty memory": "dirty_memory_time", "get dirty log": "get_dirty_log_time"} | {
    "clear dirty log": "clear_dirty_log_time"
}
_KIND_ORDER = {kind: order for order, kind in enumerate(_KINDS, start=1)}
_LABEL = r"(?:(?P<variant>Before|After|Old|New|Base|Patched):\s+)?"
_ONCE = re.compile(
    _LABEL + r"(?P<what>Populate memory time|Setting dirty log mode took|Enabling dirty logging time|"
    rf"Disabling dirty logging time) ?: *(?P<time>{SECONDS})s(?:\s+\((?P<flushes>\d{{1,15}}) flushes\))?",
    re.IGNORECASE,
)
_ROUND = re.compile(
    rf"{_LABEL}Iteration (?P<round>\d{{1,9}}) (?P<kind>dirty memory|get dirty log|clear dirty log) time: *"
    rf"(?P<time>{SECONDS})s"
)
_TOTAL = re.compile(
    rf"{_LABEL}(?P<kind>Get|Clear) dirty log over (?P<rounds>\d{{1,9}}) iterations took *(?P<time>{SECONDS})s"
)
_AVERAGE = re.compile(rf"\(Avg *(?P<time>{SECONDS})s/iteration\)")
# pr_debug lines of -v builds
_VCPU_ROUND = re.compile(
    rf"vCPU (?P<vcpu>\d{{1,5}}) iteration (?P<round>\d{{1,9}}) dirty memory time: *(?P<time>{SECONDS})s"
)
_VCPU_TOTAL = re.compile(
    rf"vCPU (?P<vcpu>\d{{1,5}}) dirtied 0x[0-9a-f]+ pages over (?P<rounds>\d{{1,9}}) iterations in (?P<time>{SECONDS})s"
)
_ITERATIONS = re.compile(r"Test iterations: (?P<rounds>\d{1,9})\Z")
_ONCE_METRICS: Mapping[str, tuple[int, str]] = {
    "populate memory time": (_POPULATE, "populate_memory_time"),
    "setting dirty log mode took": (_MODE_SET, "set_dirty_log_mode_time"),
    "enabling dirty logging time": (_ENABLE, "enable_dirty_logging_time"),
    "disabling dirty logging time": (_DISABLE, "disable_dirty_logging_time"),
}
_STARTS = (
    "Iteration ",
    "Populate memory",
    "Enabling dirty",
    "Disabling dirty",
    "Setting dirty",
    "vCPU ",
    "Before",
    "After",
    "Get dirty log over",
    "Clear dirty log over",
)
_TIME = re.compile(rf"{SECONDS}s")


@dataclass(slots=True)
class _Scan:
    """Where in the program's order the scan stands; the summary whose average is still to come, and its line."""

    drafts: list[Draft]
    reached: tuple[int, int, int] = (-1, 0, 0)
    summed: str = ""
    summed_at: int = 0

    def at(self, line: Line, stage: int, number: int = 0, kind: int = 0) -> Draft:
        """The draft that a line at this place of the program's order belongs to."""
        here = (stage, number, kind)
        again = here <= self.reached if here[0] > _HEADER else here[0] < self.reached[0]
        if not self.drafts or again:
            begin(self.drafts, line)
        self.reached = here
        return self.drafts[-1]


def _scan(lines: list[Line], _output: Output) -> list[Draft]:
    scan = _Scan([])
    for line in unwrap(lines, _is_cut):
        if "." in line.text:  # every time has its point
            _read_times(line, scan)
        elif line.text:
            _read_preamble(line, scan)
    for draft in scan.drafts:
        _close(draft)
    return scan.drafts


def _read_times(line: Line, scan: _Scan) -> None:
    text = line.text
    if (":" in text or text.startswith("Iteration ")) and (match := _ROUND.match(text)):
        _read_round(line, match, scan)
        return
    if _read_preamble(line, scan) or _read_vcpu(line, scan) or _read_once(line, scan):
        return
    if match := _TOTAL.match(text):
        scan.summed, scan.summed_at = _read_total(line, match, scan), line.number
    if scan.summed and line.number <= scan.summed_at + 2 and (average := _AVERAGE.search(text)):
        scan.drafts[-1].add_seconds(line, f"{scan.summed}_avg_time", average["time"])
        scan.summed = ""


def _read_preamble(line: Line, scan: _Scan) -> bool:
    iterations = _ITERATIONS.match(line.text)
    if iterations is None:
        draft = scan.drafts[-1] if scan.drafts and scan.reached[0] <= _HEADER else None
        if draft is None and line.text.startswith("Testing guest mode"):
            draft = _next_mode(line, scan)
        if draft is None or not read_header(line, draft):
            return False
    else:
        draft = scan.at(line, _HEADER)
        draft.params["iterations"] = int(iterations["rounds"])
        draft.see(line)
    draft.is_begun = True
    return True


def _next_mode(line: Line, scan: _Scan) -> Draft:
    """The run in the next guest mode: it shares the iterations that the program printed once for all modes."""
    before = scan.drafts[-1] if scan.drafts else None
    draft = scan.at(line, _HEADER)
    if before is not None and "iterations" in before.params:
        draft.params["iterations"] = before.params["iterations"]
    return draft


def _read_round(line: Line, match: re.Match[str], scan: _Scan) -> None:
    variant, round_, kind, time = match.groups()
    number = int(round_)
    draft = scan.at(line, _ROUNDS, number, _KIND_ORDER[kind])
    if variant:
        _take_variant(draft, variant)
    draft.add_seconds(line, _KINDS[kind], time, number, phase_of_round(number))


def _read_vcpu(line: Line, scan: _Scan) -> bool:
    if not line.text.startswith("vCPU "):
        return False
    if match := _VCPU_ROUND.match(line.text):
        draft = scan.drafts[-1] if scan.drafts else scan.at(line, _HEADER)
        number = int(match["round"])
        phase = f"vcpu{match['vcpu']}.{phase_of_round(number)}"
        draft.add_seconds(line, "vcpu_dirty_memory_time", match["time"], number, phase)
    elif match := _VCPU_TOTAL.match(line.text):
        draft = scan.drafts[-1] if scan.drafts else scan.at(line, _HEADER)
        draft.add_seconds(line, "vcpu_dirty_memory_total_time", match["time"], None, f"vcpu{match['vcpu']}")
        if average := _AVERAGE.search(line.text):
            draft.add_seconds(line, "vcpu_dirty_memory_avg_time", average["time"], None, f"vcpu{match['vcpu']}")
    return True


def _read_once(line: Line, scan: _Scan) -> bool:
    match = _ONCE.match(line.text)
    if match is None:
        return False
    stage, metric = _ONCE_METRICS[match["what"].lower()]
    draft = scan.at(line, stage, 1)
    _take_variant(draft, match["variant"])
    draft.add_seconds(line, metric, match["time"])
    if match["flushes"]:  # a line of a locally changed test
        draft.add_count(line, "tlb_flushes", match["flushes"], Better.LOWER)
    return True


def _read_total(line: Line, match: re.Match[str], scan: _Scan) -> str:
    kind = match["kind"].lower()
    draft = scan.at(line, _SUMMARY, 1 if kind == "get" else 2)
    _take_variant(draft, match["variant"])
    draft.params.setdefault("iterations", int(match["rounds"]))
    draft.add_seconds(line, f"{kind}_dirty_log_total_time", match["time"])
    return f"{kind}_dirty_log"


def _take_variant(draft: Draft, variant: str | None) -> None:
    if variant:
        draft.params["variant"] = variant.lower()


def phase_of_round(number: int) -> str:
    """The experiment that a round is: huge pages are split once, so the first two rounds are like no other."""
    return f"round{number}" if number < 3 else "later"


def _close(draft: Draft) -> None:
    metrics = {measurement.metric for measurement in draft.measurements}
    wanted = {"disable_dirty_logging_time", "get_dirty_log_total_time"}
    wanted |= {"clear_dirty_log_total_time"} if "clear_dirty_log_time" in metrics else set()
    draft.is_finished = wanted <= metrics


def _is_cut(text: str) -> bool:
    """Whether a line of the program lacks its number (a whole `(Avg` of a summary is read on either line)."""
    if "(Avg" in text:
        return len(text) < 200 and not text.endswith("iteration)") and "dirt" in text
    if text[-1:] == "s" and text[-2:-1].isdigit():
        return False
    if text.startswith(_STARTS):
        return len(text) < 200 and ("." not in text or _TIME.search(text) is None)
    return False


def _derive(params: dict[str, Param]) -> dict[str, Param]:
    """`-f N` (up to 6.1: every Nth page is written) becomes the percentage that `-w` (later kernels) takes."""
    fraction = params.pop("write_fraction", 1)
    if isinstance(fraction, int) and fraction > 1:
        params["write_percent"] = 100 // fraction if 100 % fraction == 0 else round(100 / fraction, 6)
    return params


_OPTIONS: Mapping[str, Option] = {
    **MEMORY_OPTIONS,
    "-i": Option("iterations", integer, 2),
    "-g": Option("manual_protect", default=True, on=False),
    "-n": Option("nested", default=False),
    "-e": Option("run_vcpus_while_disabling", default=False),
    "-a": Option("random_access", default=False),
    "-x": Option("slots", integer, 1),
    "-f": Option("write_fraction", integer),
    "-w": Option("write_percent", integer, 100),
    "-r": Option("", str),
}

PROGRAM = Program(
    name="dirty_log_perf_test",
    version=3,
    markers=(
        "dirty memory time:",
        "get dirty log time:",
        "clear dirty log time:",
        "Populate memory time:",
        "dirty logging time:",
        "dirty log over ",
        "Test iterations: ",
    ),
    rivals=(", interval: ",),  # dirty_log_test
    options=_OPTIONS,
    scan=_scan,
    derive=_derive,
)
