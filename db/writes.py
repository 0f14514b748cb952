"""Stores captures and what was read from them. Callers own the transaction; equal things become one row."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, select, update

from db import artifacts, measuring
from db.bulk import add_all, reserve
from db.dimensions import Dimensions, Places
from db.keys import digest
from db.listed import is_one_digest_of
from db.models import Capture, CaptureFile, Run, Upload
from db.origin import RevisionFacts
from db.values import CaptureContext, NewCapture, NewRun, Stored

_BATCH = 500  # captures that go in together
_BATCH_BYTES = 4 << 20  # or so many raw bytes: memory must not grow with an upload

Pair = tuple[CaptureContext, NewCapture]


class Writer:
    """Writes captures into one open transaction, remembering the ids of what it has seen.

    Use one writer per transaction: after a rollback its memory would be wrong. `before` are the identities of captures
    that this very upload stored in an earlier try: they count as stored by it, once each.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        origin: str = "",
        now: datetime | None = None,
        upload_id: int | None = None,
        before: set[str] | None = None,
    ) -> None:
        self._connection = connection
        self._origin = origin
        self._now = now or datetime.now(UTC)
        self._upload_id = upload_id
        self._before = set() if before is None else before
        self._dimensions = Dimensions(connection, self._now)

    def store(self, context: CaptureContext, capture: NewCapture) -> Stored:
        """Store one capture with its runs, or say that it is already there."""
        (stored,) = self._batch([(context, capture)])
        return stored

    def store_all(self, pairs: Iterable[Pair]) -> Iterator[Stored]:
        """Store captures as they come, some of them at a time; what became of each, in their order."""
        batch: list[Pair] = []
        size = 0
        for context, capture in pairs:
            batch.append((context, capture))
            size += sum(map(len, capture.files.values()))
            if len(batch) == _BATCH or size > _BATCH_BYTES:
                yield from self._batch(batch)
                batch, size = [], 0
        yield from self._batch(batch)

    @property
    def upload_id(self) -> int | None:
        """The row of the upload; None while nothing new was stored."""
        return self._upload_id

    def revision(self, facts: RevisionFacts) -> int:
        """The id of a revision, stored where it is new."""
        return self._dimensions.revision(facts)

    def artifact(self, content: bytes) -> int:
        """The id of raw bytes, stored compressed where they are new."""
        sha256 = hashlib.sha256(content).hexdigest()
        return artifacts.store(self._connection, {sha256: content})[sha256]

    def _batch(self, pairs: Sequence[Pair]) -> list[Stored]:
        named = [self._named(context, capture) for context, capture in pairs]
        known = self._known([identity for one in named for identity in (one.identity, one.alias)])
        new: dict[str, _Named] = {}
        stored: list[Stored] = []
        for one in named:
            reason = new[one.identity].capture.quarantined if one.identity in new else known.get(one.identity)
            reason = known.get(one.alias) if reason is None else reason
            if one.identity in self._before and one.identity in known:
                self._before.remove(one.identity)
                stored.append(_stored(one.capture))
            elif reason is not None:
                stored.append(Stored(one.capture.source, "duplicate", reason=reason))
            else:
                new[one.identity] = one
                stored.append(_stored(one.capture))
        self._insert(list(new.values()))
        return stored

    def _named(self, context: CaptureContext, capture: NewCapture) -> "_Named":
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in capture.files.items()}
        said, other = _sayings(context.revision, self._dimensions.placed(context.revision))
        identity = _identity(context, said, capture, digests)
        alias = identity if other == said else _identity(context, other, capture, digests)
        return _Named(identity, context, capture, digests, alias)

    def _known(self, identities: Sequence[str]) -> dict[str, str]:
        """Those of the captures that are stored, with the reason where they are quarantined."""
        wanted = select(Capture.identity, Capture.quarantined).where(is_one_digest_of(Capture.identity, identities))
        return {row.identity: row.quarantined for row in self._connection.execute(wanted)}

    def _insert(self, new: Sequence["_Named"]) -> None:
        if not new:
            return
        contents = {sha: one.capture.files[name] for one in new for name, sha in one.digests.items()}
        facts = {one.facts: one.context.facts for one in new if one.facts}
        files = artifacts.store(self._connection, contents | facts)
        upload_id = self._upload()
        ids = reserve(self._connection, Capture, len(new))
        places = [self._dimensions.places(one.context) for one in new]
        add_all(
            self._connection,
            Capture,
            [
                _capture_row(one, capture_id, upload_id, files.get(one.facts)) | where
                for one, capture_id, where in zip(new, ids, places, strict=True)
            ],
        )
        add_all(
            self._connection,
            CaptureFile,
            [
                {"capture_id": capture_id, "name": name, "artifact_id": files[sha]}
                for one, capture_id in zip(new, ids, strict=True)
                for name, sha in one.digests.items()
            ],
        )
        add_runs(
            self._connection,
            self._dimensions,
            [
                (capture_id, position, where, one.capture.started_at, _reported(run, one.context))
                for one, capture_id, where in zip(new, ids, places, strict=True)
                for position, run in enumerate(one.capture.runs)
            ],
        )

    def _upload(self) -> int:
        if self._upload_id is None:
            (self._upload_id,) = reserve(self._connection, Upload, 1)
            row = {"id": self._upload_id, "received_at": self._now, "origin": self._origin, "token": ""}
            add_all(self._connection, Upload, [row])
        return self._upload_id


