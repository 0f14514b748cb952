"""Packs the outputs that a user names into one bundle, each path with its context: what the server needs to know.

Standard library only: a bench host has the client and not the database.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from db.origin import CaptureContext
from ingest import runner_tree
from ingest.bundle import is_bundle, open_bundle, unpack
from ingest.collector import pack
from ingest.collector.pack import Member
from ingest.context import Given, context, merged
from ingest.errors import readable
from ingest.outputs import SIDE_SUFFIXES, STDIN, Found, find_outputs, stdin_bytes


@dataclass(frozen=True, slots=True)
class Packing:
    """A bundle that is about to be written: its manifest, its members, how many outputs are in it."""

    told: pack.Manifest
    members: tuple[Member, ...]
    outputs: int

    @property
    def digest(self) -> str:
        """The digest that the server will know it by."""
        return str(self.told["digest"])

    @property
    def size(self) -> int:
        """Unpacked bytes."""
        return sum(one.size for one in self.members)


def packing(paths: Sequence[Path], given: Given, stack: ExitStack) -> Packing:
    """What goes into the bundle. Bundles among the paths are unpacked while `stack` is open.

    Raises InputError for what cannot be meant, before anything is written.
    """
    packer = _Packer(given)
    for number, path in enumerate(paths, start=1):
        prefix = f"{number:04d}"
        if is_bundle(path):
            packer.add_bundle(path, prefix, stack)
        elif str(path) == STDIN:
            packer.add_stdin(prefix)
        else:
            packer.add(path.absolute(), prefix)
    told = pack.manifest(packer.members, packer.parts, "kvmperf upload")
    return Packing(told, tuple(packer.members), packer.outputs)


class _Packer:
    """Gathers members and parts; the context of this machine is looked up once, where an output needs it."""

    def __init__(self, given: Given) -> None:
        self.members: list[Member] = []
        self.parts: list[dict[str, object]] = []
        self.outputs = 0
        self._given = given
        self._place: CaptureContext | None = None

    def add(self, path: Path, prefix: str) -> None:
        found = find_outputs(path)
        iterations = sorted({one.part.iteration.absolute() for one in found if one.part is not None})
        tests = [one.path.parent for one in found if _is_test(one) and one.path is not None]
        files = {file: None for iteration in iterations for file in _whole(iteration)}
        files |= {file: None for test in tests for file in _of_test(test)}
        files |= {file: None for one in found if one.part is None and not _is_test(one) for file in _with_sides(one)}
        root = _root(path, iterations, tests)
        with readable(path):
            self.members += (pack.member(f"{prefix}/{_portable(file.relative_to(root))}", file) for file in files)
        alone = path.is_file() and not iterations
        named = (found[0].path or found[0].stem.with_name(f"{found[0].stem.name}.cmd")) if alone else path
        self._add_part(f"{prefix}/{_portable(named.relative_to(root))}" if named != root else prefix, prefix, found)
        self.outputs += len(found)

    def add_stdin(self, prefix: str) -> None:
        name = f"{prefix}/<stdin>"
        self.members.append(pack.member(name, stdin_bytes()))
        self._add_part(name, prefix, [])
        self.outputs += 1

    def add_bundle(self, path: Path, prefix: str, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="kvmperf-")))
        with open_bundle(path) as packed:
            bundle = unpack(packed, str(path), folder)
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        self.members += (pack.member(f"{prefix}/{_portable(file.relative_to(folder))}", file) for file in files)
        for number, part in enumerate(bundle.parts):
            facts = ""
            if part.facts is not None:
                facts = f"{prefix}.{number}.facts.json"
                self.members.append(pack.member(facts, part.facts.to_json().encode()))
            told = _told(merged(part.given, self._given), part.boot_since, facts_named=part.facts_named)
            outputs = f"{prefix}/{part.outputs.relative_to(folder).as_posix()}"
            self.parts.append({"outputs": outputs, "facts": facts, "context": told})
            self.outputs += len(find_outputs(part.outputs))

    def _add_part(self, outputs: str, prefix: str, found: Sequence[Found]) -> None:
        """A part with what is known of its place. An MMTests tree tells its own, unless the user chose the facts."""
        named = self._given.host_facts is not None
        place = self._here() if named or not found or any(one.part is None for one in found) else None
        facts = ""
        if place is not None and place.facts:
            facts = f"{prefix}.facts.json"
            self.members.append(pack.member(facts, place.facts))
        told = _told(self._given, place.boot_since if place else None, facts_named=named)
        self.parts.append({"outputs": outputs, "facts": facts, "context": told})

    def _here(self) -> CaptureContext:
        self._place = self._place or context(self._given)
        return self._place


def _root(path: Path, iterations: Sequence[Path], tests: Sequence[Path]) -> Path:
    """What names are relative to: high enough to keep the names that say what ran (a run, a program and its case)."""
    base = path if path.is_dir() else path.parent
    anchors = [iteration.parent.parent for iteration in iterations]
    anchors += [runner_tree.log_above(test) or test.parent.parent for test in tests]
    anchors += [test.parent.parent for test in tests]
    return Path(os.path.commonpath([base, *anchors]))


def _is_test(found: Found) -> bool:
    return found.part is None and found.path is not None and found.path.name == runner_tree.STDOUT


def _of_test(test: Path) -> Iterator[Path]:
    """The output of a test of the KVM selftest runner, what stands beside it, and the runner's log above it."""
    yield from (file for file in sorted(test.iterdir()) if _is_plain(file))
    if folder := runner_tree.log_above(test):
        yield folder / runner_tree.LOG


def _whole(tree: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(tree):
        folders.sort()
        yield from (file for file in (Path(folder) / name for name in sorted(names)) if _is_plain(file))


def _is_plain(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()


def _with_sides(found: Found) -> list[Path]:
    sides = [found.stem.with_name(found.stem.name + suffix) for suffix in SIDE_SUFFIXES]
    there = [side for side in sides if side != found.path and side.is_file()]
    return there if found.path is None else [found.path, *there]


def _portable(name: Path) -> str:
    """A name that every file system can hold; what is no UTF-8 in it is replaced."""
    return name.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _told(given: Given, boot_since: float | None, *, facts_named: bool) -> dict[str, object]:
    """What the user said, without what was left unsaid; host facts travel as a file."""
    said = {name: value for name, value in asdict(given).items() if value and name != "host_facts"}
    more = {"boot_since": boot_since, "facts_named": facts_named}
    return said | {name: value for name, value in more.items() if value}
