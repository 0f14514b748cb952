"""A patch followed across two versions of its series: same, moved, changed, dropped or new. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from db.series import PatchRow

LIKENESS = 0.5  # of the changed lines that two diffs must share at least, to be versions of one patch
SAME_AUTHOR = 0.1  # so much less will do between patches of one author, so much more is asked between two


class Fate(StrEnum):
    """What became of a patch."""

    SAME = "same"
    MOVED = "moved"
    CHANGED = "changed"
    NEW = "new"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Followed:
    """One row of a range-diff: the patch in the older version, in the newer one, or in both."""

    fate: Fate
    old: PatchRow | None
    new: PatchRow | None


def follow(old: Sequence[PatchRow], new: Sequence[PatchRow]) -> tuple[Followed, ...]:
    """One row a patch, in the order of the newer version; a dropped one stands where its predecessor went.

    Equal patch-ids are the same patch (moved, where the patches that both versions share changed their order). Of
    the others, equal subjects belong together, then the most similar diffs.
    """
    pairs = _unchanged(old, new)
    same = set(pairs)
    pairs += _by_subject(_left(old, pairs, 0), _left(new, pairs, 1))
    pairs += _by_likeness(_left(old, pairs, 0), _left(new, pairs, 1))
    by_new = {b.k: (a, b) for a, b in pairs}
    moved = _moved(sorted(((a.k, b.k) for a, b in pairs), key=lambda pair: pair[1]))
    rows: list[Followed] = []
    for patch in new:
        if patch.k not in by_new:
            rows.append(Followed(Fate.NEW, None, patch))
            continue
        pair = by_new[patch.k]
        fate = Fate.CHANGED if pair not in same else Fate.MOVED if patch.k in moved else Fate.SAME
        rows.append(Followed(fate, *pair))
    for patch in _left(old, pairs, 0):
        before = [i for i, row in enumerate(rows) if row.old and row.old.k < patch.k]
        rows.insert(before[-1] + 1 if before else 0, Followed(Fate.DROPPED, patch, None))
    return tuple(rows)


_Pair = tuple[PatchRow, PatchRow]


def _left(patches: Sequence[PatchRow], pairs: Sequence[_Pair], side: int) -> list[PatchRow]:
    taken = {pair[side].k for pair in pairs}
    return [patch for patch in patches if patch.k not in taken]


def _unchanged(old: Sequence[PatchRow], new: Sequence[PatchRow]) -> list[_Pair]:
    """Pairs of equal patch-ids; of several equal ones the first belongs to the first."""
    waiting: dict[str, list[PatchRow]] = {}
    for patch in old:
        if patch.patch_id:
            waiting.setdefault(patch.patch_id, []).append(patch)
    return [(waiting[patch.patch_id].pop(0), patch) for patch in new if waiting.get(patch.patch_id)]


def _by_subject(old: Sequence[PatchRow], new: Sequence[PatchRow]) -> list[_Pair]:
    """Pairs of subjects that stand once in each version."""
    told = [Counter(_words(patch.subject) for patch in patches) for patches in (old, new)]
    by_words = {_words(patch.subject): patch for patch in old}
    return [
        (by_words[words], patch)
        for patch in new
        if (words := _words(patch.subject)) and told[0][words] == 1 and told[1][words] == 1
    ]


def _words(subject: str) -> str:
    return " ".join(re.findall(r"\w+", subject.casefold()))


def _by_likeness(old: Sequence[PatchRow], new: Sequence[PatchRow]) -> list[_Pair]:
    """Pairs of similar diffs, the most similar first."""
    lines = {id(patch): _changed_lines(patch.diff) for patch in (*old, *new)}
    scored = [(_alike(lines[id(a)], lines[id(b)]) + _kin(a, b), -a.k, -b.k, a, b) for a in old for b in new]
    pairs: list[_Pair] = []
    for score, _, _, a, b in sorted(scored, key=lambda row: row[:3], reverse=True):
        if score >= LIKENESS and not any(a is x or b is y for x, y in pairs):
            pairs.append((a, b))
    return pairs


def _changed_lines(diff: str) -> Counter[str]:
    """The added and removed lines, by their sign and text, whitespace aside; headers of files count too."""
    return Counter(re.sub(r"\s+", "", line) for line in diff.splitlines() if line.startswith(("+", "-")))


def _alike(one: Counter[str], other: Counter[str]) -> float:
    both = one.total() + other.total()
    return 2 * (one & other).total() / both if both and one and other else 0.0


def _kin(one: PatchRow, other: PatchRow) -> float:
    if not one.author or not other.author:
        return 0.0
    return SAME_AUTHOR if one.author == other.author else -SAME_AUTHOR


def _moved(pairs: Sequence[tuple[int, int]]) -> set[int]:
    """The newer numbers of patches that left the order of the others: outside a longest run that kept it."""
    kept = set(_longest_rising([a for a, _ in pairs]))
    return {b for i, (_, b) in enumerate(pairs) if i not in kept}


def _longest_rising(numbers: Sequence[int]) -> Iterator[int]:
    """The places of a longest rising subsequence, last one first."""
    length: list[int] = []
    for i, number in enumerate(numbers):
        length.append(1 + max((length[j] for j in range(i) if numbers[j] < number), default=0))
    wanted, limit = max(length, default=0), float("inf")
    for i in range(len(numbers) - 1, -1, -1):
        if length[i] == wanted and numbers[i] < limit:
            yield i
            wanted, limit = wanted - 1, numbers[i]
