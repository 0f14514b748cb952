"""Finds the parts of an MMTests tree (a benchmark in an iteration, an iteration itself) and reads their files.

A part is one capture: it is complete by itself, was measured in one boot, began and ended at known times, and stays the
same when the run goes on. Files only; what they mean is the parser's business.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import InputError, UnreadableError, readable
from ingest.parsers.mmtests import commands, timestamps
from ingest.parsers.mmtests.catalog import known
from ingest.parsers.mmtests.tree import FOLDERS
from ingest.parsers.mmtests.unpack import SUFFIXES
from ingest.records import Output

ITERATION = re.compile(r"iter-(?P<number>\d{1,9})")
ACTIVITY = "mmtests-activity"
MAX_BYTES = 256 << 20  # of one part, as it lies on disk
_MAX_TIMESTAMPS = 16 << 20
_MAX_COMMAND = 4000
_HINT = "upload the run without such files: no benchmark's result needs them"


@dataclass(frozen=True, slots=True)
class Part:
    """A benchmark in an iteration; the iteration itself where `benchmark` is empty; one log of it where `only` is set.

    `iteration` is the folder with tests-timestamp.
    """

    iteration: Path
    benchmark: str = ""
    only: str = ""

    @property
    def path(self) -> Path:
        """The folder (or log) that holds it."""
        return self.iteration / self.benchmark / self.only

    @property
    def relative_path(self) -> str:
        """Run, iteration, benchmark: where it belongs, wherever the tree lies."""
        names = (self.iteration.parent.name, self.iteration.name, self.benchmark, self.only)
        return "/".join(name for name in names if name)


def is_iteration(folder: Path) -> bool:
    """Whether a folder is an `iter-N` of a run."""
    return (folder / timestamps.FILE).is_file()


def is_run(folder: Path) -> bool:
    """Whether a folder holds iterations."""
    return any(True for _ in _iterations(folder))


def is_tree(path: Path) -> bool:
    """Whether a path is a log base, a run, or anything inside one."""
    with readable(path):
        if part_around(path) is not None:
            return True
        if not path.is_dir():
            return False
        folders = [path, *(folder for folder in _entries(path) if folder.is_dir())]
        return is_iteration(path) or any(is_run(folder) for folder in folders if os.access(folder, os.R_OK))


def parts_of_run(run: Path) -> Iterator[Part]:
    """The parts of all iterations of a run."""
    for iteration in _iterations(run):
        yield from parts_of_iteration(iteration)


def parts_of_iteration(iteration: Path) -> Iterator[Part]:
    """The iteration itself, then its benchmarks in the order of tests-timestamp. Folders it does not name are left."""
    placed = _named(iteration)
    folders = set(_folders(placed))
    yield Part(placed)
    for name in _stamps(placed).tests:
        if name in folders:
            yield Part(placed, name)


def part_around(path: Path) -> Part | None:
    """The part that a path inside an iteration stands for: a benchmark's folder, its logs, or one log; else None."""
    for depth, iteration in enumerate(path.parents[:3]):
        if is_iteration(iteration):
            inside = path.relative_to(iteration).parts
            if path.is_dir() and depth < 2:
                return Part(_named(iteration), inside[0])
            return Part(_named(iteration), inside[0], "/".join(inside[1:])) if depth == 2 and path.is_file() else None
    return None


def read_part(part: Part) -> Output:
    """The output of a part, with its files; InputError when they are too large or cannot be read."""
    files, too_large = what_fits(part)
    if too_large:
        names = ", ".join(too_large[:3])
        raise InputError(f"{part.path}: more than {MAX_BYTES >> 20} MiB ({names})", _HINT)
    stamps = _stamps(part.iteration)
    if not part.benchmark:
        return Output("", str(part.path), started_at=stamps.started_at, ended_at=stamps.finished_at, files=files)
    test = stamps.tests.get(part.benchmark, timestamps.Test())
    written = files.get(f"{part.benchmark}/logs/commands.log", b"").decode("utf-8", errors="replace")
    return Output(
        text="",
        source=str(part.path if not part.only else part.iteration / part.benchmark),
        command="; ".join(commands.unique(written))[:_MAX_COMMAND] or None,
        exit_status=test.exit_status,
        started_at=test.started_at,
        ended_at=test.ended_at,
        files=files,
    )


