"""mmu_stress_test and max_guest_memory_test (its name before Linux 6.13): times to fault in all of a guest's memory."""

import re
from collections.abc import Mapping, Sequence

from ingest.parsers.commandline import Option, gibibytes, integer
from ingest.parsers.draft import SECONDS, Draft, begin
from ingest.parsers.lines import Line, unwrap
from ingest.parsers.program import Program
from ingest.records import Output

_METRICS: Mapping[str, str] = {
    "run1": "run1_time",
    "reset": "reset_time",
    "run2": "run2_time",
    "ro": "mprotect_ro_time",
    "rw": "mprotect_rw_time",
}
# the `s` can be missing at the end of a line: then only all nine decimals prove that the number is whole
_TIME = re.compile(rf"\b(?P<name>run1|run2|reset|ro|rw) = *(?P<time>{SECONDS})(?:s\b|(?<=\.\d{{9}})\Z)")
_RUNNING = re.compile(r"Running with (?P<size>\d{1,9})gb of guest memory and (?P<vcpus>\d{1,6}) vCPUs")
_CUT = tuple(f", {name}" for name in _METRICS)
_PROGRESS = ("Waiting for vCPUs", "All vCPUs finished", "vCPUs haven't rendezvoused")


def _scan(lines: list[Line], _output: Output) -> list[Draft]:
    drafts: list[Draft] = []
    for line in unwrap(lines, _is_cut):
        if match := _RUNNING.match(line.text):
            begin(drafts, line, is_begun=True)
            drafts[-1].params |= {"memory_bytes": int(match["size"]) << 30, "vcpus": int(match["vcpus"])}
            drafts[-1].see(line)
        elif " = " in line.text and (found := list(_TIME.finditer(line.text[:1000]))):
            _read(line, found, drafts)
    return drafts


def _is_cut(text: str) -> bool:
    """Whether a line ends between a name and its time."""
    return " = " in text[:40] and len(text) < 200 and (text.endswith("=") or text.endswith(_CUT))


def _read(line: Line, found: Sequence[re.Match[str]], drafts: list[Draft]) -> None:
    names = {measurement.metric for measurement in drafts[-1].measurements} if drafts else set()
    if not drafts or any(_METRICS[match["name"]] in names for match in found):
        begin(drafts, line)
    for match in found:
        drafts[-1].add_seconds(line, _METRICS[match["name"]], match["time"])
    drafts[-1].is_finished = drafts[-1].is_finished or any(match["name"] in {"run2", "rw"} for match in found)


_OPTIONS: Mapping[str, Option] = {
    "-c": Option("vcpus", integer),
    "-m": Option("memory_bytes", gibibytes),
    "-s": Option("slot_bytes", gibibytes, 2 << 30),
    "-H": Option("huge_pages", default=False),
    "-h": Option(""),
}

MMU_STRESS = Program(name="mmu_stress_test", version=2, markers=(" ro = ", " rw = "), options=_OPTIONS, scan=_scan)
MAX_GUEST_MEMORY = Program(
    name="max_guest_memory_test",
    version=2,
    markers=("run1 = ", "vCPUs haven't rendezvoused", "gb of guest memory and "),
    rivals=(" ro = ", " rw = "),
    options=_OPTIONS,
    scan=_scan,
)