@dataclass(frozen=True, slots=True)
class _Named:
    """A capture with its context, its identity, and the digests of its files.

    `alias` is the identity that it would have if its patch had been named the other way, by commit or by number.
    """

    identity: str
    context: CaptureContext
    capture: NewCapture
    digests: Mapping[str, str]
    alias: str

    @property
    def facts(self) -> str:
        return hashlib.sha256(self.context.facts).hexdigest() if self.context.facts else ""


PlacedRun = tuple[int, int, Places, datetime | None, NewRun]  # id of the capture, position in it


def add_runs(
    connection: Connection, dimensions: Dimensions, runs: Sequence[PlacedRun], kept: Mapping[int, int] | None = None
) -> None:
    """Insert runs with their measurements; `kept` names rows that are there already and only change, by position."""
    there = kept or {}
    fresh = iter(reserve(connection, Run, sum(position not in there for _, position, *_ in runs)))
    ids = [there[position] if position in there else next(fresh) for _, position, *_ in runs]
    cases = dimensions.test_cases([(run.benchmark, run.params) for *_, run in runs])
    rows = [
        {"id": run_id, "capture_id": capture_id, "position": position, "test_case_id": case_id}
        | where
        | run_columns(run, started)
        for run_id, case_id, (capture_id, position, where, started, run) in zip(ids, cases, runs, strict=True)
    ]
    add_all(connection, Run, [row for row in rows if row["position"] not in there])
    for row in rows:
        if row["position"] in there:
            connection.execute(update(Run).where(Run.id == row["id"]).values(row))
    placed = [
        (run_id, case_id, where["host_id"], run)
        for run_id, case_id, (_, _, where, _, run) in zip(ids, cases, runs, strict=True)
    ]
    measuring.add(connection, dimensions, placed)


def run_columns(run: NewRun, started: datetime | None) -> dict[str, object]:
    """The columns of a run that its parser tells."""
    return {
        "status": run.status,
        "started_at": started,
        "format": run.format,
        "format_version": run.format_version,
        "warnings": list(run.warnings),
        "labels": dict(run.labels),
        "reported": run.reported,
    }


def _capture_row(one: _Named, capture_id: int, upload_id: int, facts_id: int | None) -> dict[str, object]:
    capture = one.capture
    return {
        "id": capture_id,
        "identity": one.identity,
        "upload_id": upload_id,
        "facts_id": facts_id,
        "source": capture.source,
        "command": capture.command,
        "exit_status": capture.exit_status,
        "started_at": capture.started_at,
        "ended_at": capture.ended_at,
        "tags": dict(one.context.tags),
        "reported": one.context.reported,
        "quarantined": capture.quarantined,
        "parsed_with": capture.parsed_with,
    }


def _reported(run: NewRun, context: CaptureContext) -> NewRun:
    """A run is reported where its text says so, or its uploader."""
    return replace(run, reported=True) if context.reported else run


def _stored(capture: NewCapture) -> Stored:
    return Stored(
        capture.source,
        "quarantined" if capture.quarantined else "stored",
        len(capture.runs),
        sum(len(run.measurements) for run in capture.runs),
        sum([one.values.size for run in capture.runs for one in run.measurements]),
        capture.quarantined,
    )


def _sayings(said: RevisionFacts, place: RevisionFacts) -> tuple[RevisionFacts, RevisionFacts]:
    """What identifies a capture, and the other way to say the same.

    A commit that finds its place later must not make the same upload a new one: what was said identifies it.
    """
    if said.series:
        alone = replace(place, series="", version=None, patch=None)
        return replace(place, commit=said.commit), alone if place.commit else replace(place, commit=said.commit)
    return said, replace(place, commit="") if place.series else said


def _identity(context: CaptureContext, facts: RevisionFacts, capture: NewCapture, digests: Mapping[str, str]) -> str:
    """Content and context of a capture. Its path counts only where no start time tells two equal outputs apart."""
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
    return digest([dict(digests), told, context.host, context.boot_id, code, context.reported, place])
