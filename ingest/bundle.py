"""Reads bundles: checks every byte against the manifest while it unpacks into a folder. Trusts nothing it reads.

A bundle comes from another machine. Nothing is stored of one that is cut off, changed, too large, or that names a
place outside its folder; the error names the file. Works in pieces: memory does not grow with the bundle.
"""

import gzip
import hashlib
import json
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import BinaryIO, cast

from ingest.collector.pack import FORMAT, MANIFEST, VERSION, Manifest, digest_of
from ingest.context import Given
from ingest.errors import BundleError
from ingest.hostfacts import FactsError, HostFacts
from ingest.hostfacts.record import parse_json
from ingest.outputs import MAX_BYTES

SUFFIXES = (".tar", ".tar.gz", ".tgz")
_BLOCK = 512
_PIECE_BYTES = 1 << 20
_NAME_RECORD_BYTES = 64 << 10
_RATIO_FREE_BYTES = 16 << 20  # small things may be as empty as they like
_GZIP_MAGIC = b"\x1f\x8b"
_NAME_RECORD = re.compile(rb"(?P<size>\d{1,6}) path=(?P<name>[^\n]+)\n")
_LATEST_S = 1e11  # since 1970: the year 5138
_SMALLER = "send it in several bundles"
_AGAIN = "copy it again, or collect again with `kvmperf-collect.pyz --pack`"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a bundle may be: unpacked bytes, files, outputs, bytes of its manifest, unpacked bytes a packed byte."""

    total_bytes: int = 4 << 30
    files: int = 200_000
    captures: int = 50_000
    manifest_bytes: int = 64 << 20
    facts_bytes: int = 4 << 20
    ratio: int = 200


USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Part:
    """Outputs that were captured in one context: what the user said, the host's facts, since when its boot ran.

    `facts_named`: the user chose these facts, so they go before what an MMTests tree tells of its host.
    """

    outputs: Path
    given: Given
    facts: HostFacts | None
    boot_since: float | None
    facts_named: bool


@dataclass(frozen=True, slots=True)
class Bundle:
    """An unpacked bundle that was found whole. Equal digests, equal bundles."""

    digest: str
    made_by: str
    folder: Path
    parts: tuple[Part, ...]
    size: int
    most_captures: int = USUAL.captures


def is_bundle(path: Path) -> bool:
    """Whether a path is named like a bundle."""
    return path.name.endswith(SUFFIXES)


@contextmanager
def open_bundle(path: Path) -> Iterator[BinaryIO]:
    """A bundle on disk, opened for `unpack`."""
    try:
        opened = path.open("rb")
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}", "check the spelling and its permissions") from error
    with opened:
        yield opened


def unpack(packed: BinaryIO, name: str, folder: Path, limits: Limits = USUAL) -> Bundle:
    """Unpack a bundle into an empty folder; BundleError for anything that is not exactly what its manifest says.

    OSError passes through: a full disk is not the bundle's fault.
    """
    reader = _Reader(packed, name, limits)
    told = _manifest(reader, limits)
    wanted: Mapping[str, tuple[int, str]] = {one: (size, sha) for one, (size, sha) in told["files"].items()}
    found: set[str] = set()
    for one, size in reader.members():
        if one in found or one not in wanted:
            raise reader.error(f"{one}: {'stands there twice' if one in found else 'is not in the manifest'}")
        _copy(reader, one, size, wanted[one], folder)
        found.add(one)
    missing = sorted(wanted.keys() - found)
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise reader.error(f"{missing[0]}{more}: missing, the bundle is cut off")
    parts = tuple(_part(part, wanted, folder, reader, limits) for part in told["parts"])
    size = sum(size for size, _ in wanted.values())
    return Bundle(told["digest"], str(told.get("made_by", "")), folder, parts, size, limits.captures)


def read_manifest(path: Path, limits: Limits = USUAL) -> Manifest:
    """The manifest of a bundle on disk, checked in itself; nothing else of the bundle is read."""
    with path.open("rb") as packed:
        return _manifest(_Reader(packed, path.name, limits), limits)


class _Reader:
    """Reads a tar member by member, refusing everything that a bundle does not need."""

    def __init__(self, packed: BinaryIO, name: str, limits: Limits) -> None:
        self._name, self._limits = name, limits
        self._packed = packed
        is_gzip = packed.read(2) == _GZIP_MAGIC
        packed.seek(0)
        self._raw = cast("BinaryIO", gzip.GzipFile(fileobj=packed)) if is_gzip else packed
        self._read = 0
        self._last = ""

    def error(self, what: str, hint: str = _AGAIN) -> BundleError:
        return BundleError(f"{self._name}: {what}", hint)

    def members(self) -> Iterator[tuple[str, int]]:
        """Name and size of each file; the caller reads its bytes before it asks for the next."""
        long_name: str | None = None
        while header := self._header():
            if header.type == tarfile.XHDTYPE:
                long_name = self._long_name(header.size)
                continue
            name, long_name = header.name if long_name is None else long_name, None
            self._check(name, header)
            self._last = name
            yield name, header.size
        self._end()

    def read(self, size: int) -> bytes:
        """Exactly so many bytes."""
        piece = self._some(size)
        if len(piece) < size:
            raise self.error(f"cut off {f'in {self._last}' if self._last else 'before its first file'}")
        return piece

    def skip_padding(self, size: int) -> None:
        """Pass over what fills a file's last block."""
        self.read(-size % _BLOCK)

    def _some(self, size: int) -> bytes:
        pieces = []
        with self._damage_named():
            while size and (piece := self._raw.read(min(size, _PIECE_BYTES))):
                pieces.append(piece)
                size -= len(piece)
                self._read += len(piece)
                self._refuse_bomb()
        return b"".join(pieces)

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise self.error(f"damaged or cut off after {self._last or 'its start'} ({error})") from error

    def _refuse_bomb(self) -> None:
        if self._read > self._limits.total_bytes:
            raise self.error(f"more than {self._limits.total_bytes >> 20} MiB unpacked", _SMALLER)
        if self._raw is not self._packed and self._read > _RATIO_FREE_BYTES:
            packed = max(1, self._packed.tell())
            if self._read // packed > self._limits.ratio:
                raise self.error(f"unpacks to more than {self._limits.ratio} times its size")

    def _header(self) -> tarfile.TarInfo | None:
        """The next header, None at the end mark; a tar without end mark is cut off."""
        block = self.read(_BLOCK)
        if not block.strip(b"\0"):
            return None
        try:
            return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            place = f"after {self._last}" if self._last else "at its start: no bundle of kvmperf"
            raise self.error(f"unreadable {place} ({error})") from error

    def _long_name(self, size: int) -> str:
        """The name in an extended header; nothing else may stand there."""
        if size > _NAME_RECORD_BYTES:
            raise self.error(f"an extended header of {size} bytes after {self._last or 'its start'}")
        record = _NAME_RECORD.fullmatch(self.read(size))
        self.skip_padding(size)
        try:
            return record["name"].decode("utf-8") if record and int(record["size"]) == size else ""
        except UnicodeDecodeError:
            return ""

    def _check(self, name: str, header: tarfile.TarInfo) -> None:
        if not is_safe(name):
            raise self.error(f"{name!r}: not a plain relative name")
        if header.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise self.error(f"{name}: not a plain file")
        if not 0 <= header.size <= max(MAX_BYTES, self._limits.manifest_bytes):
            raise self.error(f"{name}: {header.size >> 20} MiB, more than a file may have")

    def _end(self) -> None:
        """Read to the end, so that a gzip checksum is verified; only padding may follow."""
        for _ in range(64):
            rest = self._some(_PIECE_BYTES)
            if rest.strip(b"\0"):
                break
            if len(rest) < _PIECE_BYTES:
                return
        raise self.error(f"something follows its end after {self._last}")


