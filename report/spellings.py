"""Names for many revisions at once: what a picker lists and an axis carries, each meaning one revision only."""

import re
from collections import Counter
from collections.abc import Sequence

from db.values import RevisionRow
from report.names import spelled

_HEX = re.compile(r"[0-9a-f]{4,40}$")


def spellings(revisions: Sequence[RevisionRow]) -> dict[int, str]:
    """The shortest unambiguous name of each revision by id, in the given order.

    Says what `report.names.spelled` says. That looks at every other revision for each one; here the common case, a
    name that nothing else shares, is settled by counting first.
    """
    names = Counter(revision.name for revision in revisions)
    terms = Counter(term for revision in revisions for term in {revision.label, revision.kernel})
    commits = Counter(revision.commit[:12] for revision in revisions)
    return {
        revision.id: revision.name if _is_plain(revision, names, terms, commits) else spelled(revision, revisions)
        for revision in revisions
    }


def _is_plain(revision: RevisionRow, names: Counter[str], terms: Counter[str], commits: Counter[str]) -> bool:
    name = revision.name
    if "," in name or names[name] > 1:
        return False
    if revision.series:
        return terms[name] == 0 and revision.patch is not None
    if name == revision.commit[:12]:
        return len(name) == 12 and commits[name] == 1 and terms[name] == 0
    return terms[name] == 1 and not _HEX.match(name) and "@v" not in name and name in (revision.label, revision.kernel)
