"""Where facts are read: the running machine, or a folder of captured files under the same names.

Both answer by the path that the running machine uses (`/proc/cpuinfo`). Nothing here raises: what cannot be read is
"", and its path is remembered. Runs on Python 3.8 and imports nothing of ours.
"""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import zlib
from pathlib import Path
from typing import BinaryIO

_PIECE_BYTES = 1 << 16
_MOST_PIECES = 256  # a captured folder comes from somebody else
_COMMANDS = {"lscpu": ("lscpu", "-J"), "dmesg": ("dmesg",)}


class Source:
    """Reads texts and directory listings by their path on a running machine."""

    def __init__(self) -> None:
        self.unreadable: set[str] = set()

    def text(self, path: str) -> str:
        """The text at a path without surrounding white space, "" when there is none."""
        return self.raw(path).decode("utf-8", "replace").replace("\0", " ").strip()

    def expected(self, path: str) -> str:
        """Like `text`, and a missing or empty file counts as unreadable."""
        found = self.text(path)
        if not found:
            self.unreadable.add(path)
        return found

    def raw(self, path: str) -> bytes:
        """The bytes at a path, unpacked when it ends in .gz."""
        for candidate in self.candidates(path):
            found = self._read(candidate, path)
            if found:
                return found
        return b""

    def names(self, path: str) -> list[str]:
        """The entries of a directory, sorted."""
        for candidate in self.candidates(path):
            try:
                return sorted(entry.name for entry in candidate.iterdir())
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (OSError, ValueError):
                self.unreadable.add(path)
        return []

    def candidates(self, path: str) -> list[Path]:
        """The files that may hold what the machine has at `path`, best first."""
        raise NotImplementedError

    def command(self, name: str) -> str:
        """The output of `lscpu` (JSON, or its text) or `dmesg`."""
        raise NotImplementedError

    def uname(self) -> str:
        """What `uname -a` prints."""
        raise NotImplementedError

    def _read(self, file: Path, path: str) -> bytes:
        try:
            with file.open("rb") as opened:
                found = _content(opened)
            return _unpacked(found) if path.endswith(".gz") else found
        except (FileNotFoundError, NotADirectoryError):
            return b""
        except (OSError, ValueError, EOFError, zlib.error):  # sysfs answers EIO, EINVAL and more; gzip may be cut
            self.unreadable.add(path)
            return b""


class Machine(Source):
    """The running machine; `root` is another one's root directory in tests."""

    def __init__(self, root: Path = Path("/")) -> None:
        super().__init__()
        self._root = root

    def candidates(self, path: str) -> list[Path]:
        """The path itself."""
        return [self._root / path.lstrip("/")]

    def command(self, name: str) -> str:
        """What the command prints, "" when it is missing, refused or slow."""
        try:
            done = subprocess.run(
                _COMMANDS[name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=10,
                check=True,
                env={**os.environ, "LC_ALL": "C"},
            )
        except (OSError, subprocess.SubprocessError):
            self.unreadable.add(name)
            return ""
        return done.stdout.decode("utf-8", "replace")

    def uname(self) -> str:
        """The kernel's own answer."""
        return " ".join(os.uname())


class Folder(Source):
    """Captured files: the tree itself (`sys/kernel/…`) or flat names (`proc-cpuinfo.txt`, `numa_balancing.txt`)."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def candidates(self, path: str) -> list[Path]:
        """The copied tree first, then the flat names."""
        relative = path.strip("/")
        flat = relative.replace("/", "-")
        names = [relative, flat + ".txt", flat]
        if not relative.startswith("sys/"):  # `enabled.txt` alone could be anything
            last = relative.rsplit("/", 1)[-1]
            names += [last + ".txt", last]
        return [self._folder / name for name in names]

    def names(self, path: str) -> list[str]:
        """The entries of a copied directory, or those a captured `ls` shows."""
        listing = self._folder / (path.strip("/").replace("/", "-") + "-ls.txt")
        return super().names(path) or self._read(listing, path).decode("utf-8", "replace").split()

    def command(self, name: str) -> str:
        """The captured output."""
        found = ""
        for ending in (".json", ".txt", ""):
            found = found or self._read(self._folder / (name + ending), name).decode("utf-8", "replace")
        if not found.strip():
            self.unreadable.add(name)
        return found

    def uname(self) -> str:
        """The captured `uname -a`."""
        return self.text("/uname-a") or self.text("/uname")


def _content(opened: BinaryIO) -> bytes:
    """Read in pieces: /proc/sys answers ENOMEM to a read of 4 MiB or more, whatever the file holds."""
    pieces: list[bytes] = []
    while len(pieces) < _MOST_PIECES:
        piece = opened.read(_PIECE_BYTES)
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces)


def _unpacked(packed: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as opened:
        return opened.read(_MOST_PIECES * _PIECE_BYTES)
