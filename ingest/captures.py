"""What is stored of an output: its raw bytes always, its runs where a parser understands it. No files, no database."""

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from db.errors import UserError
from db.keys import digest
from db.series import ERA
from db.values import NewCapture, NewMeasurement, NewRun
from ingest import parsers
from ingest.errors import FormatError
from ingest.harness import era
from ingest.outputs import Captured, spelled
from ingest.records import Better, Measurement, Record, Status, Unit

_VERSION = 2  # of `measurements`: grows when equal records are stored differently
_VERSIONS = {row.name: row.version for row in parsers.FORMATS}
PARSERS = digest([_VERSION, sorted(_VERSIONS.items())])  # today's parsers; re-parsing looks at what others have read


def capture(captured: Captured) -> NewCapture:
    """What is to be stored of one output: its bytes always, its runs where a parser understands it."""
    try:
        runs = tuple(_run(record, captured.output.text) for record in parsers.parse(captured.output))
    except FormatError as error:
        return held(captured, error)
    return _new(captured, runs=runs)


def reason(error: UserError) -> str:
    """Why something is held, in one line."""
    return spelled(f"{error} ({error.hint})" if error.hint else str(error))


def held(captured: Captured, error: UserError) -> NewCapture:
    """What is kept of an output that cannot be read: its bytes and the reason."""
    return _new(captured, quarantined=reason(error))


def _new(captured: Captured, runs: tuple[NewRun, ...] = (), quarantined: str = "") -> NewCapture:
    output = captured.output
    return NewCapture(
        source=captured.relative_path,
        files=output.files or {"stdout": captured.stdout} | ({"stderr": captured.stderr} if captured.stderr else {}),
        command=output.command,
        exit_status=output.exit_status,
        started_at=_instant(output.started_at),
        ended_at=_instant(output.ended_at),
        runs=runs,
        quarantined=quarantined,
        parsed_with=PARSERS,
    )


def _run(record: Record, text: str) -> NewRun:
    printed_by = "" if record.reported or record.status is not Status.PASS else era(record.benchmark, text)
    return NewRun(
        benchmark=record.benchmark,
        params=dict(record.params),
        status=record.status.value,
        format=record.format,
        format_version=_VERSIONS.get(record.format, 1),
        measurements=measurements(record.measurements),
        warnings=record.warnings,
        labels=dict(record.labels) | ({ERA: printed_by} if printed_by else {}),
        reported=record.reported,
    )


def measurements(found: Iterable[Measurement]) -> tuple[NewMeasurement, ...]:
    """One entry per time series, its values in order of iteration, warm-up first."""
    series: dict[tuple[str, Unit, Better], list[Measurement]] = {}
    for one in found:
        series.setdefault((one.series, one.unit, one.better), []).append(one)
    return tuple(
        NewMeasurement(
            metric=name,
            unit=unit.value,
            better=better.value,
            values=np.array([m.value for m in sorted(values, key=_in_order)], dtype=np.float64),
            warmup=sum(m.warmup for m in values),
        )
        for (name, unit, better), values in series.items()
    )


def _in_order(one: Measurement) -> tuple[bool, int]:
    return (not one.warmup, one.iteration or 0)


def _instant(epoch_s: float | None) -> datetime | None:
    return None if epoch_s is None else datetime.fromtimestamp(epoch_s, UTC)
