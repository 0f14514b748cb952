"""Uploads that wait: whole bundles in the user's state directory, kept until a server has acknowledged them.

    SPOOL/DIGEST.json       for which server, when, how often tried, what went wrong; never a token
    SPOOL/DIGEST.tar.gz     the bundle; it comes last, so that one that is there is whole and has its note

Survives kill and reboot. An item is held by a file lock while it is sent, so that two senders never share one.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from ingest.collector.pack import PackError, remove, sync_folder, write_file
from ingest.errors import InputError, TransferError
from ingest.packing import Packing

_BUNDLE, _NOTE, _LOCK = ".tar.gz", ".json", ".lock"
_LEFT_OVER_S = 24 * 3600.0  # what a killed writer left is nobody's after a day


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a waiting upload. `refused`: why the server will never take it, or empty."""

    server: str
    digest: str
    outputs: int
    spooled_at: float
    token_file: str = ""
    tries: int = 0
    trouble: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One waiting upload."""

    bundle: Path
    note: Note

    def size(self) -> int:
        """Bytes to be sent."""
        return self.bundle.stat().st_size


class Spool:
    """The folder of waiting uploads; made when it is first needed, closed to other users."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, packing: Packing, server: str, token_file: str, watch: Callable[[int], None]) -> Item:
        """Write a bundle into the spool; TransferError where there is no room. The same bundle again is one item."""
        note = Note(server, packing.digest, packing.outputs, time.time(), token_file)
        bundle = self.folder / f"{packing.digest}{_BUNDLE}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._clean()
            _write_note(bundle, note)
            if not bundle.exists():
                write_file(bundle, packing.told, packing.members, compress=True, watch=watch)
        except PackError as error:
            raise InputError(str(error), error.hint) from error
        except OSError as error:
            if not bundle.exists():
                remove(_beside(bundle, _NOTE))
            raise TransferError(
                f"{self.folder}: cannot keep the upload there: {error.strerror}", "make room, then upload again"
            ) from error
        return Item(bundle, note)

    def items(self) -> list[Item]:
        """The waiting uploads, oldest first."""
        found = [Item(bundle, _read_note(bundle)) for bundle in self.folder.glob(f"*{_BUNDLE}")]
        return sorted((one for one in found if one.bundle.name[0] != "."), key=lambda one: one.note.spooled_at)

    @contextmanager
    def held(self, item: Item) -> Iterator[bool]:
        """Hold an item while it is sent; false where another sender holds it or has sent it."""
        path = _beside(item.bundle, _LOCK)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield item.bundle.exists()
        finally:
            lock.release()
            if not item.bundle.exists():
                remove(path)

    def done(self, item: Item) -> None:
        """Remove an upload that was acknowledged."""
        remove(item.bundle)
        remove(_beside(item.bundle, _NOTE))

    def failed(self, item: Item, trouble: str, *, for_good: bool = False) -> None:
        """Note what went wrong; `for_good`: trying again is of no use before somebody has looked at it."""
        note = replace(item.note, tries=item.note.tries + 1, trouble=trouble, refused=trouble if for_good else "")
        _write_note(item.bundle, note)

    def _clean(self) -> None:
        """Remove what killed writers left behind long ago."""
        for part in self.folder.glob(".*.part"):
            if time.time() - part.stat().st_mtime > _LEFT_OVER_S:
                remove(part)
        for note in self.folder.glob(f"*{_NOTE}"):
            lonely = not note.with_name(note.name.removesuffix(_NOTE) + _BUNDLE).exists()
            if lonely and time.time() - note.stat().st_mtime > _LEFT_OVER_S:
                remove(note)


def _beside(bundle: Path, suffix: str) -> Path:
    return bundle.with_name(bundle.name.removesuffix(_BUNDLE) + suffix)


def _write_note(bundle: Path, note: Note) -> None:
    path = _beside(bundle, _NOTE)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w") as opened:
            json.dump(asdict(note), opened)
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except BaseException:
        remove(part)
        raise


def _read_note(bundle: Path) -> Note:
    """The note of a bundle; one that is unreadable does not keep its bundle from being sent."""
    digest = bundle.name.removesuffix(_BUNDLE)
    try:
        told = json.loads(_beside(bundle, _NOTE).read_text())
        return Note(**{name: told[name] for name in Note.__slots__ if name in told})
    except (OSError, ValueError, KeyError, TypeError):
        return Note("", digest, 0, 0.0)
