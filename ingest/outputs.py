"""Captured outputs on disk: finds them under the paths that a user names and reads each with the files beside it.

NAME.out (or .txt, .log, .jsonl) is an output; NAME.cmd, NAME.rc, NAME.time and NAME.err beside it tell how it was
captured. Reads files and nothing else: no parsing, no network.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from db.errors import UserError
from ingest import runner_tree
from ingest.collector.folder import JOURNAL, is_session
from ingest.errors import FormatError, InputError, UnreadableError, readable
from ingest.records import Output

if TYPE_CHECKING:
    from ingest.mmtests.finding import Part

OUTPUT_SUFFIXES = (".out", ".txt", ".log", ".jsonl")
SIDE_SUFFIXES = (".cmd", ".rc", ".time", ".err")
STDIN = "-"
MAX_BYTES = 256 << 20
_NOT_SIDE_FILES = "name outputs NAME.out, with NAME.cmd, NAME.rc, NAME.time and NAME.err beside them"
# A folder with one of these holds what the collector learned about the host, not what a benchmark printed.
_HOST_FACTS = ("proc-cpuinfo.txt", "lscpu.json", "sys")
_SNIFFED = 64 << 10
_MAX_ODD_SHARE = 0.3
_MMTESTS = "tests-timestamp"  # in every `iter-N` of an MMTests run
_PACKED = (".json.gz", ".json.xz", ".json.zst")


@dataclass(frozen=True, slots=True)
class Captured:
    """One captured execution with its raw bytes; `relative_path` is relative to the path that the user named."""

    output: Output
    stdout: bytes
    stderr: bytes
    relative_path: str


@dataclass(frozen=True, slots=True)
class Found:
    """An output before it is read: its path without suffix, and the output file unless that is missing.

    `part`: it is no file but a part of an MMTests tree, and `path` its folder.
    """

    stem: Path
    path: Path | None
    relative_path: str
    part: "Part | None" = None


def read_outputs(paths: Iterable[Path | str]) -> Iterator[Captured]:
    """Every captured output under the paths: in the order of the paths, sorted by name inside a folder."""
    for captured in read_each(paths):
        if isinstance(captured, UserError):
            raise captured
        yield captured


def read_each(paths: Iterable[Path | str]) -> Iterator[Captured | UserError]:
    """The same, with an error in place of what cannot be read, so that one bad file does not hide the others."""
    for path in paths:
        try:
            found = [None] if str(path) == STDIN else find_outputs(Path(path))
        except UserError as error:
            yield error
            continue
        for one in found:
            try:
                yield _read_stdin() if one is None else read_output(one)
            except UserError as error:
                yield error


def find_outputs(path: Path) -> list[Found]:
    """The outputs under one path, sorted; InputError when there are none."""
    with readable(path):
        return [replace(one, relative_path=spelled(one.relative_path)) for one in _find(path)]


def spelled(name: str) -> str:
    """A name that is no UTF-8 in letters that are: its strange bytes as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _find(path: Path) -> list[Found]:
    inside = _inside_mmtests(path)
    if inside is not None:
        return [inside]
    if path.is_dir():
        found = sorted(_in_folder(path, path), key=lambda one: one.relative_path)
        if not found:
            raise InputError(f"{path}: no outputs in this folder", _NOT_SIDE_FILES)
        return found
    if not path.exists():
        raise InputError(f"{path}: no such file or folder", "check the spelling; `-` reads standard input")
    if not path.is_file():
        raise InputError(f"{path}: neither a file nor a folder", "pass files, folders, or `-` for standard input")
    if path.name == runner_tree.STDOUT:
        return [Found(path, path, runner_tree.relative_path(path.parent, path.parent))]
    if path.suffix in SIDE_SUFFIXES:
        return [_beside(path)]
    return [Found(path.with_suffix("") if path.suffix in OUTPUT_SUFFIXES else path, path, path.name)]


def read_output(found: Found) -> Captured:
    """One output with its side files; a missing output is an empty text."""
    with readable(found.path or found.stem):
        return _read(found)


def _read(found: Found) -> Captured:
    if found.part is not None:
        from ingest.mmtests.finding import read_part

        return Captured(read_part(found.part), b"", b"", found.relative_path)
    if found.path is not None and found.path.name == runner_tree.STDOUT:
        return _read_test(found, found.path)
    stdout = _content(found.path) if found.path is not None else b""
    side = {suffix: _side_bytes(found, suffix) for suffix in SIDE_SUFFIXES}
    place = spelled(str(found.path if found.path is not None else found.stem.with_name(f"{found.stem.name}.cmd")))
    started_at, ended_at = _times(side[".time"], f"{found.stem}.time")
    stderr = side[".err"] or b""
    output = Output(
        text=decoded(stdout, place),
        source=place,
        command=_command(side[".cmd"], f"{found.stem}.cmd"),
        exit_status=_exit_status(side[".rc"], f"{found.stem}.rc"),
        started_at=started_at,
        ended_at=ended_at,
        stderr=decoded(stderr, f"{found.stem}.err"),
    )
    return Captured(output, stdout, stderr, found.relative_path)


def _read_test(found: Found, path: Path) -> Captured:
    """One output in the tree of the KVM selftest runner; its folder says what was run."""
    ended = runner_tree.ended(path.parent)
    errors = path.with_name(runner_tree.STDERR)
    stdout, stderr = _content(path), _content(errors) if errors.is_file() else b""
    source = found.relative_path if found.relative_path.count("/") > 1 else spelled(str(path))
    output = Output(
        text=decoded(stdout, str(path)),
        source=source,
        command=ended.command,
        exit_status=ended.exit_status,
        stderr=decoded(stderr, str(errors)),
    )
    return Captured(output, stdout, stderr, found.relative_path)


