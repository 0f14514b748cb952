"""Where and on what something was measured: from what the user says, host facts, and the running machine."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from db.origin import CaptureContext, RevisionFacts
from ingest.collector.rules import PATCH, Trouble, name_troubles, series_name_troubles, troubles
from ingest.errors import InputError
from ingest.hostfacts import HostFacts
from ingest.hostfacts.given import read_given


@dataclass(frozen=True, slots=True)
class Given:
    """What the user said about an upload, unchecked."""

    label: str = ""
    kernel: str = ""
    commit: str = ""
    host: str = ""
    host_facts: Path | None = None
    boot_id: str = ""
    series: str = ""
    version: int | None = None
    patch: str = ""
    tags: tuple[str, ...] = ()
    reported: bool = False


def context(given: Given) -> CaptureContext:
    """The checked context of an upload. Raises InputError for what cannot be meant.

    Without a host and without facts the running machine is meant. With a host alone, nothing more is known of it.
    """
    here = given.host_facts is None and not given.host
    facts = read_given(given.host_facts) if given.host_facts is not None or here else None
    return placed(given, facts, _boot_time() if here and not given.boot_id else None)


def placed(given: Given, facts: HostFacts | None, boot_since: float | None = None) -> CaptureContext:
    """The checked context of what was measured on a host with these facts (None: nothing is known of it)."""
    _refuse(troubles(asdict(given)))
    host = given.host or (facts.hostname if facts else "")
    if not host:
        raise InputError(f"{given.host_facts or 'host facts'}: they do not name their host", "add --host NAME")
    revision = _revision(given, facts.kernel_release if facts else "")
    return CaptureContext(
        host=_name(host, "--host"),
        revision=revision,
        boot_id=_name(given.boot_id, "--boot-id") if given.boot_id else facts.boot_id if facts else "",
        boot_since=boot_since,
        machine_id_hash=facts.machine_id_hash if facts else "",
        state=facts.state if facts else {},
        facts=facts.to_json().encode() if facts else b"",
        tags={name: value for name, _, value in (tag.partition("=") for tag in given.tags)},
        reported=given.reported,
    )


def merged(told: Given, said: Given) -> Given:
    """What a bundle tells, overlaid by what its uploader says; tags of both are kept."""
    empty = Given()
    names = [field.name for field in fields(Given) if getattr(said, field.name) != getattr(empty, field.name)]
    both = {name: getattr(said, name) for name in names if name != "tags"}
    return replace(told, **both, tags=told.tags + said.tags)


def series_name(name: str, option: str) -> str:
    """A name for a patch series as the user gave it. Raises InputError for what is no such name."""
    _refuse(series_name_troubles(name, option))
    return name


def _revision(given: Given, kernel: str) -> RevisionFacts:
    patch = PATCH.match(given.patch)
    revision = RevisionFacts(
        kernel=_name(given.kernel or kernel, "--kernel"),
        commit=given.commit.lower(),
        label=given.label,
        series=given.series,
        version=given.version if given.series else None,
        patch=int(patch["k"]) if patch else None,
        patches=int(patch["m"]) if patch and patch["m"] else None,
    )
    if not (revision.kernel or revision.commit or revision.label or revision.series):
        raise InputError("nothing says what was measured", "add --label, --commit, --kernel or --host-facts")
    return revision


def _boot_time() -> float | None:
    """When the running kernel started, in epoch seconds, or None where /proc does not say."""
    try:
        lines = Path("/proc/stat").read_text().splitlines()
    except OSError:
        return None
    return next((float(line.split()[1]) for line in lines if line.startswith("btime ")), None)


def _name(text: str, option: str) -> str:
    _refuse(name_troubles(text, option))
    return text


def _refuse(found: Iterator[Trouble]) -> None:
    for message, hint in found:
        raise InputError(message, hint)
