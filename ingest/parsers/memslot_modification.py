"""memslot_modification_stress_test: prints no number, so its measurement is the wall time taken from outside."""

from collections.abc import Mapping

from ingest.parsers.commandline import Option, integer
from ingest.parsers.draft import Draft
from ingest.parsers.lines import Line
from ingest.parsers.memory_options import MEMORY_OPTIONS, read_header
from ingest.parsers.program import Program
from ingest.records import Better, Measurement, Output, Unit

_JOINED = "All vCPU threads joined"
_QUIRK = "Memslot zap quirk "
_NOT_TIMED = "The program prints no number and nobody captured when it started and ended: run it under a timer."


def _scan(lines: list[Line], output: Output) -> list[Draft]:
    draft = Draft()
    for line in lines:
        if read_header(line, draft):
            draft.is_begun = True
        elif line.text.startswith(_QUIRK):
            draft.labels["memslot_zap_quirk"] = line.text[len(_QUIRK) :][:40]
        elif line.text == _JOINED:
            draft.is_finished = True
            draft.see(line)
    if draft.is_finished:
        _time(draft, output)
    return [draft]


def _time(draft: Draft, output: Output) -> None:
    if output.started_at is None or output.ended_at is None or output.ended_at < output.started_at:
        draft.warn(_NOT_TIMED)
    elif output.exit_status in {None, 0}:
        elapsed = output.ended_at - output.started_at
        draft.measurements.append(Measurement("run_time", Unit.SECOND, Better.LOWER, elapsed))


_OPTIONS: Mapping[str, Option] = {
    **MEMORY_OPTIONS,
    "-i": Option("iterations", integer, 10),
    "-d": Option("delay_us", integer, 0),
    "-q": Option("disable_zap_quirk", default=False),
}

PROGRAM = Program(
    name="memslot_modification_stress_test",
    version=1,
    markers=(_QUIRK, "Finished creating vCPUs"),
    rivals=("starting uffd threads",),
    options=_OPTIONS,
    scan=_scan,
    measures=False,
)
