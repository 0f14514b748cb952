"""memslot_perf_test: how fast memory slots are set up, mapped, unmapped, moved and accessed, per subtest."""

import re
from collections.abc import Mapping

from ingest.parsers.commandline import Option, integer
from ingest.parsers.draft import SECONDS, Draft, begin
from ingest.parsers.lines import Line, unwrap
from ingest.parsers.program import Program
from ingest.records import Better, Output

_SUBTEST = re.compile(
    r"Testing (?P<name>[\w ]{1,40}?) performance with (?P<runs>\d{1,9}) runs, (?P<seconds>\d{1,9}) seconds each"
)
_TOOK = re.compile(rf"Test took *(?P<setup>{SECONDS})s for slot setup \+ *(?P<all>{SECONDS})s all iterations")
_DONE = re.compile(rf"Done (?P<count>\d{{1,15}}) iterations, avg *(?P<avg>{SECONDS})s each")
_BEST = re.compile(
    rf"Best runtime result was *(?P<best>{SECONDS})s per iteration \(with (?P<count>\d{{1,15}}) iterations\)"
)
_BEST_SETUP = re.compile(rf"Best slot setup time for the whole test area was *(?P<time>{SECONDS})s")
_SLOTS = re.compile(r"Allowed [Nn]umber of memory slots: (?P<slots>\d{1,9})\Z")
_NO_LOOPS = "No full loops done"
_TOO_MANY = "Memslot count too high for this test"
_ENDS: Mapping[str, tuple[str, ...]] = {
    "Testing ": ("each",),
    "Test took ": ("iterations",),
    "Done ": ("each",),
    "Best runtime ": ("iterations)",),
    "Best slot ": tuple(f"{digit}s" for digit in range(10)),
}
_STARTS = tuple(_ENDS)


class _Scan:
    """The run and the subtest that the scan stands in."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.seen: set[str] = set()
        self.phase = ""
        self.run = 0
        self.runs = 1
        self.is_open = False

    def draft(self, line: Line) -> Draft:
        """The draft of the run, begun here if there is none."""
        if not self.drafts:
            begin(self.drafts, line)
        return self.drafts[-1]

    def iteration(self) -> int | None:
        """The number of the repetition inside the subtest; None when there is only one."""
        return self.run if self.runs > 1 else None

    def begin(self, line: Line, match: re.Match[str]) -> None:
        """Enter a subtest; a subtest that was there already begins another run."""
        name = "_".join(match["name"].lower().split())
        if name in self.seen:
            begin(self.drafts, line)
            self.seen.clear()
        draft = self.draft(line)
        draft.is_begun, draft.is_finished = True, False
        self.seen.add(name)
        self.phase, self.run, self.runs, self.is_open = name, 0, int(match["runs"]), True
        draft.params |= {"runs": self.runs, "seconds": int(match["seconds"])}
        draft.see(line)


def _scan(lines: list[Line], _output: Output) -> list[Draft]:
    scan = _Scan()
    for line in unwrap(lines, _is_cut):
        if match := _SUBTEST.match(line.text):
            scan.begin(line, match)
        elif line.text.startswith(("Test took", "Done ", "Best ")):
            _read_result(line, scan)
        elif scan.is_open and line.text.startswith((_NO_LOOPS, _TOO_MANY)):
            _read_refusal(line, scan)
        elif match := _SLOTS.match(line.text):
            scan.draft(line).labels["allowed_slots"] = match["slots"]
    return scan.drafts


def _read_result(line: Line, scan: _Scan) -> None:
    if match := _TOOK.match(line.text):
        scan.run += 1
        draft, place = scan.draft(line), (scan.iteration(), scan.phase)
        draft.add_seconds(line, "slot_setup_time", match["setup"], *place)
        # how long all loops took is set by -l: it describes the run and is never judged
        draft.add_seconds(line, "all_iterations_time", match["all"], *place, better=Better.NONE)
    elif match := _DONE.match(line.text):
        draft = scan.draft(line)
        draft.add_count(line, "iterations", match["count"], Better.HIGHER, iteration=scan.iteration(), phase=scan.phase)
        draft.add_seconds(line, "avg_iteration_time", match["avg"], scan.iteration(), scan.phase)
    elif match := _BEST.match(line.text):
        draft = scan.draft(line)
        draft.add_seconds(line, "best_iteration_time", match["best"], None, scan.phase)
        draft.add_count(line, "best_iterations", match["count"], Better.HIGHER, phase=scan.phase)
        draft.is_finished, scan.is_open = True, False
    elif match := _BEST_SETUP.match(line.text):
        scan.draft(line).add_seconds(line, "best_slot_setup_time", match["time"])


def _read_refusal(line: Line, scan: _Scan) -> None:
    subtest = scan.phase.replace("_", " ")
    draft = scan.draft(line)
    if line.text.startswith(_NO_LOOPS):
        draft.warn(f"The subtest {subtest!r} did no full loop in its time: it has no result.")
    else:
        draft.warn(f"The subtest {subtest!r} was left out by the program: too many memory slots.")
    draft.is_finished, scan.is_open = True, False
    draft.see(line)


def _is_cut(text: str) -> bool:
    """Whether a line of the program lacks its end."""
    if text.endswith("each") or not text.startswith(_STARTS):
        return False
    ends = next((ends for start, ends in _ENDS.items() if text.startswith(start)), None)
    return ends is not None and len(text) < 200 and not text.endswith(ends)


_OPTIONS: Mapping[str, Option] = {
    "-s": Option("slots", integer, -1),
    "-f": Option("first_subtest", integer, 0),
    "-e": Option("last_subtest", integer, 5),
    "-l": Option("seconds", integer, 5),
    "-r": Option("runs", integer, 1),
    "-d": Option("verify", default=False),
    "-q": Option("disable_zap_quirk", default=False),
    "-v": Option(""),
    "-h": Option(""),
}

PROGRAM = Program(
    name="memslot_perf_test",
    version=2,
    markers=("Test took ", "Best runtime result was ", "Best slot setup time for the whole", " performance with "),
    options=_OPTIONS,
    scan=_scan,
)
