"""Takes an upload that came from elsewhere: checks it, stores all of it or nothing, gives a receipt.

A bundle is known by its digest: the same bundle again gets the receipt of the first time and stores nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from db import uploads
from db.engine import reading, writing
from db.values import Stored
from db.writes import Writer
from ingest.accept import accept_at, accept_bundle
from ingest.bundle import USUAL, Limits, read_manifest, unpack
from ingest.context import Given, placed

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


def receive_bundle(engine: Engine, packed: Path, sender: Sender, limits: Limits = USUAL) -> Mapping[str, object]:
    """The receipt of a bundle in a file. Raises BundleError for one that is not whole; nothing of it is stored then."""
    digest = str(read_manifest(packed, limits)["digest"])
    with reading(engine) as connection:
        if known := uploads.receipt(connection, digest):
            return {**known, "repeated": True}
    with TemporaryDirectory(dir=sender.folder, prefix="unpacked-") as folder, packed.open("rb") as opened:
        bundle = unpack(opened, "bundle", Path(folder), limits)
        with writing(engine) as connection:
            upload_id = uploads.begin(connection, digest, sender.origin, sender.token)
            if not upload_id:  # another sender of the same bundle was quicker
                return {**uploads.receipt(connection, digest), "repeated": True}
            writer = Writer(connection, origin=sender.origin, upload_id=upload_id)
            told = receipt(digest, list(accept_bundle(writer, bundle, Given())))
            uploads.finish(connection, upload_id, told)
    return told


def receive_single(engine: Engine, single: Single, sender: Sender) -> Mapping[str, object]:
    """The receipt of one output. Its context must be told: nothing is known of where it comes from."""
    context = placed(single.given, None)
    with TemporaryDirectory(dir=sender.folder, prefix="single-") as folder:
        path = Path(folder) / Path(single.source).name
        for name, content in _files(single, path):
            name.write_bytes(content)
        with writing(engine) as connection:
            writer = Writer(connection, origin=sender.origin)
            stored = list(accept_at(writer, context, path))
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
