"""Takes captured outputs into the database: finds them, has them parsed, stores them in the context they belong to."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from db.errors import UserError
from db.values import CaptureContext, NewCapture, Stored
from db.writes import Writer
from ingest.bundle import Bundle
from ingest.captures import PARSERS, capture, held, reason
from ingest.context import Given, context, merged, placed
from ingest.hostfacts import HostFacts
from ingest.hostfacts.given import read_given
from ingest.mmtests.finding import what_fits
from ingest.mmtests.place import Places
from ingest.outputs import SIDE_SUFFIXES, STDIN, Captured, Found, find_outputs, read_output, read_outputs
from ingest.records import Output

_NAMES = {".err": "stderr"}


def accept_given(writer: Writer, given: Given, paths: Iterable[Path]) -> Iterator[Stored]:
    """Store each output under the paths and say what became of it. The caller commits: all of an upload, or nothing.

    The context is what the user's words make; what an MMTests tree tells of its host completes them. Raises InputError
    for a path that is not there or holds no outputs.
    """
    where = _Where(given, lambda: context(given))
    for path in paths:
        yield from writer.store_all(where.pair(found, one) for found, one in _captures(path))


def accept_bundle(writer: Writer, bundle: Bundle, said: Given) -> Iterator[Stored]:
    """Store what a bundle holds, each part in its own context; what the uploader says goes before what it says."""
    folder = rf"{re.escape(str(bundle.folder))}/(?:\d{{4}}/)?"  # the number that the packer gives each path
    for part in bundle.parts:
        given = merged(part.given, said)
        facts = part.facts if said.host_facts is None else read_given(said.host_facts)
        named = facts if part.facts_named or said.host_facts is not None else None
        where = _Where(given, _placing(given, facts, part.boot_since), named)
        found = ((found, _told(one, folder)) for found, one in _captures(part.outputs))
        yield from writer.store_all(where.pair(*one) for one in found)


def accept_at(writer: Writer, place: CaptureContext, path: Path) -> Iterator[Stored]:
    """Store what is at a path in a context that is known; its folder is one that no reader needs to hear of."""
    hidden = re.escape(f"{path.parent}/")
    yield from writer.store_all((_in_its_boot(place, one), _told(one, hidden)) for _, one in _captures(path))


class _Where:
    """The context of each capture: an iteration of MMTests has its own, all others share one, made when needed."""

    def __init__(self, given: Given, elsewhere: Callable[[], CaptureContext], named: HostFacts | None = None) -> None:
        self._places = Places(given, named)
        self._elsewhere = elsewhere
        self._shared: CaptureContext | None = None

    def pair(self, found: Found | None, one: NewCapture) -> tuple[CaptureContext, NewCapture]:
        if found is not None and found.part is not None:
            return self._places.of(found.part.iteration), one
        self._shared = self._shared or self._elsewhere()
        return _in_its_boot(self._shared, one), one


def _placing(given: Given, facts: HostFacts | None, since: float | None) -> Callable[[], CaptureContext]:
    return lambda: placed(given, facts, since)


def _captures(path: Path) -> Iterator[tuple[Found | None, NewCapture]]:
    if str(path) == STDIN:
        yield from ((None, capture(captured)) for captured in read_outputs([path]))
    else:
        yield from ((found, _read(found)) for found in find_outputs(path))


def _read(found: Found) -> NewCapture:
    """The capture of one output on disk; a file that is no text, or has a broken side file, is kept in quarantine."""
    try:
        captured = read_output(found)
    except UserError as error:
        if found.path is None:
            raise
        if found.part is not None:
            kept = what_fits(found.part)[0]
            return NewCapture(found.relative_path, kept, quarantined=reason(error), parsed_with=PARSERS)
        return replace(
            held(Captured(Output("", str(found.path)), b"", b"", found.relative_path), error), files=_raw(found)
        )
    return capture(captured)


def _raw(found: Found) -> dict[str, bytes]:
    """An output and its side files as they are: what could not be read today may be tomorrow."""
    sides = {suffix: found.stem.with_name(found.stem.name + suffix) for suffix in SIDE_SUFFIXES}
    kept = {_NAMES.get(suffix, suffix[1:]): path for suffix, path in sides.items() if path != found.path}
    kept |= {"stdout": found.path} if found.path is not None else {}
    return {name: path.read_bytes() for name, path in kept.items() if path.is_file()}


def _told(one: NewCapture, hidden: str) -> NewCapture:
    return replace(one, quarantined=re.sub(hidden, "", one.quarantined)) if one.quarantined else one


def _in_its_boot(context: CaptureContext, captured: NewCapture) -> CaptureContext:
    """The context without the running boot for what was measured before it began: boots are the unit of replication."""
    if context.boot_since is None or captured.started_at is None:
        return context
    return context if captured.started_at.timestamp() >= context.boot_since else replace(context, boot_id="")
