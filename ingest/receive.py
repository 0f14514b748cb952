"""Takes an upload that came from elsewhere: checks it, stores all of it once, gives a receipt.

A bundle is known by its digest: the same bundle again gets the receipt of the first time and stores nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Engine

from db import uploads
from db.engine import reading, writing
from db.values import Stored
from ingest.accept import accept_at, accept_bundle
from ingest.bundle import USUAL, Limits, read_manifest, unpack
from ingest.context import Given, placed
from ingest.storing import ONE_WRITE, Batches, Portion

UNPACKED = "kvmperf-unpacked-"  # what folders of uploads are named, in the sender's folder
_LISTED = 1000  # captures that a receipt lists one by one
_MOST_SAID = ("quarantined", "stored", "duplicate")  # what a sender must act on comes first


@dataclass(frozen=True, slots=True)
class Sender:
    """Where uploads are unpacked, and who sent this one: the prefix of the token and a word for the way it came."""

    folder: Path
    token: str = ""
    origin: str = "http"


@dataclass(frozen=True, slots=True)
class Single:
    """One output that came without a bundle, as far as its sender told."""

    stdout: bytes
    given: Given
    source: str = "output"
    command: str = ""
    exit_status: int | None = None
    started_at: float | None = None
    ended_at: float | None = None


def receive_bundle(
    engine: Engine, packed: Path, sender: Sender, limits: Limits = USUAL, portion: Portion = ONE_WRITE
) -> Mapping[str, object]:
    """The receipt of a bundle in a file. Raises BundleError for one that is not whole; nothing of it is stored then.

    A large one is written in portions. After an interruption the same bundle again goes on, and its receipt is that of
    an upload which was never interrupted.
    """
    digest = str(read_manifest(packed, limits)["digest"])
    with reading(engine) as connection:
        if known := uploads.receipt(connection, digest):
            return {**known, "repeated": True}
    with TemporaryDirectory(dir=sender.folder, prefix=UNPACKED) as folder, packed.open("rb") as opened:
        bundle = unpack(opened, "bundle", Path(folder), limits)
        begin = _Beginning(digest, sender)
        batches = Batches(engine, origin=sender.origin, begin=begin, portion=portion)
        try:
            told = receipt(digest, list(accept_bundle(batches, bundle, Given())))
            with writing(engine) as connection:
                uploads.finish(connection, batches.upload_id(connection), told)
        except _KnownError as quicker:  # another sender of the same bundle was quicker
            return {**quicker.told, "repeated": True}
    return told


def receive_single(engine: Engine, single: Single, sender: Sender) -> Mapping[str, object]:
    """The receipt of one output. Its context must be told: nothing is known of where it comes from."""
    context = placed(single.given, None)
    with TemporaryDirectory(dir=sender.folder, prefix=UNPACKED) as folder:
        path = Path(folder) / Path(single.source).name
        for name, content in _files(single, path):
            name.write_bytes(content)
        stored = list(accept_at(Batches(engine, origin=sender.origin), context, path))
    return receipt("", stored)


def receipt(digest: str, stored: Sequence[Stored]) -> dict[str, object]:
    """What the sender is told: counts, and what became of each output (of the first thousand, the held ones first)."""
    ordered = sorted(stored, key=lambda one: _MOST_SAID.index(one.outcome))
    return {
        "upload": digest,
        "received_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "repeated": False,
        **{word: sum(one.outcome == word for one in stored) for word in sorted(_MOST_SAID)},
        "runs": sum(one.runs for one in stored),
        "values": sum(one.values for one in stored),
        "captures": [asdict(one) for one in ordered[:_LISTED]],
        "left_off": max(0, len(stored) - _LISTED),
    }


class _KnownError(Exception):
    """The bundle was stored meanwhile."""

    def __init__(self, told: Mapping[str, object]) -> None:
        super().__init__()
        self.told = told


@dataclass(frozen=True, slots=True)
class _Beginning:
    """Makes the row of an upload, or finds that of a try that was interrupted."""

    digest: str
    sender: Sender

    def __call__(self, connection: Connection) -> int:
        upload_id = uploads.begin(connection, self.digest, self.sender.origin, self.sender.token)
        if not upload_id:
            raise _KnownError(uploads.receipt(connection, self.digest))
        return upload_id


def _files(single: Single, path: Path) -> Iterator[tuple[Path, bytes]]:
    """The output and the files that would lie beside it on its host."""
    stem = path.with_suffix("") if path.suffix in (".out", ".txt", ".log") else path
    yield path, single.stdout
    if single.command:
        yield stem.with_name(stem.name + ".cmd"), single.command.encode()
    if single.exit_status is not None:
        yield stem.with_name(stem.name + ".rc"), str(single.exit_status).encode()
    if single.started_at is not None:
        end = single.ended_at if single.ended_at is not None else single.started_at
        yield stem.with_name(stem.name + ".time"), f"{single.started_at!r} {end!r}".encode()
