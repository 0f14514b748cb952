"""kvm_page_table_test: how long guests take to create, update and adjust stage-2 mappings."""

import re
from collections.abc import Mapping

from ingest.parsers.commandline import Option, integer, size
from ingest.parsers.draft import SECONDS, Draft, begin
from ingest.parsers.lines import Line, unwrap
from ingest.parsers.memory_options import MEMORY_OPTIONS, read_header
from ingest.parsers.program import Program
from ingest.records import Output

_TIME = re.compile(rf"KVM_(?P<stage>[A-Z]{{1,20}})_MAPPINGS: total execution time: *(?P<time>{SECONDS})s")
_FACT = re.compile(
    r"(?P<what>Testing memory backing src type|Testing memory backing src granularity|Testing memory size\(aligned\)|"
    r"Number of testing vCPUs): (?P<value>\w{1,40})\Z"
)
_STAGES = ("CREATE", "UPDATE", "ADJUST")
_PLACES = ("Guest physical test memory offset", "Host  virtual  test memory offset", "Host virtual test memory offset")


def _scan(lines: list[Line], _output: Output) -> list[Draft]:
    drafts: list[Draft] = []
    stages: list[str] = []
    for line in unwrap(lines, _is_cut):
        if line.text.startswith("Testing guest mode") and (not drafts or stages):
            begin(drafts, line, is_begun=True)
            stages = []
        if match := _TIME.match(line.text):
            if not drafts or match["stage"] in stages:
                begin(drafts, line)
                stages = []
            stages.append(match["stage"])
            drafts[-1].add_seconds(line, f"{match['stage'].lower()}_mappings_time", match["time"])
            drafts[-1].is_finished = match["stage"] == _STAGES[-1]
        elif drafts and not read_header(line, drafts[-1]):
            _read_fact(line, drafts[-1])
    return drafts


def _read_fact(line: Line, draft: Draft) -> None:
    match = _FACT.match(line.text)
    if match is None or line.text.startswith(_PLACES):
        return
    what, value = match["what"], match["value"]
    draft.see(line)
    if what.endswith("type"):
        draft.params["backing_src"] = value
    elif what.endswith("granularity"):
        draft.labels["backing_src_granularity"] = value
    else:
        number = integer(value)
        if isinstance(number, int):
            draft.params["memory_bytes" if "size" in what else "vcpus"] = number


def _is_cut(text: str) -> bool:
    return text.startswith("KVM_") and len(text) < 80 and text.endswith((":", "time", "execution", "total"))


_OPTIONS: Mapping[str, Option] = {
    **{flag: option for flag, option in MEMORY_OPTIONS.items() if flag not in {"-o", "-c"}},
    "-b": Option("memory_bytes", size, 1 << 30),
}

PROGRAM = Program(
    name="kvm_page_table_test",
    version=1,
    markers=(
        "Testing memory backing src type:",
        "_MAPPINGS: total execution time:",
    ),
    options=_OPTIONS,
    scan=_scan,
)
