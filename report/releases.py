"""Where kernel releases lie on a trend: the first revision of each, as a word beside it. Pure."""

import re
from collections.abc import Callable, Sequence

from db.values import RevisionRow

MOST = 16  # marks of one figure; of more, only whole releases, then none
_RELEASE = re.compile(r"v?(?P<release>\d+\.\d+)(?:\.\d+)?(?P<candidate>-rc\d+)?(?![.\d])")


def releases(revisions: Sequence[RevisionRow]) -> dict[int, str]:
    """The first revision of each kernel release in the given order, by id; patch series are no part of the history."""
    for is_wanted in (_every, _whole):
        found = _firsts(revisions, is_wanted)
        if len(found) <= MOST:
            return found
    return {}


def _every(name: str) -> bool:
    return bool(name)


def _whole(name: str) -> bool:
    return bool(name) and "-" not in name


def _firsts(revisions: Sequence[RevisionRow], is_wanted: Callable[[str], bool]) -> dict[int, str]:
    seen: dict[str, int] = {}
    for revision in revisions:
        match = None if revision.series else _RELEASE.match(revision.kernel)
        name = f"{match['release']}{match['candidate'] or ''}" if match else ""
        if is_wanted(name):
            seen.setdefault(name, revision.id)
    return {revision: name for name, revision in seen.items()}
