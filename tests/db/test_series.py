from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from db import queries
from db.engine import connect, reading, writing
from db.errors import UnresolvedNameError, UserError
from db.models import Revision
from db.posted import PostedPatch, PostedVersion
from db.series import ERA, HARNESS, alike, find, harnesses, known_series, placed, register
from db.values import CaptureContext, NewCapture, NewRun, RevisionFacts
from db.writes import Writer


def version(number=1, patches=3, **more):
    told = {
        "change_id": "20260301-mmu-walk-0123456789ab",
        "message_id": f"cover-v{number}@x",
        "subject": "mm: walk less",
        "base_commit": "b" * 40,
        "posted_at": datetime(2026, 3, number, tzinfo=UTC),
        **more,
    }
    made = (
        PostedPatch(k, f"step {k}", commit=f"{number}{k:07x}{k:032x}", patch_id=f"{k:040x}")
        for k in range(1, patches + 1)
    )
    return PostedVersion(number, tuple(made), **told)


@pytest.fixture
def engine(database):
    found = connect(database)
    yield found
    found.dispose()


def upload(connection, **facts):
    context = CaptureContext(host="h", revision=RevisionFacts(**facts))
    return Writer(connection).store(context, NewCapture("x.out", {"stdout": b"text"}))


def test_a_version_comes_back_as_it_was_posted(engine):
    with writing(engine) as connection:
        done = register(connection, version(1))
        (series,) = known_series(connection)

    assert (done.series, done.version, done.patches, done.is_new, done.adopted) == ("mmu-walk", 1, 3, True, 0)
    assert (series.name, series.subject, series.change_id) == ("mmu-walk", "mm: walk less", version().change_id)
    (stored,) = series.versions
    assert (stored.message_id, stored.base_commit, stored.posted_at) == ("cover-v1@x", "b" * 40, version().posted_at)
    assert [(p.k, p.subject, p.commit, p.patch_id) for p in stored.patches] == [
        (p.k, p.subject, p.commit, p.patch_id) for p in version().patches
    ]


def test_the_same_again_adds_what_was_not_known_and_changes_nothing(engine):
    bare = replace(version(1), base_commit="", patches=tuple(replace(p, commit="") for p in version(1).patches))
    with writing(engine) as connection:
        register(connection, bare)
        again = register(connection, version(1))
        register(connection, replace(version(1), subject="other words"))
        (series,) = known_series(connection)

    assert not again.is_new
    assert series.subject == "mm: walk less"
    assert series.versions[0].base_commit == "b" * 40
    assert series.versions[0].patches[0].commit == version(1).patches[0].commit


@pytest.mark.parametrize(
    "second",
    [
        version(2),
        version(2, subject="mm: renamed"),
        version(2, change_id="", earlier=("cover-v1@x",), subject="mm: renamed"),
        version(2, change_id="", subject="mmu walk"),
    ],
    ids=["change-id", "renamed", "answers v1", "same name"],
)
def test_versions_find_their_series(engine, second):
    with writing(engine) as connection:
        register(connection, version(1))
        register(connection, second)
        (series,) = known_series(connection)

    assert [one.version for one in series.versions] == [1, 2]


def test_a_name_that_another_change_id_holds_is_refused(engine):
    other = version(1, change_id="20260909-mmu-walk-fedcba987654", message_id="other@x")
    with writing(engine) as connection:
        register(connection, version(1))
        with pytest.raises(UserError, match="another change-id"):
            register(connection, other)
        register(connection, other, name="mmu-walk-again")

        assert [one.name for one in known_series(connection)] == ["mmu-walk", "mmu-walk-again"]


def test_another_posting_under_a_taken_number_is_refused(engine):
    other = version(1, message_id="other@x")
    changed = replace(other, patches=tuple(replace(p, patch_id="f" * 40) for p in other.patches))
    with writing(engine) as connection:
        register(connection, version(1))
        register(connection, other)  # a resend: the same patches
        with pytest.raises(UserError, match="registered with other patches"):
            register(connection, changed)
        with pytest.raises(UserError, match="3 patches are known and 2 are here"):
            register(connection, version(1, patches=2))