def is_safe(name: str) -> bool:
    """Whether a name stays inside the folder it is unpacked into, on any file system."""
    try:
        parts = [part.encode() for part in name.split("/")]
    except UnicodeEncodeError:
        return False
    return (
        len(name) <= 1024
        and len(parts) <= 32
        and all(part not in (b"", b".", b"..") and len(part) <= 255 for part in parts)
        and name.isprintable()
    )


def _manifest(reader: _Reader, limits: Limits) -> Manifest:
    first = next(reader.members(), None)
    if first is None or first[0] != MANIFEST:
        raise reader.error(f"does not begin with {MANIFEST}: not written by kvmperf")
    size = first[1]
    if size > limits.manifest_bytes:
        raise reader.error(f"{MANIFEST}: {size >> 20} MiB, more than a manifest may have", _SMALLER)
    content = reader.read(size)
    reader.skip_padding(size)
    try:
        told = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise reader.error(f"{MANIFEST}: not JSON") from error
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise reader.error(f"{MANIFEST}: not a manifest")
    if told.get("version") != VERSION:
        raise BundleError(f"{MANIFEST}: version {told.get('version')!r}, known is {VERSION}", "upgrade kvmperf")
    if told.get("digest") != digest_of(told):
        raise reader.error(f"{MANIFEST}: was changed after it was written")
    _refuse_odd(told, reader, limits)
    return told