def is_missing(captured: Captured) -> bool:
    """Whether only side files were there: the program was started and its output never came."""
    return captured.relative_path.endswith(".cmd")


def _in_folder(folder: Path, root: Path) -> Iterator[Found]:
    names = _names(folder)
    if folder != root and any(name in names for name in _HOST_FACTS):
        return
    if _MMTESTS in names:
        from ingest.mmtests.finding import parts_of_iteration

        yield from map(_found, parts_of_iteration(folder))
        return
    if runner_tree.is_test(names):
        yield Found(folder / runner_tree.STDOUT, folder / runner_tree.STDOUT, runner_tree.relative_path(folder, root))
    for name in names:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            yield from _in_folder(path, root)
        elif path.suffix in OUTPUT_SUFFIXES and path.is_file():
            yield Found(path.with_suffix(""), path, path.relative_to(root).as_posix())
        elif path.suffix == ".cmd" and not _has_output(path, names):
            yield Found(path.with_suffix(""), None, path.relative_to(root).as_posix())


def _names(folder: Path) -> list[str]:
    """What lies in a folder, sorted; the collector's own journal is none of it."""
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    return [name for name in names if name != JOURNAL] if is_session(names) else names


def _inside_mmtests(path: Path) -> Found | None:
    """What a folder or log inside an iteration of MMTests stands for."""
    absolute = path.absolute()
    if not path.exists() or not any((parent / _MMTESTS).is_file() for parent in absolute.parents[:3]):
        return None
    from ingest.mmtests.finding import part_around

    part = part_around(absolute)
    return None if part is None else _found(part)


def _found(part: "Part") -> Found:
    return Found(part.path, part.path, part.relative_path, part)


def _has_output(command_file: Path, names: Iterable[str]) -> bool:
    present = set(names)
    return any(f"{command_file.stem}{suffix}" in present for suffix in OUTPUT_SUFFIXES)


def _beside(side_file: Path) -> Found:
    """The output that a side file belongs to: a user who names NAME.cmd means the run."""
    stem = side_file.with_suffix("")
    for suffix in OUTPUT_SUFFIXES:
        path = stem.with_name(stem.name + suffix)
        if path.is_file():
            return Found(stem, path, path.name)
    if side_file.suffix == ".cmd":
        return Found(stem, None, side_file.name)
    raise InputError(f"{side_file}: this belongs to an output {stem.name}.out, which is not there", _NOT_SIDE_FILES)


def _read_bytes(path: Path) -> bytes:
    try:
        length = path.stat().st_size
        if length > MAX_BYTES:
            raise InputError(
                f"{path}: {length >> 20} MiB, more than the {MAX_BYTES >> 20} MiB that one output may have",
                "no benchmark prints that much: check what was captured, or cut it",
            )
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(path, error) from error


def _content(path: Path) -> bytes:
    """The bytes of an output; exports of MMTests come packed."""
    raw = _read_bytes(path)
    if not path.name.endswith(_PACKED):
        return raw
    from ingest.parsers.mmtests.unpack import unpacked

    return unpacked(raw, str(path))


def _side_bytes(found: Found, suffix: str) -> bytes | None:
    path = found.stem.with_name(found.stem.name + suffix)
    return _read_bytes(path) if path != found.path and path.is_file() else None


def stdin_bytes() -> bytes:
    """What is piped in."""
    if sys.stdin is None:  # closed: `<&-`
        raise InputError("<stdin>: closed", "pipe an output in, or name a file")
    raw = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise InputError(f"<stdin>: more than {MAX_BYTES >> 20} MiB", "check what was piped in")
    return raw


def _read_stdin() -> Captured:
    stdout = stdin_bytes()
    return Captured(Output(text=decoded(stdout, "<stdin>"), source="<stdin>"), stdout, b"", "<stdin>")


def decoded(raw: bytes, place: str) -> str:
    """The text; single bytes that are no UTF-8 are replaced, a file that is mostly such bytes is refused."""
    sample = raw[:_SNIFFED]
    if b"\0" in sample:
        raise InputError(f"{place}: holds NUL bytes: a binary file, no output", _NOT_SIDE_FILES)
    text = raw.decode("utf-8", errors="replace").removeprefix("\ufeff")
    odd = sum(1 for character in text[:_SNIFFED] if character == "\ufffd" or character < "\x08")
    if odd > _MAX_ODD_SHARE * max(1, len(text[:_SNIFFED])):
        raise InputError(f"{place}: is not text", "outputs are UTF-8 or ASCII text: convert it, or name another file")
    return text


def _command(raw: bytes | None, place: str) -> str | None:
    return None if raw is None else " ".join(decoded(raw, place).split("\n")).strip() or None


def _exit_status(raw: bytes | None, place: str) -> int | None:
    if raw is None or not raw.strip():
        return None
    try:
        return int(raw.decode("ascii").strip())
    except ValueError as error:
        raise FormatError(place, 1, "the exit status is not a number", "write what `echo $?` prints") from error


def _times(raw: bytes | None, place: str) -> tuple[float | None, float | None]:
    if raw is None or not raw.strip():
        return None, None
    words = raw.decode("utf-8", errors="replace").split()
    numbers = _numbers(words)
    if len(numbers) != 2 or numbers[1] < numbers[0]:
        raise FormatError(
            place, 1, "not a start and an end in epoch seconds", "write `date +%s.%N` before and after the run"
        )
    return numbers[0], numbers[1]


def _numbers(words: list[str]) -> list[float]:
    """The words as finite epoch seconds, to the microsecond that the database keeps; empty when one is none."""
    try:
        numbers = [round(float(word), 6) for word in words]
    except ValueError:
        return []
    return numbers if all(0 <= number < 1e11 for number in numbers) else []
