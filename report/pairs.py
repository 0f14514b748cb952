"""Which revision is compared with which: heads with one base, or the versions of a series each with its own. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from db.series import PatchSeriesRow, VersionRow
from db.values import RevisionRow

_WHOLE = re.compile(r".+@v\d+$")


class Kind(StrEnum):
    """Why two revisions are compared."""

    HEAD = "head"  # with the base that was asked for, or with the version's own
    STEP = "step"  # a version with the one before
    REBASE = "rebase"  # the base of a version with the base of the one before


@dataclass(frozen=True, slots=True)
class Pair:
    """Two revisions to be compared."""

    base: RevisionRow
    head: RevisionRow
    kind: Kind = Kind.HEAD

    @property
    def ids(self) -> tuple[int, int]:
        """Both revisions."""
        return self.base.id, self.head.id

    @property
    def name(self) -> str:
        """What the pair is called in a table that shows several."""
        if self.kind is Kind.HEAD:
            return self.head.name
        version = f"v{self.head.version}"
        return f"{self.base.name} -> {version}" + ("~base" if self.kind is Kind.REBASE else "")


def is_versions(names: Sequence[str], revisions: Sequence[RevisionRow]) -> bool:
    """Whether the names are whole versions of one series, two or more."""
    return (
        len(names) > 1
        and all(_WHOLE.match(name) for name in names)
        and len({revision.series for revision in revisions}) == 1
        and len({revision.version for revision in revisions}) == len(names)
    )


def against(base: RevisionRow, heads: Sequence[RevisionRow]) -> tuple[Pair, ...]:
    """Each head with one base."""
    return tuple(Pair(base, head) for head in heads)


def of_versions(versions: Sequence[RevisionRow], bases: Mapping[int, RevisionRow]) -> tuple[Pair, ...]:
    """Each version with its own base, each with the one before, and bases that differ with each other.

    `bases` holds the measured base of each version by the version's number. Without any, the first version is the
    base of the others.
    """
    pairs = [Pair(bases[v.version], v) for v in versions if v.version is not None and v.version in bases]
    if not pairs:
        return against(versions[0], versions[1:])
    for before, after in pairwise(versions):
        pairs.append(Pair(before, after, Kind.STEP))
        old, new = bases.get(before.version or 0), bases.get(after.version or 0)
        if old and new and old.id != new.id:
            pairs.append(Pair(old, new, Kind.REBASE))
    return tuple(pairs)


def base_of(
    series: PatchSeriesRow, version: VersionRow | None, number: int, revisions: Sequence[RevisionRow]
) -> tuple[RevisionRow, ...]:
    """The revisions that stand for the base of a version: measured as such, else the same base commit elsewhere."""
    own = [r for r in revisions if r.series == series.name]
    found = [r for r in own if r.version == number and r.patch == 0]
    if found or version is None or not version.base_commit:
        return tuple(found)
    others = {v.version for v in series.versions if v.base_commit == version.base_commit}
    borrowed = [r for r in own if r.version in others and r.patch == 0]
    return tuple(borrowed or [r for r in revisions if is_commit(r, version.base_commit)])


def is_commit(revision: RevisionRow, commit: str) -> bool:
    """Whether a revision is this commit and nothing else: a label marks what the code does not tell."""
    return not revision.label and len(revision.commit) >= 7 and commit.startswith(revision.commit)


def notes(series: PatchSeriesRow, versions: Sequence[RevisionRow], bases: Mapping[int, RevisionRow]) -> list[str]:
    """What a reader should know of the bases: which stand in for others, which were not measured, which moved."""
    said = []
    about = {v.version: v for v in series.versions}
    missing = [f"v{v.version}" for v in versions if v.version not in bases]
    if missing and bases:
        said.append(f"no base of {', '.join(missing)} was measured: compared with the version before only")
    elif missing:
        said.append(f"no base was measured: the versions are compared with {versions[0].name}")
    for version in versions:
        base = bases.get(version.version or 0)
        if base and (base.series, base.version) != (version.series, version.version):
            said.append(f"the base of v{version.version} was measured as {base.name}")
    for before, after in pairwise(versions):
        old, new = (about[v.version or 0].base_commit if v.version in about else "" for v in (before, after))
        if old and new and old != new:
            shown = all(v.version in bases for v in (before, after))
            rest = "; its own difference is shown apart" if shown else "; what that changed was not measured"
            said.append(f"v{after.version} was rebased from {old[:12]} to {new[:12]}{rest}")
    return said
