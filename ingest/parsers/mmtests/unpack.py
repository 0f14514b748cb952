"""Unpacks .gz and .xz within limits: logs come from somebody else, and a megabyte can unpack to a terabyte."""

import lzma
import zlib
from collections.abc import Iterator
from importlib import import_module

from ingest.records import FormatError

MAX_BYTES = 128 << 20  # of one unpacked file; the longest real log, fio's latencies of a day, stays far below
_PIECE = 1 << 20
_FED = 1 << 16
_MOST_MEMBERS = 10_000
_MEMORY = 256 << 20  # what an .xz header may ask of us; `xz -9` needs 65 MiB
SUFFIXES = (".gz", ".xz")
_HINT = "the file is damaged or was cut off: copy it again"


def unpacked(raw: bytes, source: str, limit: int = MAX_BYTES) -> bytes:
    """The content of a file, unpacked when its name ends in .gz or .xz. FormatError for bombs and damage."""
    if source.endswith(".zst"):
        return _zst(raw, source, limit)
    if not source.endswith(SUFFIXES):
        return raw
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in _gz(raw) if source.endswith(".gz") else _xz(raw):
            size += len(piece)
            if size > limit:
                raise FormatError(source, 0, f"unpacks to more than {limit >> 20} MiB", "no benchmark logs that much")
            pieces.append(piece)
    except (zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        raise FormatError(source, 0, f"cannot be unpacked ({error})", _HINT) from error
    return b"".join(pieces)


def _zst(raw: bytes, source: str, limit: int) -> bytes:
    """The content of a .zst, where Python has zstd (3.14 and later)."""
    try:
        zstd = import_module("compression.zstd")
    except ImportError as error:
        hint = f"unpack it first (zstd -d {source}), or use Python 3.14"
        raise FormatError(source, 0, "this Python cannot unpack zstd", hint) from error
    try:
        found: bytes = zstd.ZstdDecompressor().decompress(raw, limit + 1)
    except (zstd.ZstdError, EOFError, ValueError) as error:
        raise FormatError(source, 0, f"cannot be unpacked ({error})", _HINT) from error
    if len(found) > limit:
        raise FormatError(source, 0, f"unpacks to more than {limit >> 20} MiB", "no benchmark logs that much")
    return found


def _gz(raw: bytes) -> Iterator[bytes]:
    """The members of a .gz one after the other; `gzip -c a b` and a retried benchmark write several."""
    place = 0
    for _member in range(_MOST_MEMBERS):
        place = _after_padding(raw, place)
        if place >= len(raw):
            return
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            fed = member.unconsumed_tail
            if not fed:
                fed = raw[place : place + _FED]
                place += len(fed)
            piece = member.decompress(fed, _PIECE)
            if not piece and not fed and not member.eof:
                raise EOFError("it ends early")
            yield piece
        place -= len(member.unused_data)
    raise EOFError(f"more than {_MOST_MEMBERS} members")


def _xz(raw: bytes) -> Iterator[bytes]:
    place = 0
    for _stream in range(_MOST_MEMBERS):
        place = _after_padding(raw, place)
        if place >= len(raw):
            return
        stream = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MEMORY)
        while not stream.eof:
            fed = raw[place : place + _FED] if stream.needs_input else b""
            place += len(fed)
            piece = stream.decompress(fed, _PIECE)
            if not piece and not fed and stream.needs_input:
                raise EOFError("it ends early")
            yield piece
        place -= len(stream.unused_data)
    raise EOFError(f"more than {_MOST_MEMBERS} streams")


def _after_padding(raw: bytes, place: int) -> int:
    """The next byte that is not zero: both formats may be filled up with zeros."""
    while place < len(raw) and raw[place] == 0:
        place += 1
    return place
