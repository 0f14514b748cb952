"""Reads stored captures anew with today's parsers, says what changed, and stores it capture by capture.

Each capture is a transaction of its own and notes the parsers that looked at it, so that a run which was interrupted
goes on where it stopped. What today's parsers cannot read any more keeps the runs that it has.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from db import audit, captures
from db.captures import Pending, StoredCapture
from db.engine import reading, writing
from db.errors import UserError
from db.values import NewCapture
from ingest.captures import PARSERS, capture, held
from ingest.differences import differences
from ingest.outputs import Captured, Found, decoded, read_output
from ingest.records import Output

_TOGETHER = 200  # unchanged captures that are noted in one transaction
_TEXTS = {"stdout", "stderr"}
_SIDES = {"cmd": ".cmd", "rc": ".rc", "time": ".time", "stderr": ".err"}


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one capture. `what`: changed, readable, unreadable (its runs were kept), or unchanged."""

    capture_id: int
    source: str
    what: str
    details: tuple[str, ...] = ()


def reparse(engine: Engine, wanted: Pending, *, dry_run: bool = False, actor: str = "") -> Iterator[Change]:
    """Parse what is asked for; one Change a capture, in the order of upload. With `dry_run` nothing is stored."""
    with reading(engine) as connection:
        ids = captures.pending(connection, wanted)
    unchanged: list[int] = []
    try:
        for capture_id in ids:
            change, new, stored = _look(engine, capture_id)
            yield change
            if dry_run:
                continue
            if change.what == "unchanged":
                unchanged.append(capture_id)
                if len(unchanged) == _TOGETHER:
                    _note(engine, unchanged)
            else:
                _store(engine, stored, new, change, actor)
    finally:
        if not dry_run:
            _note(engine, unchanged)


def _look(engine: Engine, capture_id: int) -> tuple[Change, NewCapture, StoredCapture]:
    with reading(engine) as connection:
        stored = captures.capture(connection, capture_id)
        old = captures.runs(connection, capture_id)
    new = _parsed(stored)
    if new.quarantined:
        kept = Change(capture_id, stored.source, "unreadable", (new.quarantined,))
        return kept if old else replace(kept, what="unchanged", details=()), new, stored
    found = differences([one.run for one in old], new.runs)
    what = "readable" if stored.quarantined else "changed" if found else "unchanged"
    return Change(capture_id, stored.source, what, found), new, stored


def _store(engine: Engine, stored: StoredCapture, new: NewCapture, change: Change, actor: str) -> None:
    with writing(engine) as connection:
        if change.what != "unreadable":
            captures.replace_runs(connection, stored, captures.runs(connection, stored.id), new)
            captures.hold(connection, stored.id, "")
        captures.mark(connection, [stored.id], PARSERS)
        detail = {"what": change.what, "details": list(change.details)}
        audit.add(connection, actor, "reparse", str(stored.id), detail)


def _note(engine: Engine, capture_ids: list[int]) -> None:
    if capture_ids:
        with writing(engine) as connection:
            captures.mark(connection, capture_ids, PARSERS)
        capture_ids.clear()


def _parsed(stored: StoredCapture) -> NewCapture:
    """What the parsers make of the stored bytes, as if they came now."""
    if stored.files.keys() & _SIDES.keys() - _TEXTS:
        return _with_side_files(stored)
    try:
        output = _output(stored)
    except UserError as error:
        return held(Captured(Output("", stored.source), b"", b"", stored.source), error)
    return capture(Captured(output, b"", b"", stored.source))


def _output(stored: StoredCapture) -> Output:
    is_tree = not set(stored.files) <= _TEXTS
    return Output(
        text="" if is_tree else decoded(stored.files.get("stdout", b""), stored.source),
        source=stored.source,
        command=stored.command,
        exit_status=stored.exit_status,
        started_at=stored.started_at.timestamp() if stored.started_at else None,
        ended_at=stored.ended_at.timestamp() if stored.ended_at else None,
        stderr="" if is_tree else decoded(stored.files.get("stderr", b""), stored.source),
        files=stored.files if is_tree else {},
    )


def _with_side_files(stored: StoredCapture) -> NewCapture:
    """An output whose side files could not be read when it came: they are kept, and read again."""
    with TemporaryDirectory(prefix="kvmperf-") as folder:
        stem = Path(folder) / "output"
        path = stem.with_suffix(".out")
        path.write_bytes(stored.files.get("stdout", b""))
        for name, suffix in _SIDES.items():
            if name in stored.files:
                stem.with_suffix(suffix).write_bytes(stored.files[name])
        try:
            return capture(read_output(Found(stem, path, stored.source)))
        except UserError as error:
            return held(Captured(Output("", stored.source), b"", b"", stored.source), error)
