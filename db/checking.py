"""Looks through a database: the file, the schema, rows that point nowhere, raw outputs, packed measurements."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Table, and_, exists, func, select, text, type_coerce
from sqlalchemy.types import LargeBinary

from db.engine import HEAD, reading, schema_version
from db.errors import DamagedError
from db.models import Artifact, Base, Capture, CaptureFile, Measurement, Run, TimeSeries

_BATCH = 20_000
_ARTIFACTS = 50  # whole outputs in memory at a time
_SHOWN = 5  # keys named in one finding


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: a problem, or that all is well, in words."""

    what: str
    text: str
    is_problem: bool = False


def check(engine: Engine) -> Iterator[Finding]:
    """What is found, one after the other. Nothing is changed; others may write meanwhile."""
    try:
        yield from _looks(engine)
    except DamagedError as error:
        yield Finding("reading", f"{error.said}: nothing more can be looked at", is_problem=True)


def _looks(engine: Engine) -> Iterator[Finding]:
    version = schema_version(engine)
    yield Finding("schema", f"version {version or 'none'}, this kvmperf's is {HEAD}", version != HEAD)
    if version != HEAD:
        return
    with reading(engine) as connection:
        yield _file(connection)
        yield from _references(connection)
        yield _without_content(connection)
        yield _artifacts(connection)
        yield _measurements(connection)
        yield from _left_over(connection)


def _file(connection: Connection) -> Finding:
    """What the engine says of its own storage."""
    if connection.dialect.name == "sqlite":
        said = " ".join("; ".join(connection.execute(text("PRAGMA integrity_check(5)")).scalars()).split())
        return Finding("file", "SQLite finds no damage" if said == "ok" else said, said != "ok")
    torn = connection.execute(
        text("SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database WHERE datname = current_database()")
    ).scalar_one()
    return Finding("file", f"{torn} pages with a wrong checksum were met", bool(torn))


def _references(connection: Connection) -> Iterator[Finding]:
    """Rows that point to a row that is not there. The engines prevent it; a damaged disk or a careless hand do not."""
    found: list[Finding] = []
    for table in Base.metadata.sorted_tables:
        for constraint in table.foreign_key_constraints:
            (element,) = constraint.elements
            parent: Table = element.column.table.alias()  # type: ignore[assignment]  # an alias has its columns
            is_there = exists().where(parent.c[element.column.name] == element.parent)
            lost = select(func.count()).select_from(table).where(element.parent.is_not(None), ~is_there)
            count = connection.execute(lost).scalar_one()
            if count:
                words = f"{count} rows of {table.name} name a {element.column.table.name} that is not there"
                found.append(Finding("references", words, is_problem=True))
    yield from found or [Finding("references", "every row that is named is there")]


def _without_content(connection: Connection) -> Finding:
    """Captures that lost their files, or have neither runs nor a reason for that: halves of an upload."""
    no_files = ~exists().where(CaptureFile.capture_id == Capture.id)
    no_runs = and_(Capture.quarantined == "", ~exists().where(Run.capture_id == Capture.id))
    halves = connection.execute(select(Capture.id).where(no_files | no_runs).order_by(Capture.id)).scalars().all()
    if halves:
        return Finding("captures", f"{len(halves)} are not whole: {_named(halves)}", is_problem=True)
    return Finding("captures", f"{_count(connection, Capture):,} with files, and with runs or a reason")


def _artifacts(connection: Connection) -> Finding:
    """Every raw output unpacked and hashed."""
    wanted = select(Artifact.id, Artifact.sha256, Artifact.size, Artifact.content).order_by(Artifact.id)
    bad: list[int] = []
    count = 0
    for row in connection.execute(wanted.execution_options(stream_results=True, yield_per=_ARTIFACTS)):
        count += 1
        try:
            content = gzip.decompress(row.content)
        except (OSError, EOFError, zlib.error, TypeError):  # of damaged bytes, of no bytes at all
            bad.append(row.id)
            continue
        if len(content) != row.size or hashlib.sha256(content).hexdigest() != row.sha256:
            bad.append(row.id)
    if bad:
        return Finding("artifacts", f"{len(bad)} of {count} do not match their hash: {_named(bad)}", is_problem=True)
    return Finding("artifacts", f"{count:,} match their hash")


def _measurements(connection: Connection) -> Finding:
    """Every row's values unpacked, and held against their count."""
    told = Measurement
    packed = type_coerce(told.values, LargeBinary).label("packed")
    wanted = select(told.time_series_id, told.run_id, told.n, told.warmup, packed)
    bad: list[str] = []
    rows = values = 0
    for part in connection.execute(wanted.execution_options(stream_results=True, yield_per=_BATCH)).partitions():
        bad += [f"time series {row[0]} run {row[1]}" for row in part if not _is_whole(row.n, row.warmup, row.packed)]
        rows += len(part)
        values += sum(row.n for row in part)
    if bad:
        return Finding("measurements", f"{len(bad)} of {rows} cannot be read: {_named(bad)}", is_problem=True)
    return Finding("measurements", f"{rows:,} with {values:,} values are readable")


def _is_whole(n: int, warmup: int, packed: object) -> bool:
    return isinstance(packed, bytes) and len(packed) == 8 * n and 0 <= warmup <= n and n > 0


def _left_over(connection: Connection) -> Iterator[Finding]:
    """What nothing refers to: no damage, but room that `db prune` gives back."""
    used = exists().where(CaptureFile.artifact_id == Artifact.id) | exists().where(Capture.facts_id == Artifact.id)
    files = connection.execute(select(func.count()).select_from(Artifact).where(~used)).scalar_one()
    measured = exists().where(Measurement.time_series_id == TimeSeries.id)
    empty = connection.execute(select(func.count()).select_from(TimeSeries).where(~measured)).scalar_one()
    yield Finding("left over", f"{files} raw outputs of no capture, {empty} time series without measurements")


def _count(connection: Connection, model: type[Base]) -> int:
    return connection.execute(select(func.count()).select_from(model)).scalar_one()


def _named(keys: Sequence[object]) -> str:
    return ", ".join(map(str, keys[:_SHOWN])) + (" and others" if len(keys) > _SHOWN else "")
