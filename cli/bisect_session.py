"""The journal of a bisection, beside the git state of its tree: what was asked, what was tried. Survives a kill."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from db.errors import UserError

FILE = "kvmperf-bisect.jsonl"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Session:
    """What `bisect start` was told. `commits` runs from good to bad, `command` is run for each measurement."""

    repository: str
    commits: tuple[str, ...]
    metric: str
    benchmark: str
    host: str
    params: Mapping[str, str]
    command: tuple[str, ...]
    url: str
    host_name: str = ""
    host_facts: str = ""
    boot_id: str = ""
    vary: tuple[str, ...] = ()
    runs: int = 3
    most: int = 100
    earlier: int = 0  # runs of these commits that the database had when it began: they count


@dataclass(frozen=True, slots=True)
class Journal:
    """The session with everything that happened since: `skipped` commits, the host state of the first measurement."""

    path: Path
    session: Session
    skipped: frozenset[str]
    state: Mapping[str, str] | None
    events: tuple[Mapping[str, object], ...]

    @property
    def away(self) -> str:
        """Where the tree stood before a measurement that never ended; empty where all of them did."""
        moves = [event for event in self.events if event.get("event") in ("away", "back")]
        return str(moves[-1].get("before", "")) if moves and moves[-1]["event"] == "away" else ""


def begin(folder: Path, session: Session) -> Journal:
    """Begin a journal; the one before is kept under another name."""
    path = folder / FILE
    if path.exists():
        path.replace(path.with_suffix(".jsonl.old"))
    fresh = path.with_suffix(".jsonl.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"version": _VERSION, **asdict(session)}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return read(folder)


def read(folder: Path) -> Journal:
    """The journal of a tree. A last line that a kill broke off is left out. Raises UserError where there is none."""
    path = folder / FILE
    if not path.exists():
        raise UserError(
            "no bisection was started in this tree", "kvmperf bisect start --good G --bad B --metric M -- CMD"
        )
    head, *lines = path.read_text(encoding="utf-8").split("\n")
    try:
        told = json.loads(head)
        version = told.pop("version")
        lists = {name: tuple(told[name]) for name in ("commits", "command", "vary")}
        session = Session(**{**told, **lists})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path}:1: this is no journal of a bisection", "remove it and start again") from error
    if version != _VERSION:
        raise UserError(f"{path}: version {version}, written by another kvmperf", "finish with that, or start again")
    events = tuple(event for line in lines if (event := _event(line)) is not None)
    skipped = frozenset(str(event["commit"]) for event in events if event.get("event") == "skip")
    states = (event["state"] for event in events if event.get("event") == "host")
    state = next((one for one in states if isinstance(one, dict)), None)
    return Journal(path, session, skipped, state, events)


def note(journal: Journal, **event: object) -> Journal:
    """Append an event, on the disk before this returns."""
    broken = not journal.path.read_bytes().endswith(b"\n")  # a kill may have left half a line
    with journal.path.open("a", encoding="utf-8") as file:
        file.write("\n" * broken + json.dumps(event) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return read(journal.path.parent)


def _event(line: str) -> Mapping[str, object] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
