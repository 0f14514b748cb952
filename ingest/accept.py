"""Takes captured outputs into the database: finds them, has them parsed, stores them in the context they belong to."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from db.errors import UserError
from db.values import CaptureContext, NewCapture, Stored
from db.writes import Pair
from ingest.bundle import Bundle, Part, is_bundle, open_bundle, unpack
from ingest.captures import PARSERS, capture, held, reason
from ingest.context import Given, context, merged, placed
from ingest.errors import BundleError, UnreadableError, readable
from ingest.hostfacts import HostFacts
from ingest.hostfacts.given import read_given
from ingest.mmtests.finding import what_fits
from ingest.mmtests.place import Places
from ingest.outputs import SIDE_SUFFIXES, STDIN, Captured, Found, find_outputs, read_output, read_outputs
from ingest.records import Output
from ingest.storing import Store

_APART = "each output belongs to one part"
_NAMES = {".err": "stderr"}
Listed = Sequence[Found | None]
Watch = Callable[[NewCapture, int], None]  # an output that was read, and how many there are


def accept_given(store: Store, given: Given, paths: Iterable[Path]) -> Iterator[Stored]:
    """Store each output under the paths and say what became of it.

    The context is what the user's words make; what an MMTests tree tells of its host completes them. Raises InputError
    for a path that is not there or holds no outputs, before anything is stored.
    """
    yield from store.store_all(_of_paths(given, [_listed(path) for path in paths]))


def accept_bundle(store: Store, bundle: Bundle, said: Given) -> Iterator[Stored]:
    """Store what a bundle holds, each part in its own context; what the uploader says goes before what it says."""
    yield from store.store_all(_of_bundle(bundle, said))


def accept_all(store: Store, given: Given, paths: Sequence[Path], watch: Watch | None = None) -> Iterator[Stored]:
    """Store files, folders and bundles; each must be there, and each bundle whole, before anything is stored.

    What the system does not let us read is not stored; it comes last, as unreadable, and the rest is stored.
    `watch` is told of each output that was read, and how many there are.
    """
    with ExitStack() as stack:
        bundles = {path: _opened(path, stack) for path in paths if is_bundle(path)}
        listed = {path: _listed(path) for path in paths if path not in bundles}
        unreadable: list[Stored] = []
        total = sum(map(len, listed.values())) + sum(_outputs(bundle) for bundle in bundles.values())
        pairs = chain.from_iterable(
            _of_bundle(bundles[path], given) if path in bundles else _of_paths(given, [listed[path]], unreadable)
            for path in paths
        )
        yield from store.store_all(_watched(pairs, total, watch) if watch else pairs)
        yield from unreadable


def accept_at(store: Store, place: CaptureContext, path: Path) -> Iterator[Stored]:
    """Store what is at a path in a context that is known; its folder is one that no reader needs to hear of."""
    hidden = re.escape(f"{path.parent}/")
    yield from store.store_all((_in_its_boot(place, one), _told(one, hidden)) for _, one in _captures(_listed(path)))


def _of_paths(given: Given, listed: Iterable[Listed], unreadable: list[Stored] | None = None) -> Iterator[Pair]:
    where = _Where(given, lambda: context(given))
    for found in listed:
        yield from (where.pair(*one) for one in _captures(found, unreadable))


def _of_bundle(bundle: Bundle, said: Given) -> Iterator[Pair]:
    """The captures of a bundle; the context of every part is looked at before the first of them."""
    folder = rf"{re.escape(str(bundle.folder))}/(?:\d{{4}}/)?"  # the number that the packer gives each path
    parts = []
    known: set[Path] = set()
    for part in bundle.parts:
        given = merged(part.given, said)
        facts = part.facts if said.host_facts is None else read_given(said.host_facts)
        named = facts if part.facts_named or said.host_facts is not None else None
        where = _Where(given, _placing(given, facts, part.boot_since), named)
        listed = _listed(part.outputs)
        _refuse_many(bundle, part, listed, known)
        where.check(listed)
        parts.append((where, listed))
    for where, listed in parts:
        for found, one in _captures(listed):
            yield where.pair(found, _told(one, folder))


def _refuse_many(bundle: Bundle, part: Part, listed: Listed, known: set[Path]) -> None:
    """Refuse too many outputs, and those of another part (any folder of an MMTests benchmark stands for all of it)."""
    found = {one.path or one.stem for one in listed if one is not None}
    if found & known:
        raise BundleError(f"bundle: {part.outputs.relative_to(bundle.folder)}: the outputs of another part", _APART)
    known |= found
    if len(known) > bundle.most_captures:
        raise BundleError(f"bundle: more than {bundle.most_captures} outputs", "send it in several bundles")


def _opened(path: Path, stack: ExitStack) -> Bundle:
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="kvmperf-")))
    with open_bundle(path) as packed:
        return unpack(packed, str(path), folder)


def _outputs(bundle: Bundle) -> int:
    return sum(len(_listed(part.outputs)) for part in bundle.parts)


def _watched(pairs: Iterable[Pair], total: int, watch: Watch) -> Iterator[Pair]:
    for pair in pairs:
        watch(pair[1], total)
        yield pair


class _Where:
    """The context of each capture: an iteration of MMTests has its own, all others share one, made when needed."""

    def __init__(self, given: Given, elsewhere: Callable[[], CaptureContext], named: HostFacts | None = None) -> None:
        self._places = Places(given, named)
        self._elsewhere = elsewhere
        self._shared: CaptureContext | None = None

    def pair(self, found: Found | None, one: NewCapture) -> tuple[CaptureContext, NewCapture]:
        if found is not None and found.part is not None:
            return self._places.of(found.part.iteration), one
        return _in_its_boot(self._place(), one), one

    def check(self, listed: Listed) -> None:
        """Make the shared context where one of the outputs will need it: one that cannot be meant is refused now."""
        if any(found is None or found.part is None for found in listed):
            self._place()

    def _place(self) -> CaptureContext:
        self._shared = self._shared or self._elsewhere()
        return self._shared


def _placing(given: Given, facts: HostFacts | None, since: float | None) -> Callable[[], CaptureContext]:
    return lambda: placed(given, facts, since)


def _listed(path: Path) -> Listed:
    """The outputs at a path; None stands for standard input."""
    return [None] if str(path) == STDIN else find_outputs(path)


def _captures(listed: Listed, unreadable: list[Stored] | None = None) -> Iterator[tuple[Found | None, NewCapture]]:
    """The captures of outputs; one that the system does not let us read is listed instead, where there is a list."""
    for found in listed:
        if found is None:
            yield from ((None, capture(captured)) for captured in read_outputs([STDIN]))
            continue
        try:
            yield found, _read(found)
        except UnreadableError as error:
            if unreadable is None:
                raise
            unreadable.append(Stored(found.relative_path, "unreadable", reason=reason(error)))


def _read(found: Found) -> NewCapture:
    """The capture of one output on disk; a file that is no text, or has a broken side file, is kept in quarantine."""
    try:
        captured = read_output(found)
    except UnreadableError:
        raise
    except UserError as error:
        if found.path is None:
            raise
        if found.part is not None:
            kept = what_fits(found.part)[0]
            return NewCapture(found.relative_path, kept, quarantined=reason(error), parsed_with=PARSERS)
        with readable(found.path):
            files = _raw(found)
        return replace(held(Captured(Output("", str(found.path)), b"", b"", found.relative_path), error), files=files)
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
