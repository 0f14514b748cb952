"""Takes captured outputs into the database: parse, keep the raw bytes, store runs; quarantine what cannot be read."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from db.errors import UserError
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, Stored
from db.writes import Writer
from ingest import parsers
from ingest.bundle import Bundle
from ingest.context import Given, context, placed
from ingest.errors import FormatError
from ingest.hostfacts.given import read_given
from ingest.mmtests.finding import what_fits
from ingest.mmtests.place import Places
from ingest.outputs import STDIN, Captured, Found, find_outputs, read_output, read_outputs
from ingest.records import Measurement, Output, Record

_VERSIONS = {row.name: row.version for row in parsers.FORMATS}


def accept(writer: Writer, context: CaptureContext, paths: Iterable[Path], *, hidden: str = "") -> Iterator[Stored]:
    """Store each output under the paths and say what became of it. The caller commits: all of an upload, or nothing.

    `hidden` is a folder that is of no interest to a reader and left out of reasons. Raises InputError for a path that
    is not there or holds no outputs.
    """
    for path in paths:
        for _found, one in _captures(path):
            told = replace(one, quarantined=one.quarantined.replace(hidden, "")) if hidden else one
            yield writer.store(_in_its_boot(context, told), told)


def accept_given(writer: Writer, given: Given, paths: Iterable[Path]) -> Iterator[Stored]:
    """The same in the context that a user's words make; what an MMTests tree tells of its host completes them."""
    places = Places(given)
    elsewhere: CaptureContext | None = None
    for path in paths:
        for found, one in _captures(path):
            if found is not None and found.part is not None:
                yield writer.store(places.of(found.part.iteration), one)
                continue
            elsewhere = elsewhere or context(given)
            yield writer.store(_in_its_boot(elsewhere, one), one)


def _captures(path: Path) -> Iterator[tuple[Found | None, NewCapture]]:
    if str(path) == STDIN:
        yield from ((None, capture(captured)) for captured in read_outputs([path]))
    else:
        yield from ((found, _read(found)) for found in find_outputs(path))


def accept_bundle(writer: Writer, bundle: Bundle, said: Given) -> Iterator[Stored]:
    """Store what a bundle holds, each part in its own context; what the uploader says goes before what it says."""
    folder = f"{bundle.folder}/"
    for part in bundle.parts:
        facts = part.facts if said.host_facts is None else read_given(said.host_facts)
        context = placed(_merged(part.given, said), facts, part.boot_since)
        yield from accept(writer, context, [part.outputs], hidden=folder)


def _merged(told: Given, said: Given) -> Given:
    empty = Given()
    names = [field.name for field in fields(Given) if getattr(said, field.name) != getattr(empty, field.name)]
    both = {name: getattr(said, name) for name in names if name != "tags"}
    return replace(told, **both, tags=told.tags + said.tags)


def capture(captured: Captured) -> NewCapture:
    """What is to be stored of one output: its bytes always, its runs where a parser understands it."""
    try:
        runs = tuple(_run(record) for record in parsers.parse(captured.output))
    except FormatError as error:
        return _new(captured, quarantined=_reason(error))
    return _new(captured, runs=runs)


def _read(found: Found) -> NewCapture:
    """The capture of one output on disk; a file that is no text, or has a broken side file, is kept in quarantine."""
    try:
        captured = read_output(found)
    except UserError as error:
        if found.path is None:
            raise
        if found.part is not None:
            return NewCapture(found.relative_path, what_fits(found.part)[0], quarantined=_reason(error))
        source = Output(text="", source=str(found.path))
        return _new(Captured(source, found.path.read_bytes(), b"", found.relative_path), quarantined=_reason(error))
    return capture(captured)


def _reason(error: UserError) -> str:
    return f"{error} ({error.hint})" if error.hint else str(error)


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
    )


def _in_its_boot(context: CaptureContext, captured: NewCapture) -> CaptureContext:
    """The context without the running boot for what was measured before it began: boots are the unit of replication."""
    if context.boot_since is None or captured.started_at is None:
        return context
    return context if captured.started_at.timestamp() >= context.boot_since else replace(context, boot_id="")


def _run(record: Record) -> NewRun:
    return NewRun(
        benchmark=record.benchmark,
        params=dict(record.params),
        status=record.status.value,
        format=record.format,
        format_version=_VERSIONS.get(record.format, 1),
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
            values=np.array([m.value for m in sorted(values, key=_in_order)], dtype=np.float64),
            warmup=sum(m.warmup for m in values),
        )
        for (name, unit, better), values in series.items()
    )


def _in_order(one: Measurement) -> tuple[bool, int]:
    return (not one.warmup, one.iteration or 0)


def _instant(epoch_s: float | None) -> datetime | None:
    return None if epoch_s is None else datetime.fromtimestamp(epoch_s, UTC)
