"""Forgets on purpose: captures before a time, with their runs and raw outputs, and what nothing refers to any more.

Never chosen: what is part of a patch series, and what an alert compares. Names stay (hosts, boots, revisions, test
cases, metrics): they are small, and progress of detection refers to them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, Select, delete, exists, func, or_, select

from db import audit
from db.alert_models import AlertGroup, AlertMember
from db.engine import in_transaction, reading
from db.models import Artifact, Capture, CaptureFile, Measurement, Revision, Run, TimeSeries, Upload

_BATCH = 500  # captures in one transaction: others write between them


@dataclass(frozen=True, slots=True)
class Retention:
    """What may go: captures uploaded before a time (None: none by age), and those marked as deleted."""

    before: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much goes, or went. `kept`: captures of that age that a patch series or an alert holds."""

    captures: int = 0
    runs: int = 0
    measurements: int = 0
    uploads: int = 0
    outputs: int = 0
    packed_bytes: int = 0
    time_series: int = 0
    kept: int = 0

    def plus(self, other: "Forgotten") -> "Forgotten":
        """Both together."""
        mine, theirs = asdict(self), asdict(other)
        return Forgotten(**{name: mine[name] + theirs[name] for name in mine})


def foresee(engine: Engine, retention: Retention) -> Forgotten:
    """What `prune` would take away. Nothing is changed."""
    with reading(engine) as connection:
        chosen = select(Capture.id).where(_old(retention), ~_held())
        runs = select(Run.id).where(Run.capture_id.in_(chosen))
        # Where every user of an output goes, the output goes.
        staying = select(Capture.id).where(Capture.id.not_in(chosen))
        unused = _unused(CaptureFile.capture_id.in_(staying), Capture.id.in_(staying))
        stays = exists().where(Measurement.time_series_id == TimeSeries.id, Measurement.run_id.not_in(runs))
        return Forgotten(
            captures=_count(connection, chosen),
            runs=_count(connection, runs),
            measurements=_count(connection, select(Measurement.run_id).where(Measurement.run_id.in_(runs))),
            uploads=_count(
                connection,
                select(Upload.id).where(
                    exists().where(Capture.upload_id == Upload.id),
                    ~exists().where(Capture.upload_id == Upload.id, Capture.id.in_(staying)),
                ),
            ),
            outputs=_count(connection, select(Artifact.id).where(unused)),
            packed_bytes=_bytes(connection, unused),
            time_series=_count(connection, select(TimeSeries.id).where(~stays, ~_in_alert())),
            kept=_count(connection, select(Capture.id).where(_old(retention), _held())),
        )


def prune(engine: Engine, retention: Retention, actor: str) -> Forgotten:
    """Take it away, some captures at a time, each time wholly; what went. After an interruption the same again."""
    gone = Forgotten()
    while True:
        some = in_transaction(engine, lambda connection: _some(connection, retention))
        gone = gone.plus(some)
        if not some.captures:
            break
    gone = gone.plus(in_transaction(engine, _loose))
    with reading(engine) as connection:
        kept = _count(connection, select(Capture.id).where(_old(retention), _held()))
    gone = gone.plus(Forgotten(kept=kept))
    told = {**asdict(gone), "before": retention.before and retention.before.isoformat(), "deleted": retention.deleted}
    in_transaction(engine, lambda connection: audit.add(connection, actor, "prune", "captures", told))
    return gone


def _old(retention: Retention) -> ColumnElement[bool]:
    """Captures that the retention names."""
    parts: list[ColumnElement[bool]] = [Capture.deleted_at.is_not(None)] if retention.deleted else []
    if retention.before is not None:
        parts.append(exists().where(Upload.id == Capture.upload_id, Upload.received_at < retention.before))
    return or_(*parts) if parts else Capture.id.is_(None)


def _held() -> ColumnElement[bool]:
    """Captures at a revision that belongs to a patch series, or that an alert compares."""
    of_series = exists().where(Revision.id == Capture.revision_id, Revision.series_version_id.is_not(None))
    in_group = exists().where(
        or_(AlertGroup.base_revision_id == Capture.revision_id, AlertGroup.head_revision_id == Capture.revision_id)
    )
    in_member = exists().where(
        or_(AlertMember.base_revision_id == Capture.revision_id, AlertMember.head_revision_id == Capture.revision_id)
    )
    return or_(of_series, in_group, in_member)


def _in_alert() -> ColumnElement[bool]:
    return exists().where(AlertMember.time_series_id == TimeSeries.id)


def _unused(file_stays: ColumnElement[bool], capture_stays: ColumnElement[bool]) -> ColumnElement[bool]:
    """Raw outputs that neither a file nor the facts of a staying capture are."""
    return ~exists().where(CaptureFile.artifact_id == Artifact.id, file_stays) & ~exists().where(
        Capture.facts_id == Artifact.id, capture_stays
    )


def _some(connection: Connection, retention: Retention) -> Forgotten:
    wanted = select(Capture.id, Capture.upload_id).where(_old(retention), ~_held()).order_by(Capture.id).limit(_BATCH)
    chosen = connection.execute(wanted).all()
    captures = [row.id for row in chosen]
    if not captures:
        return Forgotten()
    runs = connection.execute(select(Run.id).where(Run.capture_id.in_(captures))).scalars().all()
    measurements = sum(_measurements(connection, runs[start : start + _BATCH]) for start in range(0, len(runs), _BATCH))
    for doomed in (
        delete(Run).where(Run.capture_id.in_(captures)),
        delete(CaptureFile).where(CaptureFile.capture_id.in_(captures)),
        delete(Capture).where(Capture.id.in_(captures)),
    ):
        connection.execute(doomed)
    empty = ~exists().where(Capture.upload_id == Upload.id)
    uploads = connection.execute(delete(Upload).where(Upload.id.in_({row.upload_id for row in chosen}), empty)).rowcount
    return Forgotten(len(captures), len(runs), measurements, uploads)


def _measurements(connection: Connection, runs: Sequence[int]) -> int:
    return connection.execute(delete(Measurement).where(Measurement.run_id.in_(runs))).rowcount


def _loose(connection: Connection) -> Forgotten:
    """What nothing refers to any more."""
    unused = ~exists().where(CaptureFile.artifact_id == Artifact.id) & ~exists().where(Capture.facts_id == Artifact.id)
    size = _bytes(connection, unused)
    outputs = connection.execute(delete(Artifact).where(unused)).rowcount
    measured = exists().where(Measurement.time_series_id == TimeSeries.id)
    series = connection.execute(delete(TimeSeries).where(~measured, ~_in_alert())).rowcount
    return Forgotten(outputs=outputs, packed_bytes=size, time_series=series)


def _bytes(connection: Connection, which: ColumnElement[bool]) -> int:
    wanted = select(func.coalesce(func.sum(func.length(Artifact.content)), 0)).where(which)
    return int(connection.execute(wanted).scalar_one())


def _count(connection: Connection, wanted: Select[*tuple[int, ...]]) -> int:
    return connection.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()
