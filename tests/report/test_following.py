import re
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_histories import LINES, git, make

from db.series import PatchRow
from ingest.posting import Said, posted
from report.following import Fate, follow


def patch(k, subject="", patch_id="", diff="", author=""):
    return PatchRow(k, k, subject or f"step {k}", "", patch_id or f"id-{k}-{subject}", "", author, diff)


def told(rows):
    return [(row.old.k if row.old else None, row.fate.value, row.new.k if row.new else None) for row in rows]


def test_the_same_series_is_the_same():
    series = [patch(1), patch(2)]

    assert told(follow(series, series)) == [(1, "same", 1), (2, "same", 2)]


def test_a_patch_before_others_moves_only_itself():
    old = [patch(k, f"s{k}", f"i{k}") for k in (1, 2, 3, 4)]
    new = [patch(1, "s4", "i4"), patch(2, "s1", "i1"), patch(3, "s2", "i2"), patch(4, "s3", "i3")]

    assert told(follow(old, new)) == [(4, "moved", 1), (1, "same", 2), (2, "same", 3), (3, "same", 4)]


def test_new_and_dropped_patches_stand_where_they_were():
    old = [patch(1, "a", "1"), patch(2, "gone", "2"), patch(3, "b", "3")]
    new = [patch(1, "a", "1"), patch(2, "b", "3"), patch(3, "fresh", "9")]

    assert told(follow(old, new)) == [(1, "same", 1), (2, "dropped", None), (3, "same", 2), (None, "new", 3)]


def test_a_changed_patch_keeps_its_subject():
    assert told(follow([patch(1, "mm: Walk", "1")], [patch(1, "mm: walk", "2")])) == [(1, "changed", 1)]


def test_a_renamed_patch_is_known_by_its_diff():
    before = "+a\n+b\n+c\n-d\n"
    old = [patch(1, "alpha", "1", before, "A"), patch(2, "beta", "2", "+x\n+y\n", "A")]
    new = [patch(1, "gamma", "3", "+x\n+y\n+z\n", "A"), patch(2, "delta", "4", "+a\n+b\n+c\n+e\n", "B")]

    assert told(follow(old, new)) == [(2, "changed", 1), (1, "changed", 2)]


def test_unlike_diffs_are_other_patches():
    old, new = [patch(1, "alpha", "1", "+a\n+b\n")], [patch(1, "beta", "2", "+c\n+d\n")]

    assert told(follow(old, new)) == [(1, "dropped", None), (None, "new", 1)]


def test_patches_without_mails_are_followed_by_nothing():
    bare = [PatchRow(k, k, "", "", "", "") for k in (1, 2)]

    assert {row.fate for row in follow(bare, bare)} == {Fate.NEW, Fate.DROPPED}


def test_equal_patches_keep_their_order():
    twice = [patch(1, "do", "x"), patch(2, "revert", "y"), patch(3, "do", "x")]

    assert told(follow(twice, twice)) == [(1, "same", 1), (2, "same", 2), (3, "same", 3)]


_WORDS = st.sampled_from(["new", "edit", "drop", "keep", "keep", "keep"])


@st.composite
def two_versions(draw):
    """Patches on places that partly lie in each other's context; the second version edits, drops, adds, reorders."""
    places = draw(st.lists(st.integers(0, LINES // 2 - 1).map(lambda i: 2 * i), min_size=1, max_size=7, unique=True))
    first = [(place, f"w{place}") for place in places]
    second = []
    for place, word in first:
        what = draw(_WORDS)
        if what == "new":
            free = draw(st.integers(0, LINES // 2 - 1).map(lambda i: 2 * i + 1))
            if all(free != taken for taken, _ in second):
                second.append((free, f"n{free}"))
        if what != "drop":
            second.append((place, f"{word}-again" if what == "edit" else word))
    return first, draw(st.permutations(second or first))  # git takes an empty range for none


_PAIR = re.compile(r"\s*(\d+):\s+[0-9a-f]+ = \s*(\d+):")


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(two_versions())
def test_unchanged_patches_are_paired_as_git_range_diff_pairs_them(versions):
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder)
        make(repository, versions)
        rows = [[patch(p.k, p.subject, p.patch_id, p.diff) for p in read(repository, f"base..v{n}")] for n in (1, 2)]
        printed = git(repository, "range-diff", "--no-color", "base..v1", "base..v2")

    ours = {(r.old.k, r.new.k) for r in follow(*rows) if r.fate in (Fate.SAME, Fate.MOVED)}
    theirs = {(int(a), int(b)) for a, b in (m.groups() for m in map(_PAIR.match, printed.splitlines()) if m)}
    assert ours == theirs


def read(repository, commits):
    if not git(repository, "rev-list", commits).strip():
        return ()
    return posted([], Said(), commits=commits, repository=repository)[0].patches