def _refuse_odd(told: Manifest, reader: _Reader, limits: Limits) -> None:
    """A manifest whose digest holds may still be written by anybody."""
    files, parts = told.get("files"), told.get("parts")
    if not isinstance(files, dict) or not isinstance(parts, list):
        raise reader.error(f"{MANIFEST}: lists no files")
    if len(files) > limits.files or len(parts) > limits.files:
        raise reader.error(f"{MANIFEST}: lists more than {limits.files} files", _SMALLER)
    total = 0
    for name, value in files.items():
        match value:
            case [int(size), str()] if is_safe(name) and 0 <= size <= MAX_BYTES:
                total += size
            case _:
                raise reader.error(f"{name!r}: not a plain relative name with a size and a digest")
    if total > limits.total_bytes:
        raise reader.error(f"{total >> 20} MiB unpacked, at most {limits.total_bytes >> 20} are taken", _SMALLER)
    _refuse_shared(parts, reader)


def _refuse_shared(parts: list[object], reader: _Reader) -> None:
    """A small bundle whose parts share their files would be read and stored as often as it has parts."""
    for kind in ("outputs", "facts"):
        named = [str(part.get(kind) or "") for part in parts if isinstance(part, dict)]
        folders: set[str] = set()
        for name in sorted((name for name in named if name), key=lambda name: name.count("/")):
            above = name.split("/")
            if any("/".join(above[:depth]) in folders for depth in range(1, len(above) + 1)):
                raise reader.error(f"{name}: named as {kind} by two parts")
            folders.add(name)


def _copy(reader: _Reader, name: str, size: int, wanted: tuple[int, str], folder: Path) -> None:
    if size != wanted[0]:
        raise reader.error(f"{name}: {size} bytes, the manifest says {wanted[0]}")
    target = folder / name
    hashing = hashlib.sha256()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        opened = target.open("xb")
    except (FileExistsError, NotADirectoryError) as error:
        raise reader.error(f"{name}: a file and a folder of one name") from error
    with opened:
        left = size
        while left:
            piece = reader.read(min(left, _PIECE_BYTES))
            hashing.update(piece)
            opened.write(piece)
            left -= len(piece)
    if hashing.hexdigest() != wanted[1]:
        raise reader.error(f"{name}: its SHA-256 is not the one in the manifest")
    reader.skip_padding(size)


def _part(part: object, files: Mapping[str, tuple[int, str]], folder: Path, reader: _Reader, limits: Limits) -> Part:
    match part:
        case {"outputs": str(outputs), "facts": str(facts), "context": dict(context)} if is_safe(outputs):
            pass
        case _:
            raise reader.error(f"{MANIFEST}: a part without outputs, facts or context")
    if not (folder / outputs).exists():
        raise reader.error(f"{outputs}: named as outputs, and not there")
    since = context.get("boot_since")
    if since is not None and not (isinstance(since, int | float) and 0 <= since <= _LATEST_S):
        raise reader.error(f"{MANIFEST}: boot_since is no time")
    return Part(
        folder / outputs,
        _given(context, reader),
        _facts(facts, files, folder, reader, limits) if facts else None,
        None if since is None else float(since),
        context.get("facts_named") is True,
    )


def _facts(name: str, files: Mapping[str, tuple[int, str]], folder: Path, reader: _Reader, limits: Limits) -> HostFacts:
    if name not in files or files[name][0] > limits.facts_bytes:
        raise reader.error(f"{name}: named as host facts, and {'too large' if name in files else 'not there'}")
    try:
        return parse_json((folder / name).read_text("utf-8"), name)
    except (FactsError, UnicodeDecodeError) as error:
        raise reader.error(str(error)) from error


def _given(context: Mapping[str, object], reader: _Reader) -> Given:
    """What the manifest says of a part, checked for its types; `ingest.context` checks what it means."""
    said: dict[str, object] = {}
    for field in fields(Given):
        value = context.get(field.name)
        if value is None or field.name == "host_facts":
            continue
        said[field.name] = tuple(value) if isinstance(value, list) else value
        if not _is_of_its_kind(field.name, said[field.name]):
            raise reader.error(f"{MANIFEST}: {field.name} is {value!r}")
    return Given(**said)  # type: ignore[arg-type]  # the kinds are checked above


def _is_of_its_kind(name: str, value: object) -> bool:
    if name == "tags":
        return isinstance(value, tuple) and len(value) <= 1000 and all(isinstance(one, str) for one in value)
    if name == "reported":
        return isinstance(value, bool)
    return type(value) is int if name == "version" else isinstance(value, str)
