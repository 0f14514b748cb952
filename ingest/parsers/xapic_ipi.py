"""xapic_ipi_test: how many interrupts one vCPU sends to another that halts, in a time that is fixed.

The counts are printed on stderr; a log of the kselftest runner has them among its lines.
"""

import re
from collections.abc import Mapping

from ingest.parsers.commandline import Option, integer
from ingest.parsers.draft import Draft
from ingest.parsers.lines import Line, clean
from ingest.parsers.program import Program
from ingest.records import Better, Measurement, Output, Unit

_SENT = re.compile(r"Sending vCPU sent (?P<sent>\d{1,15}) IPIs to halting vCPU\Z")
_RECEIVED = re.compile(
    r"Halting vCPU halted (?P<halted>\d{1,15}) times, woke (?P<woke>\d{1,15}) times, "
    r"received (?P<received>\d{1,15}) IPIs"
)
_METRICS = (("sent", "ipis_sent"), ("halted", "halts"), ("woke", "wakes"), ("received", "ipis_received"))


def _scan(lines: list[Line], output: Output) -> list[Draft]:
    draft = Draft(is_begun=True, is_finished=any(line.text for line in lines) or bool(output.stderr.strip()))
    found = [match for line in lines for match in _matches(line, draft)]
    if not found:  # their lines are not those of the text
        for line in clean(output.stderr):
            _matches(line._replace(number=0), draft)
    return [draft]


def _matches(line: Line, draft: Draft) -> list[re.Match[str]]:
    match = (_SENT.match(line.text) or _RECEIVED.match(line.text)) if "IPIs" in line.text else None
    if match is None:
        return []
    for group, metric in _METRICS:
        if group in match.re.groupindex:
            count = float(match[group])
            draft.add(line, Measurement(metric, Unit.COUNT, Better.HIGHER, count, line=line.number))
    return [match]


_OPTIONS: Mapping[str, Option] = {
    "-s": Option("seconds", integer, 3),
    "-d": Option("migration_delay_us", integer),
    "-m": Option("migrate_memory", default=False),
}

PROGRAM = Program(
    name="xapic_ipi_test",
    version=1,
    markers=("Halting vCPU halted ", "Sending vCPU sent "),
    options=_OPTIONS,
    scan=_scan,
    measures=False,
)
