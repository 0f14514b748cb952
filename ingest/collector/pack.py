"""Writes bundles: a tar whose first member lists every other with its size and SHA-256. Runs on Python 3.8.

`kvmperf-bundle.json` holds `parts` (which outputs were captured in which context), `files` (name to size and digest)
and `digest`, the SHA-256 of the rest of it: equal digests, equal bundles, whatever the tar around them looks like.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Dict  # noqa: UP035 (Python 3.8)

FORMAT = "kvmperf-bundle"
VERSION = 1
MANIFEST = "kvmperf-bundle.json"
_PIECE_BYTES = 1 << 20
_GZIP_LEVEL = 6

Manifest = Dict[str, Any]  # noqa: UP006 (Python 3.8; Any: parsed JSON)


class PackError(Exception):
    """What cannot be packed: `str(error)` says what and where, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Member:
    """A file of a bundle: its name in there, where its bytes are, and what they must be when they are packed."""

    name: str
    source: Path | bytes
    size: int
    sha256: str


def member(name: str, source: Path | bytes) -> Member:
    """A member with the size and digest that its bytes have now."""
    digest = hashlib.sha256()
    size = 0
    with _opened(source) as opened:
        for piece in iter(lambda: opened.read(_PIECE_BYTES), b""):
            digest.update(piece)
            size += len(piece)
    return Member(name, source, size, digest.hexdigest())


def manifest(members: Iterable[Member], parts: Sequence[dict[str, object]], made_by: str) -> Manifest:
    """The manifest of a bundle, its digest included."""
    told: Manifest = {
        "format": FORMAT,
        "version": VERSION,
        "made_by": made_by,
        "parts": list(parts),
        "files": {one.name: [one.size, one.sha256] for one in members},
    }
    return {**told, "digest": digest_of(told)}


def digest_of(told: Manifest) -> str:
    """The SHA-256 of a manifest without its own digest, in canonical form."""
    rest = {name: value for name, value in told.items() if name != "digest"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def write_file(
    target: Path,
    told: Manifest,
    members: Sequence[Member],
    compress: bool = False,
    watch: Callable[[int], None] = lambda _size: None,
) -> None:
    """Write a bundle that is either whole under its name or not there; what was there before stays until then."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as opened:
            _write(opened, told, members, compress, watch)
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(target)
        sync_folder(target.parent)
    except BaseException:
        remove(part)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a crash."""
    handle = os.open(str(folder), os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Delete a file that may not be there."""
    with suppress(OSError):
        path.unlink()


def _write(
    raw: BinaryIO, told: Manifest, members: Sequence[Member], compress: bool, watch: Callable[[int], None]
) -> None:
    if not compress:
        _write_tar(raw, told, members, watch)
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=_GZIP_LEVEL, mtime=0) as packed:
        _write_tar(packed, told, members, watch)


def _write_tar(
    raw: Any, told: Manifest, members: Sequence[Member], watch: Callable[[int], None]
) -> None:  # Any: any binary writer
    text = json.dumps(told, sort_keys=True, indent=1, ensure_ascii=True).encode("ascii")
    with tarfile.open(fileobj=raw, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(_header(MANIFEST, len(text)), io.BytesIO(text))
        for one in members:
            with _opened(one.source) as opened:
                hashing = _Hashing(opened)
                try:
                    tar.addfile(_header(one.name, one.size), hashing)  # type: ignore[arg-type]  # it needs read() only
                except tarfile.ReadError as error:
                    raise _changed(one) from error
                if hashing.digest.hexdigest() != one.sha256 or opened.read(1):
                    raise _changed(one)
            watch(one.size)


def _header(name: str, size: int) -> tarfile.TarInfo:
    """Equal bundles are equal bytes: no times, no owners."""
    header = tarfile.TarInfo(name)
    header.size, header.mtime, header.mode = size, 0, 0o644
    return header


def _opened(source: Path | bytes) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _changed(one: Member) -> PackError:
    return PackError(f"{one.name}: its bytes changed since they were captured", "pack what no longer changes")


class _Hashing:
    """Passes bytes on and hashes them."""

    def __init__(self, opened: BinaryIO) -> None:
        self._opened = opened
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        piece = self._opened.read(size)
        self.digest.update(piece)
        return piece


__all__ = [
    "MANIFEST",
    "Manifest",
    "Member",
    "PackError",
    "digest_of",
    "manifest",
    "member",
    "remove",
    "sync_folder",
    "write_file",
]
