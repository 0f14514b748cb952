from datetime import UTC, datetime

import pytest

from db.errors import UnresolvedNameError
from db.values import RevisionRow
from report.names import resolve, spelled


def row(id_, **facts):
    known = {"kernel": "", "commit": "", "label": "", "subject": "", "committed_at": None}
    return RevisionRow(id=id_, first_seen_at=datetime(2026, 1, id_, tzinfo=UTC), **{**known, **facts})


ROWS = (
    row(1, kernel="6.1.0", label="a1"),
    row(2, kernel="6.12.0", label="a1"),
    row(3, kernel="6.1.0", label="b"),
    row(4, commit="8e929cb546ee1f00", kernel="6.12-rc3"),
    row(5, commit="8e929dd000000000"),
    row(6, series="mmu", version=3, patch=0),
    row(7, series="mmu", version=3, patch=2),
    row(8, series="mmu", version=3, patch=12),
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("b", 3),
        ("6.12-rc3", 4),
        ("8e929cb5", 4),
        ("8e929cb546ee1f00", 4),
        ("a1,6.12.0", 2),
        ("mmu@v3", 8),
        ("mmu@v3/2", 7),
        ("mmu@v3~base", 6),
    ],
)
def test_a_name_means_one_revision(name, expected):
    assert resolve(name, ROWS).id == expected


def test_an_ambiguous_name_lists_names_that_are_not():
    with pytest.raises(UnresolvedNameError, match="'a1' means 2 revisions") as caught:
        resolve("a1", ROWS)

    listed = caught.value.hint.removeprefix("one of: ").split(", ")
    assert [resolve(name, ROWS).id for name in listed] == [1, 2]


@pytest.mark.parametrize("name", ["8e929", "6.1.0"])
def test_prefixes_and_kernels_that_several_share_are_ambiguous(name):
    with pytest.raises(UnresolvedNameError, match="means 2 revisions"):
        resolve(name, ROWS)


@pytest.mark.parametrize("name", ["", " ", ",", "nope", "mmu@v9", "mmu@v3/3", "8e9"])
def test_a_name_that_means_nothing_is_an_error_with_what_is_known(name):
    with pytest.raises(UnresolvedNameError, match="no revision of this name") as caught:
        resolve(name, ROWS)

    assert caught.value.hint.startswith("known: ")


def test_an_empty_database_says_how_to_fill_it():
    with pytest.raises(UnresolvedNameError) as caught:
        resolve("v6.12", ())

    assert "kvmperf upload" in caught.value.hint


def test_every_revision_can_be_spelled():
    assert [resolve(spelled(one, ROWS), ROWS).id for one in ROWS] == [one.id for one in ROWS]
