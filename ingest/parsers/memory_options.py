"""Options that the selftests built on memstress (formerly perf_test_util) share, and the header lines they print."""

import re
from collections.abc import Mapping

from ingest.parsers.commandline import Option, integer, size
from ingest.parsers.draft import Draft
from ingest.parsers.lines import Line

# -m picks a guest mode by number: the output names it. -p places the memory: an address, asked for on purpose.
MEMORY_OPTIONS: Mapping[str, Option] = {
    "-b": Option("bytes_per_vcpu", size, 1 << 30),
    "-v": Option("vcpus", integer, 1),
    "-o": Option("overlap", default=False),
    "-s": Option("backing_src", str, "anonymous"),
    "-m": Option("", str),
    "-p": Option("phys_offset", size),
    "-c": Option("pinned_cpus", str),
    "-h": Option(""),
}
_MODE = re.compile(r"Testing guest mode: (?P<mode>PA-bits:\w+,\s+VA-bits:\w+,\s+\w+ pages)\Z")
_RANGE = re.compile(
    r"guest physical test memory: \[0x(?P<first>[0-9a-f]{1,16}), 0x(?P<end>[0-9a-f]{1,16})\)\Z", re.IGNORECASE
)
_HEADERS = ("Testing guest mode", "guest physical test memory", "Random seed")


def read_header(line: Line, draft: Draft) -> bool:
    """Take the facts of a header line into the draft; whether it was one."""
    if not line.text.startswith(_HEADERS):
        return False
    if match := _MODE.match(line.text):
        draft.params["mode"] = " ".join(match["mode"].split())
    elif match := _RANGE.match(line.text):
        held = int(match["end"], 16) - int(match["first"], 16)
        draft.params |= {"test_memory_bytes": held} if held > 0 else {}
    draft.see(line)
    return True