def test_a_series_is_found_by_name_change_id_and_message_id_only(engine):
    with writing(engine) as connection:
        register(connection, version(1))
        known = known_series(connection)

    for text in ("mmu-walk", version().change_id, "cover-v1@x", "<cover-v1@x>", "mm: walk less"):
        assert find(text, known).name == "mmu-walk"
    for text in ("mmu", "walk less", "", "@"):
        with pytest.raises(UnresolvedNameError) as caught:
            find(text, known)
        assert "mmu-walk" in caught.value.hint


def test_a_name_that_was_mistyped_is_like_the_registered_one(engine):
    with writing(engine) as connection:
        register(connection, version(1))
        upload(connection, series="walk", version=1, patch=1)
        known = known_series(connection)

    assert [alike(text, known) for text in ("walk", "mmu-wakl", "MMU-walk-v2", "other")] == ["mmu-walk"] * 3 + [""]


def test_uploads_under_any_of_its_names_are_one_revision(engine):
    with writing(engine) as connection:
        register(connection, version(2))
        outcomes = [
            upload(connection, series=name, version=number, patch=2).outcome
            for name, number in (("mmu-walk", 2), (version().change_id, 2), ("cover-v2@x", None))
        ]
        (revision,) = queries.revisions(connection)

    assert outcomes == ["stored", "duplicate", "duplicate"]
    assert revision.name == "mmu-walk@v2/2"


def test_a_patch_that_a_version_does_not_have_is_refused(engine):
    with writing(engine) as connection:
        register(connection, version(1))
        with pytest.raises(UserError, match="mmu-walk v1 has 3 patches, not 4"):
            upload(connection, series="mmu-walk", version=1, patch=4)
        with pytest.raises(UserError, match="mmu-walk v1 has 3 patches, not 12"):
            upload(connection, series="mmu-walk", version=1, patch=2, patches=12)
        with pytest.raises(UnresolvedNameError, match="no patch series"):
            upload(connection, series="nobody@x", version=1)


def test_a_commit_of_a_registered_range_finds_its_place(engine):
    with writing(engine) as connection:
        register(connection, version(1))
        commit = version(1).patches[1].commit
        upload(connection, commit=commit[:12])
        upload(connection, commit=commit, label="other-config")
        named = sorted(one.name for one in queries.revisions(connection))

    assert named == ["mmu-walk@v1/2", "other-config"]


def test_a_commit_of_two_series_lists_both(engine):
    with writing(engine) as connection:
        register(connection, version(1))
        register(connection, replace(version(1), change_id="", message_id="other@x"), name="other")
        with pytest.raises(UnresolvedNameError, match=r"mmu-walk@v1/1, other@v1/1"):
            placed(connection, RevisionFacts(commit=version(1).patches[0].commit))


def test_uploads_that_came_first_are_adopted(engine):
    commit = version(1).patches[2].commit
    with writing(engine) as connection:
        upload(connection, series="mmu-walk", version=1, patch=0)
        upload(connection, commit=commit)
        done = register(connection, version(1))
        again = upload(connection, commit=commit)
        revisions = queries.revisions(connection)

    assert done.adopted == 2
    assert again.outcome == "duplicate"
    assert [one.name for one in revisions] == ["mmu-walk@v1~base", "mmu-walk@v1/3"]
    with reading(engine) as connection:
        keys = connection.execute(select(Revision.key)).scalars().all()
    assert len(set(keys)) == 2


def test_uploads_under_the_change_id_are_adopted(engine):
    with writing(engine) as connection:
        upload(connection, series=version().change_id, version=1, patch=3)
        done = register(connection, version(1))

    assert (done.series, done.adopted) == (version().change_id, 1)


def test_builds_of_test_programs_are_told_and_shown(engine):
    run = NewRun("suite/bench", {}, "pass", "made", 1, (), labels={ERA: "era"})
    with writing(engine) as connection:
        for number in (1, 2):
            context = CaptureContext(host="lab", revision=RevisionFacts(label="a"), tags={HARNESS: "6.12"})
            Writer(connection).store(context, NewCapture(f"{number}.out", {}, runs=(run,)))
        ((key, builds),) = harnesses(connection, [queries.revisions(connection)[0].id]).items()

    assert (key[0], builds) == (1, (frozenset({"6.12"}), frozenset({"era"})))
