"""Stored captures for re-parsing: which wait, what is in them, and their runs replaced by what newer parsers read.

A run keeps its id where position and benchmark stay, so that links to it stay right. Callers own the transaction.
"""

import gzip
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, exists, select, update

from db import detection
from db.dimensions import Dimensions, Places
from db.models import Artifact, Benchmark, Capture, CaptureFile, Measurement, Metric, Run, TestCase, TimeSeries, Upload
from db.values import NewCapture, NewMeasurement, NewRun
from db.writes import add_runs

_CHUNK = 500  # ids in one IN list


@dataclass(frozen=True, slots=True)
class Pending:
    """Which captures are asked for: not yet looked at by `parsed_with` (empty: all), uploaded since, of a format.

    Captures in quarantine have no format and are always among them.
    """

    parsed_with: str = ""
    since: datetime | None = None
    format: str = ""


@dataclass(frozen=True, slots=True)
class StoredCapture:
    """A capture with its raw files."""

    id: int
    source: str
    files: Mapping[str, bytes]
    command: str | None
    exit_status: int | None
    started_at: datetime | None
    ended_at: datetime | None
    quarantined: str
    reported: bool
    places: Places


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it is stored."""

    id: int
    position: int
    run: NewRun


def pending(connection: Connection, wanted: Pending) -> tuple[int, ...]:
    """The ids of the captures that are asked for, in the order of their upload."""
    query = select(Capture.id).where(Capture.deleted_at.is_(None)).order_by(Capture.id)
    if wanted.parsed_with:
        query = query.where(Capture.parsed_with != wanted.parsed_with)
    if wanted.since is not None:
        query = query.join(Upload, Capture.upload_id == Upload.id).where(Upload.received_at >= wanted.since)
    if wanted.format:
        of_format = exists().where(Run.capture_id == Capture.id, Run.format == wanted.format)
        query = query.where(of_format | (Capture.quarantined != ""))
    return tuple(connection.execute(query).scalars())


def capture(connection: Connection, capture_id: int) -> StoredCapture:
    """One capture with the bytes of its files."""
    row = connection.execute(select(Capture.__table__).where(Capture.id == capture_id)).one()
    kept = connection.execute(
        select(CaptureFile.name, Artifact.content)
        .join(Artifact, CaptureFile.artifact_id == Artifact.id)
        .where(CaptureFile.capture_id == capture_id)
    )
    return StoredCapture(
        id=row.id,
        source=row.source,
        files={one.name: gzip.decompress(one.content) for one in kept},
        command=row.command,
        exit_status=row.exit_status,
        started_at=row.started_at,
        ended_at=row.ended_at,
        quarantined=row.quarantined,
        reported=row.reported,
        places={name: getattr(row, name) for name in ("host_id", "boot_id", "host_state_id", "revision_id")},
    )


def runs(connection: Connection, capture_id: int) -> tuple[StoredRun, ...]:
    """The runs of a capture with their measurements, in order."""
    wanted = (
        select(Run.id, Run.position, Benchmark.name, TestCase.params, Run.status, Run.format, Run.format_version)
        .add_columns(Run.warnings, Run.labels, Run.reported)
        .join(TestCase, Run.test_case_id == TestCase.id)
        .join(Benchmark, TestCase.benchmark_id == Benchmark.id)
        .where(Run.capture_id == capture_id)
        .order_by(Run.position)
    )
    return tuple(
        StoredRun(
            row.id,
            row.position,
            NewRun(
                benchmark=row.name,
                params=row.params,
                status=row.status,
                format=row.format,
                format_version=row.format_version,
                measurements=_measurements(connection, row.id),
                warnings=tuple(row.warnings),
                labels=row.labels,
                reported=row.reported,
            ),
        )
        for row in connection.execute(wanted).all()
    )


def replace_runs(connection: Connection, stored: StoredCapture, old: Sequence[StoredRun], new: NewCapture) -> None:
    """Make the runs of a capture what was read now; measurements are written anew, ids stay where they can.

    A time series that loses its last measurement goes with it: it would be an empty line in every list.
    """
    dimensions = Dimensions(connection, datetime.now(UTC))
    wanted = [replace(run, reported=run.reported or stored.reported) for run in new.runs]
    kept = {
        one.position: one.id
        for one in old
        if one.position < len(wanted) and wanted[one.position].benchmark == one.run.benchmark
    }
    series = _remove_measurements(connection, [one.id for one in old])
    gone = [one.id for one in old if one.id not in kept.values()]
    connection.execute(delete(Run).where(Run.id.in_(gone)))
    add_runs(
        connection,
        dimensions,
        [(stored.id, position, stored.places, stored.started_at, run) for position, run in enumerate(wanted)],
        kept,
    )
    for run in wanted:
        _turn_metrics(connection, dimensions, run)
    _remove_empty(connection, series)


def mark(connection: Connection, capture_ids: Collection[int], parsed_with: str) -> None:
    """Note that these parsers have looked at the captures."""
    ids = sorted(capture_ids)
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        connection.execute(update(Capture).where(Capture.id.in_(part)).values(parsed_with=parsed_with))


def hold(connection: Connection, capture_id: int, reason: str) -> None:
    """Set or clear (empty) the reason why a capture has no runs."""
    connection.execute(update(Capture).where(Capture.id == capture_id).values(quarantined=reason))


def _measurements(connection: Connection, run_id: int) -> tuple[NewMeasurement, ...]:
    wanted = (
        select(Metric.name, Metric.unit, Metric.better, Measurement.values, Measurement.warmup)
        .join(TimeSeries, Measurement.time_series_id == TimeSeries.id)
        .join(Metric, TimeSeries.metric_id == Metric.id)
        .where(Measurement.run_id == run_id)
        .order_by(Metric.name, Metric.id)
    )
    return tuple(NewMeasurement(*row) for row in connection.execute(wanted))


def _remove_measurements(connection: Connection, run_ids: Sequence[int]) -> list[int]:
    """Delete what these runs measured; the time series that it belonged to."""
    mine = Measurement.run_id.in_(run_ids)
    series = list(connection.execute(select(Measurement.time_series_id).where(mine).distinct()).scalars())
    connection.execute(delete(Measurement).where(mine))
    detection.forget(connection, series)  # what was judged of them is no longer what is stored
    return series


def _turn_metrics(connection: Connection, dimensions: Dimensions, run: NewRun) -> None:
    """A newer parser knows better which direction is better."""
    for one in run.measurements:
        metric_id = dimensions.metric(run.benchmark, one)
        turned = update(Metric).where(Metric.id == metric_id, Metric.better != one.better)
        connection.execute(turned.values(better=one.better))


def _remove_empty(connection: Connection, series: Sequence[int]) -> None:
    for start in range(0, len(series), _CHUNK):
        part = series[start : start + _CHUNK]
        measured = exists().where(Measurement.time_series_id == TimeSeries.id)
        connection.execute(delete(TimeSeries).where(TimeSeries.id.in_(part), ~measured))
