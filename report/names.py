"""What a name on the command line or in a URL stands for: exactly one stored revision, or an error that helps."""

import difflib
import re
from collections.abc import Sequence

from db.errors import UnresolvedNameError
from db.values import RevisionRow

_SERIES = re.compile(r"(?P<series>.+)@v(?P<version>\d+)(?:/(?P<patch>\d+)|(?P<base>~base))?$")
_COMMIT = re.compile(r"[0-9a-f]{4,40}$")
_SHOWN = 6  # candidates in one message


def resolve(name: str, revisions: Sequence[RevisionRow]) -> RevisionRow:
    """The revision that a name means.

    A name is a label, a kernel release, a commit or its prefix (4 hex digits or more), or `series@v3` (its last
    patch), `series@v3/4` (after patch 4), `series@v3~base`. Names joined by commas must all hold (`a1,6.1.0`).
    Raises UnresolvedNameError with the candidates where there is not exactly one.
    """
    terms = [part.strip() for part in name.split(",") if part.strip()]
    found = list(revisions) if terms else []
    for term in terms:
        meant = {revision.id for revision in _meant(term, revisions)}
        found = [revision for revision in found if revision.id in meant]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(spelled(revision, revisions) for revision in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise UnresolvedNameError(f"{name!r} means {len(found)} revisions", f"one of: {listed}{more}")
    raise UnresolvedNameError(f"{name!r}: no revision of this name", _known(name, revisions))


def spelled(revision: RevisionRow, revisions: Sequence[RevisionRow]) -> str:
    """The shortest name that means this revision and no other."""
    names = [revision.name, revision.commit, revision.kernel]
    pairs = [f"{one},{other}" for one in names for other in names if one and other and one != other]
    for name in (*filter(None, names), *pairs):
        meant = [{other.id for other in _meant(term, revisions)} for term in name.split(",")]
        matching = [other for other in revisions if all(other.id in ids for ids in meant)]
        if matching == [revision]:
            return name
    return revision.name


def _meant(term: str, revisions: Sequence[RevisionRow]) -> list[RevisionRow]:
    if match := _SERIES.match(term):
        return _in_series(match, revisions)
    found = [r for r in revisions if term in (r.label, r.kernel)]
    if _COMMIT.match(term):
        found += [r for r in revisions if r.commit.startswith(term) and r not in found]
    return found


def _in_series(match: re.Match[str], revisions: Sequence[RevisionRow]) -> list[RevisionRow]:
    version = int(match["version"])
    states = [r for r in revisions if r.series == match["series"] and r.version == version]
    if match["base"]:
        return [r for r in states if r.patch == 0]
    if match["patch"]:
        return [r for r in states if r.patch == int(match["patch"])]
    last = max((r.patch or 0 for r in states), default=0)
    whole = [r for r in states if r.patch is None]
    return whole or [r for r in states if r.patch == last]


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint: the known names that are most like this one, or else the last ones."""
    near = difflib.get_close_matches(name, known, n=_SHOWN, cutoff=0.4) or known[-_SHOWN:]
    return "known: " + ", ".join(near) if near else "nothing is stored yet: `kvmperf upload PATH --label NAME`"


def _known(name: str, revisions: Sequence[RevisionRow]) -> str:
    known = list(dict.fromkeys(text for r in revisions for text in (r.name, r.label, r.kernel, r.commit[:12]) if text))
    return nearest(name, known)
