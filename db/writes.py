"""Stores captures and what was read from them. Callers own the transaction; equal things become one row."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from db import models
from db.errors import DatabaseError
from db.keys import digest, revision_key
from db.series import placed
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts, Stored

_GZIP_LEVEL = 6


def _table(model: type[models.Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 (declarative classes always have one)
    return table


class Writer:
    """Writes captures into one open transaction, remembering the ids of what it has seen.

    Use one writer per transaction: after a rollback its memory would be wrong.
    """

    def __init__(
        self, connection: Connection, *, origin: str = "", now: datetime | None = None, upload_id: int | None = None
    ) -> None:
        self._connection = connection
        self._origin = origin
        self._now = now or datetime.now(UTC)
        self._upload_id = upload_id
        self._ids: dict[tuple[object, ...], int] = {}
        self._places: dict[RevisionFacts, RevisionFacts] = {}

    def store(self, context: CaptureContext, capture: NewCapture) -> Stored:
        """Store one capture with its runs, or say that it is already there."""
        place = replace(context, revision=self._placed(context.revision))
        # A commit that found its place later must not make the same upload a new one: what was said identifies it.
        identity = _identity(place if context.revision.series else context, capture)
        context = place
        known = self._connection.execute(
            select(models.Capture.quarantined).where(models.Capture.identity == identity)
        ).scalar()
        if known is not None:
            return Stored(capture.source, "duplicate", reason=known)
        capture_id, places = self._capture(context, capture, identity)
        values = 0
        for position, run in enumerate(capture.runs):
            values += self._run(capture_id, position, run, places, capture.started_at)
        measurements = sum(len(run.measurements) for run in capture.runs)
        outcome = "quarantined" if capture.quarantined else "stored"
        return Stored(capture.source, outcome, len(capture.runs), measurements, values, capture.quarantined)

    def _placed(self, facts: RevisionFacts) -> RevisionFacts:
        if facts not in self._places:
            self._places[facts] = placed(self._connection, facts)
        return self._places[facts]

    def revision(self, facts: RevisionFacts) -> int:
        """The id of a revision, stored where it is new."""
        version_id = self._series_version(facts) if facts.series else None
        key = revision_key(facts, version_id)
        columns = {
            "kernel": facts.kernel,
            "commit": facts.commit,
            "label": facts.label,
            "tree": facts.tree,
            "branch": facts.branch,
            "describe": facts.describe,
            "subject": facts.subject,
            "config_hash": facts.config_hash,
            "dirty": facts.dirty,
            "committed_at": facts.committed_at,
            "first_seen_at": self._now,
            "series_version_id": version_id,
            "patch_k": facts.patch,
        }
        return self._one(models.Revision, {"key": key}, columns)

    def _series_version(self, facts: RevisionFacts) -> int:
        if facts.version is None:
            raise DatabaseError(f"series {facts.series!r}: no version given", "add --version N")
        series_id = self._one(models.PatchSeries, {"name": facts.series}, {"subject": "", "change_id": ""})
        empty = {"subject": "", "message_id": "", "base_commit": "", "posted_at": None}
        return self._one(models.SeriesVersion, {"series_id": series_id, "version": facts.version}, empty)

    def _capture(
        self, context: CaptureContext, capture: NewCapture, identity: str
    ) -> tuple[int, dict[str, int | None]]:
        host_id = self._host(context)
        boot_id = self._one(models.Boot, {"host_id": host_id, "boot_id": context.boot_id}) if context.boot_id else None
        state_id = self._state(context.state) if context.state else None
        places = {
            "host_id": host_id,
            "boot_id": boot_id,
            "host_state_id": state_id,
            "revision_id": self.revision(context.revision),
        }
        row = {
            **places,
            "identity": identity,
            "upload_id": self._upload(),
            "facts_id": self.artifact(context.facts) if context.facts else None,
            "source": capture.source,
            "command": capture.command,
            "exit_status": capture.exit_status,
            "started_at": capture.started_at,
            "ended_at": capture.ended_at,
            "tags": dict(context.tags),
            "reported": context.reported,
            "quarantined": capture.quarantined,
        }
        capture_id = self._insert(models.Capture, row)
        files = [
            {"capture_id": capture_id, "name": name, "artifact_id": self.artifact(content)}
            for name, content in capture.files.items()
        ]
        if files:
            self._connection.execute(insert(_table(models.CaptureFile)), files)
        return capture_id, places

    def _run(
        self, capture_id: int, position: int, run: NewRun, places: Mapping[str, int | None], started: datetime | None
    ) -> int:
        case_id = self._test_case(run.benchmark, run.params)
        run_id = self._insert(
            models.Run,
            {
                **places,
                "capture_id": capture_id,
                "position": position,
                "test_case_id": case_id,
                "status": run.status,
                "started_at": started,
                "format": run.format,
                "format_version": run.format_version,
                "warnings": list(run.warnings),
                "labels": dict(run.labels),
                "reported": run.reported,
            },
        )
        host_id = places["host_id"]
        rows = [
            {"time_series_id": self._time_series(case_id, host_id, run.benchmark, m), "run_id": run_id, **_summary(m)}
            for m in run.measurements
        ]
        if rows:
            self._connection.execute(insert(_table(models.Measurement)), rows)
        return sum(m.values.size for m in run.measurements)

    def _host(self, context: CaptureContext) -> int:
        host_id = self._one(
            models.Host, {"name": context.host}, {"machine_id_hash": context.machine_id_hash, "created_at": self._now}
        )
        if context.machine_id_hash:
            self._connection.execute(
                update(models.Host)
                .where(models.Host.id == host_id, models.Host.machine_id_hash == "")
                .values(machine_id_hash=context.machine_id_hash)
            )
        return host_id

    def _state(self, state: Mapping[str, str]) -> int:
        return self._one(models.HostState, {"digest": digest(dict(state))}, {"fields": dict(state)})

    def _test_case(self, benchmark: str, params: Mapping[str, object]) -> int:
        benchmark_id = self._one(models.Benchmark, {"name": benchmark})
        named = {"benchmark_id": benchmark_id, "digest": digest(dict(params))}
        return self._one(models.TestCase, named, {"params": dict(params)})

    def _time_series(self, case_id: int, host_id: int | None, benchmark: str, new: NewMeasurement) -> int:
        benchmark_id = self._one(models.Benchmark, {"name": benchmark})
        named = {"benchmark_id": benchmark_id, "name": new.metric, "unit": new.unit}
        metric_id = self._one(models.Metric, named, {"better": new.better})
        return self._one(models.TimeSeries, {"test_case_id": case_id, "metric_id": metric_id, "host_id": host_id})

    def artifact(self, content: bytes) -> int:
        """The id of raw bytes, stored compressed where they are new."""
        sha256 = hashlib.sha256(content).hexdigest()
        key = (models.Artifact, sha256)
        if key not in self._ids:
            found = self._connection.execute(
                select(models.Artifact.id).where(models.Artifact.sha256 == sha256)
            ).scalar()
            if found is None:
                packed = gzip.compress(content, _GZIP_LEVEL, mtime=0)
                return self._one(models.Artifact, {"sha256": sha256}, {"size": len(content), "content": packed})
            self._ids[key] = found
        return self._ids[key]

    def _upload(self) -> int:
        if self._upload_id is None:
            self._upload_id = self._insert(models.Upload, {"received_at": self._now, "origin": self._origin})
        return self._upload_id

    def _insert(self, model: type[models.Base], row: Mapping[str, Any]) -> int:  # Any: column values
        done = self._connection.execute(insert(_table(model)), [dict(row)])
        if done.inserted_primary_key is not None:
            return int(done.inserted_primary_key[0])
        raise AssertionError("an insert without a key")

    def _one(self, model: type[models.Base], named: Mapping[str, Any], rest: Mapping[str, Any] | None = None) -> int:
        """The id of the row with these identifying columns; inserted where new, even against another writer."""
        key = (model, *named.values())
        if key not in self._ids:
            table = _table(model)
            find = select(table.c.id).where(*(table.c[name] == value for name, value in named.items()))
            found = self._connection.execute(find).scalar()
            if found is None:
                dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
                row = {**named, **(rest or {})}
                self._connection.execute(dialect.insert(table).values(row).on_conflict_do_nothing())
                found = self._connection.execute(find).scalar_one()
            self._ids[key] = int(found)
        return self._ids[key]


def _summary(new: NewMeasurement) -> dict[str, object]:
    judged = new.values[new.warmup :] if new.warmup < new.values.size else new.values
    return {
        "n": new.values.size,
        "warmup": new.warmup,
        "mean": float(judged.mean()),
        "median": float(np.median(judged)),
        "minimum": float(judged.min()),
        "maximum": float(judged.max()),
        "deviation": float(judged.std(ddof=1)) if judged.size > 1 else None,
        "values": new.values,
    }


def _identity(context: CaptureContext, capture: NewCapture) -> str:
    """Content and context of a capture. Its path counts only where no start time tells two equal outputs apart."""
    files = {name: hashlib.sha256(content).hexdigest() for name, content in capture.files.items()}
    facts = context.revision
    code = [
        facts.kernel,
        facts.commit,
        facts.label,
        facts.config_hash,
        facts.dirty,
        facts.series,
        facts.version,
        facts.patch,
    ]
    place = None if capture.started_at else capture.source
    told = [capture.command, capture.exit_status, str(capture.started_at), str(capture.ended_at)]
    return digest([files, told, context.host, context.boot_id, code, context.reported, place])
