"""demand_paging_test: time and rate at which guest memory is paged in on demand."""

import re
from collections.abc import Mapping

from ingest.parsers.commandline import Option, integer
from ingest.parsers.draft import SECONDS, Draft, begin
from ingest.parsers.lines import Line
from ingest.parsers.memory_options import MEMORY_OPTIONS, read_header
from ingest.parsers.program import Program
from ingest.records import Better, Measurement, Output, Unit

_TOTAL = re.compile(rf"Total guest execution time:\s*(?P<time>{SECONDS})s")
_RATE = re.compile(
    r"(?P<which>Overall|Per-vcpu) demand paging rate:\s*(?P<rate>\d{1,15}\.\d{6}) pgs/sec(?P<each>/vcpu)?(?!\w)"
)
_RATES: Mapping[str, tuple[str, Unit]] = {
    "Overall": ("overall_paging_rate", Unit.PAGE_PER_SECOND),
    "Per-vcpu": ("per_vcpu_paging_rate", Unit.PAGE_PER_SECOND_VCPU),
}
_PROGRESS = ("Finished creating vCPUs and starting uffd threads", "Started all vCPUs", "All vCPU threads joined")
_WRONG = (
    "The paging rate is wrong: before Linux 6.3 the test divided the nanoseconds by 1e8 instead of 1e9. "
    "It is kept apart (phase before_fix); compare total_guest_execution_time instead."
)
_UNSURE = "Whether the paging rate has the error of kernels before 6.3 cannot be told: it is kept apart (phase unsure)."


def _scan(lines: list[Line], _output: Output) -> list[Draft]:
    drafts: list[Draft] = []
    nanoseconds: int | None = None
    for line in lines:
        if line.text.startswith("Testing guest mode") and (not drafts or drafts[-1].measurements):
            begin(drafts, line, is_begun=True)
            nanoseconds = None
        if drafts and (read_header(line, drafts[-1]) or line.text in _PROGRESS):
            continue
        if match := _TOTAL.match(line.text):
            draft = _draft_for(line, drafts)
            draft.add_seconds(line, "total_guest_execution_time", match["time"])
            nanoseconds = _nanoseconds(match["time"])
        elif match := _RATE.match(line.text):
            draft = drafts[-1] if drafts else _draft_for(line, drafts)
            _add_rate(line, match, draft, nanoseconds)
    return drafts


def _draft_for(line: Line, drafts: list[Draft]) -> Draft:
    """The run that a total belongs to: a second total begins another run."""
    if not drafts or drafts[-1].measurements:
        begin(drafts, line)
    return drafts[-1]


def _nanoseconds(text: str) -> int | None:
    seconds, _, rest = text.partition(".")
    return int(seconds) * 10**9 + int(rest) if len(rest) == 9 and rest.isdigit() and seconds.isdigit() else None


def _add_rate(line: Line, match: re.Match[str], draft: Draft, nanoseconds: int | None) -> None:
    metric, unit = _RATES[match["which"]]
    rate = float(match["rate"])
    phase = rate_phase(rate, nanoseconds)
    if phase:
        draft.warn(_WRONG if phase == "before_fix" else _UNSURE)
    draft.add(line, Measurement(metric, unit, Better.HIGHER, rate, phase=phase, line=line.number))
    draft.is_finished = draft.is_finished or match["which"] == "Overall"


def rate_phase(rate: float, nanoseconds: int | None) -> str:
    """Which formula a rate comes from: "" the right one, "before_fix" the wrong one, "unsure".

    Pages are whole: of the two ways back from rate and time to pages only the one that was used gives a whole number.
    """
    if nanoseconds is None:
        return "unsure"
    seconds, rest = divmod(nanoseconds, 10**9)
    right, wrong = rate * (nanoseconds / 1e9), rate * (seconds + rest / 1e8)
    if _is_whole(right, nanoseconds / 1e9):
        return ""
    return "before_fix" if _is_whole(wrong, seconds + rest / 1e8) else "unsure"


def _is_whole(pages: float, seconds: float) -> bool:
    # the rate is printed with six decimals: pages come back with half a unit of the last, times the seconds
    slack = 5e-7 * seconds + 1e-9 * pages + 1e-9
    return pages > 0.5 and abs(pages - round(pages)) <= slack


_OPTIONS: Mapping[str, Option] = {
    **MEMORY_OPTIONS,
    "-u": Option("uffd_mode", str, "none"),
    "-d": Option("uffd_delay_us", integer, 0),
    "-a": Option("single_uffd", default=False),
    "-r": Option("uffd_readers", integer, 1),
}

PROGRAM = Program(
    name="demand_paging_test",
    version=1,
    markers=("starting uffd threads", "Total guest execution time:", "demand paging rate:"),
    options=_OPTIONS,
    scan=_scan,
)
