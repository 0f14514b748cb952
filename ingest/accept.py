"""Takes captured outputs into the database: parse, keep the raw bytes, store runs; quarantine what cannot be read."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, Stored
from db.writes import Writer
from ingest import parsers
from ingest.errors import FormatError
from ingest.outputs import Captured
from ingest.records import Measurement, Record


def accept(writer: Writer, context: CaptureContext, captured: Iterable[Captured]) -> Iterator[Stored]:
    """Store each output in turn and say what became of it. The caller commits: all of an upload, or nothing."""
    for one in captured:
        yield writer.store(_in_its_boot(context, one), capture(one))


def capture(captured: Captured) -> NewCapture:
    """What is to be stored of one output: its bytes always, its runs where a parser understands it."""
    runs: tuple[NewRun, ...] = ()
    reason = captured.unreadable
    if not reason:
        try:
            runs = tuple(_run(record) for record in parsers.parse(captured.output))
        except FormatError as error:
            reason = f"{error} ({error.hint})" if error.hint else str(error)
    output = captured.output
    return NewCapture(
        source=captured.relative_path,
        files={"stdout": captured.stdout} | ({"stderr": captured.stderr} if captured.stderr else {}),
        command=output.command,
        exit_status=output.exit_status,
        started_at=_instant(output.started_at),
        ended_at=_instant(output.ended_at),
        runs=runs,
        quarantined=reason,
    )


def _in_its_boot(context: CaptureContext, captured: Captured) -> CaptureContext:
    """The context without the running boot for what was measured before it began: boots are the unit of replication."""
    started = captured.output.started_at
    if context.boot_since is None or started is None or started >= context.boot_since:
        return context
    return replace(context, boot_id="")


def _run(record: Record) -> NewRun:
    return NewRun(
        benchmark=record.benchmark,
        params=dict(record.params),
        status=record.status.value,
        format=record.format,
        format_version=parsers.version(record.format),
        measurements=measurements(record.measurements),
        warnings=record.warnings,
        labels=dict(record.labels),
        reported=record.reported,
    )


def measurements(found: Iterable[Measurement]) -> tuple[NewMeasurement, ...]:
    """One entry per time series, its values in order of iteration, warm-up first."""
    series: dict[tuple[str, str, str], list[Measurement]] = {}
    for one in found:
        series.setdefault((one.series, one.unit.value, one.better.value), []).append(one)
    return tuple(
        NewMeasurement(
            metric=name,
            unit=unit,
            better=better,
            values=np.array([m.value for m in sorted(values, key=_in_order)]),
            warmup=sum(m.warmup for m in values),
        )
        for (name, unit, better), values in series.items()
    )


def _in_order(one: Measurement) -> tuple[bool, int]:
    return (not one.warmup, one.iteration or 0)


def _instant(epoch_s: float | None) -> datetime | None:
    return None if epoch_s is None else datetime.fromtimestamp(epoch_s, UTC)