def what_fits(part: Part) -> tuple[dict[str, bytes], list[str]]:
    """The files of a part by their path below the iteration, and the names of those that did not fit any more."""
    files = _told(part)
    too_large: list[str] = []
    room = MAX_BYTES
    for name, path in sorted(_paths(part).items()):
        try:
            if path.stat().st_size > room:
                too_large.append(name)
                continue
            files[name] = path.read_bytes()
        except OSError as error:
            raise UnreadableError(path, error) from error
        room -= len(files[name])
    return files, too_large


def _told(part: Part) -> dict[str, bytes]:
    """Files that say what lies around a part: the lines of tests-timestamp about it, or the folders beside it.

    Its own lines only: the whole of tests-timestamp grows while a run goes on, and a capture must not.
    """
    if not part.benchmark:
        return {FOLDERS: "\n".join(_folders(part.iteration)).encode()}
    text = _text(part.iteration / timestamps.FILE)
    return {timestamps.FILE: timestamps.of_one(text, part.benchmark).encode()}


def _paths(part: Part) -> Mapping[str, Path]:
    if part.only:
        return {f"{part.benchmark}/{part.only}": part.path} | _beside(part)
    if part.benchmark:
        return _inside(part.iteration, part.benchmark) | _beside(part) | _monitors(part.iteration)[part.benchmark]
    monitors = {name for found in _monitors(part.iteration).values() for name in found}
    own = {path.name: path for path in _files(part.iteration) if path.name not in monitors}
    named = set(_stamps(part.iteration).tests)
    for folder in _folders(part.iteration):
        own |= {} if folder in named else _inside(part.iteration, folder)
    activity = part.iteration.parent / ACTIVITY
    is_first = part.iteration.name == "iter-0"
    return {_utf8(name): path for name, path in own.items()} | (
        {ACTIVITY: activity} if is_first and activity.is_file() else {}
    )


def _inside(iteration: Path, folder: str) -> dict[str, Path]:
    """Every regular file below a folder of the iteration; symbolic links to folders are not followed."""
    found = {}
    for place, _, names in os.walk(iteration / folder, onerror=_refuse):
        for name in names:
            path = Path(place, name)
            if path.is_file():
                found[_utf8(path.relative_to(iteration).as_posix())] = path
    return found


def _beside(part: Part) -> dict[str, Path]:
    """Files of the iteration that the benchmark's reader needs."""
    benchmark = known(part.benchmark)
    wanted = benchmark.beside if benchmark else ()
    names = [name + suffix for name in wanted for suffix in ("", *SUFFIXES)]
    return {name: part.iteration / name for name in names if (part.iteration / name).is_file()}


def _monitors(iteration: Path) -> dict[str, dict[str, Path]]:
    """By benchmark the files MONITOR-BENCHMARK beside it; of two names that fit, the longer one is meant."""
    names = sorted(set(_stamps(iteration).tests) & set(_folders(iteration)), key=len, reverse=True)
    found: dict[str, dict[str, Path]] = {name: {} for name in [*names, *_stamps(iteration).tests]}
    for path in _files(iteration):
        stem = re.sub(r"(?:\.start)?(?:\.gz|\.xz)?\Z", "", path.name)
        owner = next((name for name in names if stem.endswith(f"-{name}")), None)
        if owner is not None:
            found[owner][_utf8(path.name)] = path
    return found


def _files(folder: Path) -> list[Path]:
    return [path for path in _entries(folder) if path.is_file()]


def _folders(iteration: Path) -> list[str]:
    return sorted(_utf8(path.name) for path in _entries(iteration) if path.is_dir() and not path.is_symlink())


def _iterations(run: Path) -> Iterator[Path]:
    """The `iter-N` of a run that have begun, by number."""
    found = [(int(match["number"]), path) for path in _entries(run) if (match := ITERATION.fullmatch(path.name))]
    yield from (path for _, path in sorted(found) if is_iteration(path))


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        _refuse(error)
        raise


def _refuse(error: OSError) -> None:
    raise UnreadableError(error.filename, error) from error


def _stamps(iteration: Path) -> timestamps.Timestamps:
    return timestamps.read(_text(iteration / timestamps.FILE))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            return opened.read(_MAX_TIMESTAMPS).decode("utf-8", errors="replace")
    except OSError as error:
        raise UnreadableError(path, error) from error


def _named(iteration: Path) -> Path:
    """The folder under a path that names its run (`.` does not)."""
    return iteration if iteration.parent.name and ITERATION.fullmatch(iteration.name) else iteration.resolve()


def _utf8(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")
