"""The same patch, measured under its number and under its commit, is one revision and loses nothing."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from db import queries
from db.engine import connect, writing
from db.models import Audit, Capture, Run
from db.posted import PostedPatch, PostedVersion
from db.series import register
from db.values import CaptureContext, NewCapture, NewRun, RevisionFacts
from db.writes import Writer

COMMITS = {k: f"{k:08x}" * 5 for k in (1, 2, 3)}
BY_NUMBER = {"series": "walk", "version": 1, "patch": 2}
BY_COMMIT = {"commit": COMMITS[2]}


def posted(number=1, commits=COMMITS):
    patches = tuple(PostedPatch(k, f"step {k}", commit=commit) for k, commit in commits.items())
    return PostedVersion(number, patches, "walk", base_commit="b" * 40)


@pytest.fixture
def connection(tmp_path):
    with writing(connect(f"sqlite:///{tmp_path / 'k.db'}", create=True)) as one:
        yield one


def upload(connection, source, **facts):
    run = NewRun("suite/bench", {}, "pass", "made", 1, ())
    context = CaptureContext(host="lab", revision=RevisionFacts(**facts), boot_id="b1")
    return Writer(connection).store(context, NewCapture(source, {"stdout": b"text"}, runs=(run,))).outcome


def places(connection):
    return [(one.name, one.commit) for one in queries.revisions(connection)]


def runs(connection):
    rows = connection.execute(select(Run.revision_id, Capture.revision_id).join(Capture)).all()
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("first", [BY_NUMBER, BY_COMMIT, {"commit": COMMITS[2][:12]}])
@pytest.mark.parametrize("second", [BY_NUMBER, BY_COMMIT, {"commit": COMMITS[2][:12]}])
@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_number_and_commit_lead_to_one_revision(connection, first, second, when):
    steps = [lambda: upload(connection, "a", **first), lambda: upload(connection, "b", **second)]
    steps.insert(("before", "between", "after").index(when), lambda: register(connection, posted(), name="walk"))
    for step in steps:
        step()

    (revision,) = queries.revisions(connection)
    assert (revision.name, revision.commit) == ("walk@v1/2", COMMITS[2])
    assert runs(connection) == [(revision.id, revision.id)] * 2


def test_uniting_is_written_down(connection):
    upload(connection, "a", **BY_NUMBER)
    upload(connection, "b", **BY_COMMIT)

    done = register(connection, posted(), name="walk")

    (told,) = connection.execute(select(Audit.action, Audit.detail)).all()
    assert (told.action, told.detail["commit"], done.adopted) == ("unite", COMMITS[2], 1)


@pytest.mark.parametrize("ways", [(BY_NUMBER, BY_COMMIT), (BY_COMMIT, BY_NUMBER)])
def test_the_same_output_under_both_names_is_stored_once(connection, ways):
    register(connection, posted(), name="walk")

    assert [upload(connection, "same", **way) for way in ways] == ["stored", "duplicate"]


def test_the_same_upload_before_and_after_the_registration_is_stored_once(connection):
    outcomes = [upload(connection, "same", **BY_NUMBER)]
    register(connection, posted(), name="walk")
    outcomes += [upload(connection, "same", **way) for way in (BY_NUMBER, BY_COMMIT)]

    assert outcomes == ["stored", "duplicate", "duplicate"]


def test_another_commit_under_a_number_stays_another_revision(connection):
    register(connection, posted(), name="walk")
    upload(connection, "a", **BY_NUMBER)
    upload(connection, "b", **BY_NUMBER, commit="f" * 40)
    register(connection, posted(), name="walk")

    assert places(connection) == [("walk@v1/2", COMMITS[2]), ("walk@v1/2", "f" * 40)]


def test_a_commit_of_two_versions_belongs_to_the_newer(connection):
    register(connection, posted(), name="walk")
    register(connection, posted(2, COMMITS | {3: "e" * 40}), name="walk")
    upload(connection, "a", **BY_COMMIT)

    assert places(connection) == [("walk@v2/2", COMMITS[2])]


def test_labels_and_other_kernels_keep_their_own(connection):
    upload(connection, "a", **BY_NUMBER, kernel="6.12")
    upload(connection, "b", **BY_COMMIT, kernel="6.13")
    upload(connection, "c", **BY_COMMIT, label="debug")
    register(connection, posted(), name="walk")

    assert len(queries.revisions(connection)) == 3


def test_a_range_that_was_registered_without_commits_learns_them_later(connection):
    bare = replace(posted(), patches=tuple(replace(p, commit="") for p in posted().patches))
    register(connection, bare, name="walk")
    upload(connection, "a", **BY_NUMBER)
    upload(connection, "b", **BY_COMMIT)
    assert len(queries.revisions(connection)) == 2

    register(connection, posted(), name="walk")

    assert places(connection) == [("walk@v1/2", COMMITS[2])]
