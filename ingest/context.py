"""Where and on what something was measured: from what the user says, host facts, and the running machine."""

import re
from dataclasses import dataclass, fields, replace
from pathlib import Path

from db.origin import CaptureContext, RevisionFacts
from ingest.errors import InputError
from ingest.hostfacts import HostFacts
from ingest.hostfacts.given import read_given

_NAME_LIMIT = 200
_PATCH = re.compile(r"(?P<k>\d{1,4})(?:/(?P<m>\d{1,4}))?$")
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}$")
_LAST_VERSION = 9999
_MESSAGE_ID = re.compile(r"<?[^\s<>@,~]+@[^\s<>@,~]+>?$")  # of a cover letter: names series and version
_SERIES_SYNTAX = re.compile(r"[@,~\s]")


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
        tags=dict(_tag(tag) for tag in given.tags),
        reported=given.reported,
    )


def merged(told: Given, said: Given) -> Given:
    """What a bundle tells, overlaid by what its uploader says; tags of both are kept."""
    empty = Given()
    names = [field.name for field in fields(Given) if getattr(said, field.name) != getattr(empty, field.name)]
    both = {name: getattr(said, name) for name in names if name != "tags"}
    return replace(told, **both, tags=told.tags + said.tags)


def _revision(given: Given, kernel: str) -> RevisionFacts:
    if given.commit and not _COMMIT.match(given.commit):
        raise InputError(f"--commit {given.commit!r}: no git commit", "give 7 to 64 hex digits")
    if _SERIES_SYNTAX.search(given.label):
        raise InputError(
            f"--label {given.label!r}: a label has no blanks, commas, @ or ~", "for example --label eager_split=N"
        )
    revision = RevisionFacts(
        kernel=_name(given.kernel or kernel, "--kernel"),
        commit=given.commit.lower(),
        label=_name(given.label, "--label"),
        series=_series(given),
        version=given.version if given.series else None,
        patch=_patch(given, "k"),
        patches=_patch(given, "m"),
    )
    if not (revision.kernel or revision.commit or revision.label or revision.series):
        raise InputError("nothing says what was measured", "add --label, --commit, --kernel or --host-facts")
    return revision


def _series(given: Given) -> str:
    if not given.series:
        if given.patch or given.version is not None:
            raise InputError("--patch and --version belong to a series", "add --series NAME")
        return ""
    is_cover = _MESSAGE_ID.match(given.series) is not None
    if _SERIES_SYNTAX.search(given.series) and not is_cover:
        raise InputError(
            f"--series {given.series!r}: a name has no blanks, commas, @ or ~", "for example --series mmu-lockless"
        )
    if given.version is None and not is_cover:
        raise InputError(f"--series {given.series}: which version?", "add --version N")
    if given.version is not None and not 1 <= given.version <= _LAST_VERSION:
        raise InputError(f"--version {given.version}: not 1 to {_LAST_VERSION}", "v3 is --version 3")
    return _name(given.series, "--series")


def _patch(given: Given, which: str) -> int | None:
    """K or M of --patch K/M; None for what was not said."""
    if not given.patch:
        return None
    match = _PATCH.match(given.patch)
    if match is None or (match["m"] and int(match["k"]) > int(match["m"])):
        raise InputError(
            f"--patch {given.patch!r}: not K/M", "after patch 4 of 12: --patch 4/12; the base: --patch 0/12"
        )
    return int(match[which]) if match[which] else None


def _boot_time() -> float | None:
    """When the running kernel started, in epoch seconds, or None where /proc does not say."""
    try:
        lines = Path("/proc/stat").read_text().splitlines()
    except OSError:
        return None
    return next((float(line.split()[1]) for line in lines if line.startswith("btime ")), None)


def _name(text: str, option: str) -> str:
    if len(text) > _NAME_LIMIT or not text.isprintable():
        raise InputError(f"{option}: {text[:40]!r} is no name", f"use at most {_NAME_LIMIT} printable characters")
    return text


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InputError(f"--tag {text!r}: not K=V", "for example --tag tester=alice")
    return name, value
