"""The folder a collection grows in: sessions (one boot in one host state), and in each the runs of its commands.

    OUT/kvmperf-collection.json     marks the folder as ours
    OUT/s001/facts.json             the host, and session.json what the user said
    OUT/s001/runs.jsonl             a line a complete run, with the digests of its files
    OUT/s001/PROGRAM-1/001.out      and .err .cmd .rc .time: what `kvmperf upload OUT/s001` reads too

A run counts once its line is in the journal: what a crash or a full disk leaves behind has none and is made again.
Runs on Python 3.8.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ingest.hostfacts.record import HostFacts

from .pack import Member, PackError, member, remove, sync_folder
from .running import Ended

MARK = "kvmperf-collection.json"
_MARKED = {"format": "kvmperf-collection", "version": 1}
JOURNAL = "runs.jsonl"
_SIDES = (".out", ".err", ".cmd", ".rc", ".time")


@dataclass(frozen=True)
class Session:
    """One boot of one host in one state, with what the user said about it."""

    folder: Path
    context: dict[str, object]
    runs: list[dict[str, Any]] = field(default_factory=list)  # Any: parsed JSON

    def done(self, command: Sequence[str]) -> int:
        """How many complete runs of a command are here."""
        return sum(one["command"] == list(command) for one in self.runs)

    def slot(self, command: Sequence[str]) -> str:
        """The folder for a command's runs: `dirty_log_perf_test-1`; the number tells parameters apart."""
        for one in self.runs:
            if one["command"] == list(command):
                return str(one["name"]).rsplit("/", 1)[0]
        program = re.sub(r"[^A-Za-z0-9_.+-]", "_", Path(command[0]).name)[:60].lstrip(".") or "command"
        others = {one["name"].rsplit("/", 1)[0] for one in self.runs}
        return next(name for name in (f"{program}-{n}" for n in range(1, 1 << 30)) if name not in others)


def open_folder(path: Path) -> BinaryIO:
    """Make or take up a collection folder; the open file keeps other collectors out until it is closed."""
    if path.exists() and not path.is_dir():
        raise PackError(f"{path}: not a folder", "name another one with -o")
    mark = path / MARK
    if path.is_dir() and not mark.exists() and any(path.iterdir()):
        raise PackError(f"{path}: a folder with other things in it", "name an empty or a new one with -o")
    path.mkdir(parents=True, exist_ok=True)
    if not mark.exists():
        _write_whole(mark, json.dumps(_MARKED).encode("ascii"))
    lock = mark.open("r+b")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise PackError(f"{path}: another collector works in this folder", "wait for it, or use -o") from error
    return lock


def session(root: Path, facts: HostFacts, context: dict[str, object]) -> Session:
    """The session of this boot, host state and context; made where it is new."""
    for one in sessions(root):
        before = json.loads((one.folder / "facts.json").read_text(encoding="utf-8"))
        same_host = (before.get("boot_id"), before.get("state")) == (facts.boot_id, facts.state)
        if same_host and one.context == context:
            return one
    numbers = [int(path.name[1:]) for path in root.iterdir() if re.match(r"s\d+$", path.name)]
    folder = root / f"s{max(numbers, default=0) + 1:03d}"
    folder.mkdir()
    _write_whole(folder / "facts.json", facts.to_json().encode("utf-8"))
    _write_whole(folder / "session.json", json.dumps(context, sort_keys=True).encode("utf-8"))
    return Session(folder, context)


def is_session(names: Collection[str]) -> bool:
    """Whether a folder with these names in it is a session: its journal is none of the outputs."""
    return {"facts.json", "session.json", JOURNAL} <= set(names)


def sessions(root: Path) -> list[Session]:
    """The sessions that are there, in order; a half-made one is passed over."""
    found = []
    for folder in sorted(path for path in root.iterdir() if re.match(r"s\d+$", path.name)):
        try:
            context = json.loads((folder / "session.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        found.append(Session(folder, context, _journal(folder)))
    return found


def finish(one: Session, name: str, command: Sequence[str], ended: Ended) -> None:
    """Write a run's side files and then its line in the journal: from there on it is complete."""
    stem = one.folder / name
    sides = {
        ".cmd": shlex.join(command) + "\n",
        ".rc": f"{ended.exit_status}\n",
        ".time": f"{ended.started_at:.6f} {ended.ended_at:.6f}\n",
    }
    for suffix, text in sides.items():
        _write_whole(stem.with_name(stem.name + suffix), text.encode("utf-8", "surrogateescape"))
    err = stem.with_name(stem.name + ".err")
    if err.stat().st_size == 0:
        err.unlink()
    paths = [path for path in (stem.with_name(stem.name + side) for side in _SIDES) if path.exists()]
    files = {path.name: [found.size, found.sha256] for path in paths for found in (member(path.name, path),)}
    entry = {"name": name, "command": list(command), "exit_status": ended.exit_status, "files": files}
    sync_folder(stem.parent)
    _append(one.folder / JOURNAL, (json.dumps(entry, sort_keys=True) + "\n").encode("ascii"))
    one.runs.append(entry)


def discard(one: Session, name: str) -> None:
    """Remove what an unfinished run left."""
    stem = one.folder / name
    for side in _SIDES:
        remove(stem.with_name(stem.name + side))


def members(root: Path) -> list[Member]:
    """Every file of the bundle: of each session with complete runs the facts and the files of those runs."""
    found: list[Member] = []
    for one in sessions(root):
        if not one.runs:
            continue
        prefix = one.folder.name
        found.append(member(prefix + "/facts.json", one.folder / "facts.json"))
        for run in one.runs:
            slot = run["name"].rsplit("/", 1)[0]
            for name, (size, sha256) in sorted(run["files"].items()):
                found.append(Member(f"{prefix}/{slot}/{name}", one.folder / slot / name, size, sha256))
    return found


def parts(root: Path) -> list[dict[str, object]]:
    """The parts of the bundle: each session's outputs with its facts and context."""
    return [
        {"outputs": one.folder.name, "facts": one.folder.name + "/facts.json", "context": one.context}
        for one in sessions(root)
        if one.runs
    ]


def _journal(folder: Path) -> list[dict[str, Any]]:
    """The complete runs; a line that a crash cut off is no run."""
    try:
        lines = (folder / JOURNAL).read_bytes().split(b"\n")
    except OSError:
        return []
    found = []
    for line in lines[:-1]:
        try:
            found.append(json.loads(line.decode("ascii")))
        except ValueError:
            continue
    return found


def _append(path: Path, line: bytes) -> None:
    """Append a whole line or nothing."""
    with path.open("ab") as opened:
        before = opened.tell()
        try:
            opened.write(line)
            opened.flush()
            os.fsync(opened.fileno())
        except OSError:
            os.ftruncate(opened.fileno(), before)
            raise
    sync_folder(path.parent)


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name("." + path.name + ".part")
    try:
        with part.open("wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(path)
    except BaseException:
        remove(part)
        raise
