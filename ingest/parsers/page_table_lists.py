"""kvm_page_table_test as authors retype it: several runs on one line, before and after.

`Before patch: KVM_CREATE_MAPPINGS: 62.752s 62.123s …`, wrapped by mailers, with a remark between asterisks; and
`KVM_CREATE_MAPPINGS: before 104.35s -> after 90.42s +13.35%`, where the percentage is a claim.
"""

import re
from dataclasses import dataclass, field

from ingest.parsers import commandline, page_table
from ingest.parsers.draft import MAX_RUNS
from ingest.parsers.lines import Line, Stripped, clean, sample, stripped_sentence
from ingest.records import Better, Format, FormatError, Measurement, Output, Param, Record, Status, Unit

NAME = "kvm_page_table_test-mail"
VERSION = 1
_TIME = r"\d{1,9}\.\d{1,9}s"
_STAGE = r"KVM_(?P<stage>[A-Z]{1,20}_(?:MAPPINGS|BLOCKS)):"
_LIST = re.compile(
    rf"(?:[a-z]\) )?(?:(?P<side>Before|After)\s+patch(?:es)?:\s+)?{_STAGE}\s+(?P<times>{_TIME}(?:\s+{_TIME}){{0,40}})"
)
_MORE = re.compile(rf"(?P<times>{_TIME}(?:\s+{_TIME}){{0,40}})(?:\s+\*[^*]{{0,80}}\*)?\s*\Z")
_ARROW = re.compile(
    rf"{_STAGE}\s+before\s+(?P<before>{_TIME})\s*->\s*after\s+(?P<after>{_TIME})(?P<claim>\s+[+-] ?[\d.]+%)?"
)
_COMMAND = re.compile(r"cmdline:\s*(?P<command>\S.{0,400})\Z")
_MARKER = re.compile(rf"KVM_[A-Z_]{{3,30}}:\s{{1,4}}(?:before\s{{1,4}})?{_TIME}")
_CLAIM = "Percentages and remarks on improvements are the author's claims: they were left out."
_TYPED = "The numbers were retyped by an author: reported, not measured here."
_OLD_OPTIONS = ("-t", "-g")  # of the version that was first posted: its -s is another option than today's


@dataclass(slots=True)
class _Side:
    """The runs of one command line before or after a change, or with neither said."""

    command: str
    variant: str
    measurements: list[Measurement] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)
    stripped: set[Stripped] = field(default_factory=set)

    def add(self, line: Line, stage: str, text: str, *, is_list: bool) -> None:
        """Keep one time; the times of a list are runs, numbered from 1."""
        metric = f"{stage.lower()}_time"
        self.counted[metric] = self.counted.get(metric, 0) + 1
        number = self.counted[metric] if is_list else None
        self.stripped.add(line.stripped)
        self.measurements.append(
            Measurement(metric, Unit.SECOND, Better.LOWER, float(text[:-1]), number, line=line.number)
        )


class _Reader:
    """Goes through the lines and keeps the command line and the list that it stands in."""

    def __init__(self) -> None:
        self.sides: dict[tuple[int, str], _Side] = {}
        self.command, self.section = "", 0
        self.open = ("", "")  # side and stage of a list that the next line can continue

    def read(self, line: Line) -> None:
        """Take the times of a line."""
        text = line.text
        was_open, self.open = self.open, ("", "")
        if asked := _COMMAND.match(text):
            self.command, self.section = asked["command"].strip(), self.section + 1
        elif match := _LIST.match(text):
            self._add_list(line, ((match["side"] or "").lower(), match["stage"]), match["times"])
        elif match := _ARROW.match(text):
            for side in ("before", "after"):
                self._side(side).add(line, match["stage"], match[side], is_list=False)
        elif was_open[1] and (more := _MORE.match(text)):
            self._add_list(line, was_open, more["times"])

    def _add_list(self, line: Line, place: tuple[str, str], times: str) -> None:
        for text in times.split():
            self._side(place[0]).add(line, place[1], text, is_list=True)
        self.open = place if "*" not in line.text else ("", "")

    def _side(self, variant: str) -> _Side:
        return self.sides.setdefault((self.section, variant), _Side(self.command, variant))


def _parse(output: Output) -> list[Record]:
    reader = _Reader()
    for line in clean(output.text):
        reader.read(line)
        if len(reader.sides) > MAX_RUNS:
            raise FormatError(output.source, line.number, f"more than {MAX_RUNS} runs in one text", "pass one mail")
    if not reader.sides:
        raise FormatError(output.source, 0, "holds no times of kvm_page_table_test", "pass what the program printed")
    return [_record(side) for side in reader.sides.values()]


def _record(side: _Side) -> Record:
    cleaned = stripped_sentence(side.stripped)
    return Record(
        benchmark="kvm-selftests/kvm_page_table_test",
        format=NAME,
        status=Status.PASS,
        command=side.command,
        params={**_params(side.command), **({"variant": side.variant} if side.variant else {})},
        warnings=(_TYPED, _CLAIM, *((cleaned,) if cleaned else ())),
        measurements=tuple(side.measurements),
        reported=True,
    )


def _params(command: str) -> dict[str, Param]:
    invoked = commandline.invocation(command)
    if not invoked.program:
        return {}
    if any(flag in invoked.arguments for flag in _OLD_OPTIONS):
        return {"arguments": " ".join(invoked.arguments)[:200]}
    return commandline.parameters(invoked, page_table.PROGRAM.options)


def _recognises(output: Output) -> bool:
    return output.command is None and _MARKER.search(sample(output.text)) is not None


FORMATS = (Format(name=NAME, version=VERSION, recognises=_recognises, parse=_parse),)
