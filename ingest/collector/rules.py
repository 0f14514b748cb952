"""What may be said of a measurement: one set of rules for `kvmperf upload` and for the collector. Runs on Python 3.8.

Each rule yields what it refuses as a message and a hint: the collector must not collect for hours what nobody takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Tuple  # noqa: UP035 (Python 3.8)

PATCH = re.compile(r"(?P<k>\d{1,4})(?:/(?P<m>\d{1,4}))?$")
LAST_VERSION = 9999
_NAME_LIMIT = 200
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}$")
_MESSAGE_ID = re.compile(r"<?[^\s<>@,~]+@[^\s<>@,~]+>?$")  # of a cover letter: names series and version
_SYNTAX = re.compile(r"[@,~\s]")  # of the names of revisions

Trouble = Tuple[str, str]  # noqa: UP006 (Python 3.8)


def troubles(said: Mapping[str, object]) -> Iterator[Trouble]:
    """What cannot be meant of label, kernel, commit, host, series, version, patch and tags; nothing need be there."""
    commit = str(said.get("commit") or "")
    if commit and not _COMMIT.match(commit):
        yield f"--commit {commit!r}: no git commit", "give 7 to 64 hex digits"
    label = str(said.get("label") or "")
    if _SYNTAX.search(label):
        yield f"--label {label!r}: a label has no blanks, commas, @ or ~", "for example --label eager_split=N"
    for option in ("label", "kernel", "host"):
        yield from name_troubles(str(said.get(option) or ""), f"--{option}")
    yield from _series_troubles(str(said.get("series") or ""), said.get("version"), str(said.get("patch") or ""))
    tags = said.get("tags") or ()
    for tag in tags if isinstance(tags, (list, tuple)) else ():
        name, equals, _ = str(tag).partition("=")
        if not name or not equals:
            yield f"--tag {tag!r}: not K=V", "for example --tag tester=alice"


def series_name_troubles(name: str, option: str) -> Iterator[Trouble]:
    """What cannot be the name of a patch series."""
    if _SYNTAX.search(name):
        yield f"{option} {name!r}: a name has no blanks, commas, @ or ~", f"for example {option} mmu-lockless"
    yield from name_troubles(name, option)


def name_troubles(text: str, option: str) -> Iterator[Trouble]:
    """What cannot be a name of anything."""
    if len(text) > _NAME_LIMIT or not text.isprintable():
        yield f"{option}: {text[:40]!r} is no name", f"use at most {_NAME_LIMIT} printable characters"


def _series_troubles(series: str, version: object, patch: str) -> Iterator[Trouble]:
    if not series:
        if patch or version is not None:
            yield "--patch and --version belong to a series", "add --series NAME"
        return
    is_cover = _MESSAGE_ID.match(series) is not None
    yield from name_troubles(series, "--series") if is_cover else series_name_troubles(series, "--series")
    if version is None and not is_cover:
        yield f"--series {series}: which version?", "add --version N"
    if version is not None and not 1 <= int(str(version)) <= LAST_VERSION:
        yield f"--version {version}: not 1 to {LAST_VERSION}", "v3 is --version 3"
    match = PATCH.match(patch)
    if patch and (match is None or (match["m"] and int(match["k"]) > int(match["m"]))):
        yield f"--patch {patch!r}: not K/M", "after patch 4 of 12: --patch 4/12; the base: --patch 0/12"
