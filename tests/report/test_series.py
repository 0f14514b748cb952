"""The measured demo series: patch 3 makes clearing the dirty log slower, patch 5 populating 4K pages."""

import functools
import json
from dataclasses import replace
from pathlib import Path

import pytest
from handmade_report import revision
from posted_mails import diff, mail

from cli.upload import store
from db.engine import connect, reading, writing
from db.errors import UnresolvedNameError, UserError
from db.queries import Filters
from db.series import PatchRow, PatchSeriesRow, VersionRow, register
from ingest.context import Given
from ingest.mbox import mails
from ingest.patches import versions
from report import series_markup, series_text
from report.series import SeriesRequest, build, states_of

DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "demo" / "series"
NAME = "walk"


def upload(url, boot, k, *, version=1, host="lab", folder=None):
    given = Given(
        series=NAME, version=version, patch=str(k), boot_id=boot, host=host, host_facts=DEMO / boot / "host.json"
    )
    store([folder or DEMO / boot / f"patch-{k}"], given, url)


def posted(number, subjects, *, base="b" * 40):
    cover = mail(
        f"[PATCH v{number} 0/{len(subjects)}] walk", f"Text.\n---\nbase-commit: {base}\n", message_id=f"c{number}@x"
    )
    patches = [
        mail(f"[PATCH v{number} {k}/{len(subjects)}] {one}", diff(f"{one}.c", f"{one}();", f"{one * 2}();"))
        for k, one in enumerate(subjects, start=1)
    ]
    (found,) = versions(mails("".join([cover, *patches]).encode(), "x"))
    ids = {subject: f"{ord(subject[0]):040x}" for subject in subjects}
    return replace(found, patches=tuple(replace(p, patch_id=ids[p.subject]) for p in found.patches))


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """v1 measured in four boots of one host, v2 in one boot at two of its states."""
    url = f"sqlite:///{tmp_path_factory.mktemp('series') / 'k.db'}"
    with writing(connect(url, create=True)) as connection:
        register(connection, posted(1, "abcdef"), name=NAME)
        register(connection, posted(2, "abxdc"), name=NAME)
    for boot in ("ic-1", "ic-2", "icg-1", "icg-2"):
        for k in range(7):
            upload(url, boot, k)
    for k in (1, 5):
        upload(url, "ic-1", k, version=2)
    return url


@functools.cache
def shown(url, **more):
    filters = Filters(**{name: more.pop(name) for name in ("boot", "metric", "host") if name in more})
    with reading(connect(url)) as connection:
        return build(connection, SeriesRequest(NAME, filters=filters, **more))


def rows(report):
    return [json.loads(line) for line in series_markup.to_json(report).splitlines()]


def test_the_patch_that_slows_clearing_is_named(lab):
    found = [
        row for row in rows(shown(lab, boot="icg-*", version=1)) if row["metric"].startswith("clear_dirty_log_time")
    ]

    assert {tuple(row["culprits"]) for row in found} == {(3,)}
    for row in found:
        assert row["patches"][2]["effect"] == pytest.approx(0.07, abs=0.01)
        assert row["patches"][5]["cumulative"] == pytest.approx(0.07, abs=0.012)


def test_the_patch_that_slows_4k_populate_is_named(lab):
    found = {
        row["metric"]: row
        for row in rows(shown(lab, boot="ic-*", version=1))
        if row["params"].get("backing_src") == "anonymous"
    }

    populate, paging = found["populate_memory_time"], found["total_guest_execution_time"]
    assert (populate["culprits"], paging["culprits"]) == ([5], [5])
    assert populate["patches"][4]["effect"] == pytest.approx(0.057, abs=0.01)
    assert paging["patches"][4]["effect"] == pytest.approx(0.052, abs=0.01)


@pytest.mark.parametrize("boot", ["icg-*", "ic-*", ""])
def test_patches_that_change_nothing_are_never_named(lab, boot):
    for row in rows(shown(lab, boot=boot, version=1)):
        assert set(row["culprits"]) <= {3, 5}, row["metric"]
        assert set(row["suspects"]) <= {3, 5}, row["metric"]


def test_quantised_metrics_warn(lab):
    row = next(
        row for row in rows(shown(lab, boot="ic-*", version=1)) if row["metric"] == "clear_dirty_log_time.round2"
    )

    assert row["culprits"] == []
    assert any("steps of" in text for text in row["warnings"])


def test_rows_have_the_promised_fields(lab):
    row = rows(shown(lab, version=1))[0]

    assert {"series", "version", "benchmark", "params", "metric", "host", "unit", "better"} <= row.keys()
    assert {"patches", "culprits", "why", "warnings", "none"} <= row.keys()
    assert {"k", "subject", "effect", "ci", "cumulative", "posterior", "same_as"} <= row["patches"][0].keys()
    assert [patch["k"] for patch in row["patches"]] == [1, 2, 3, 4, 5, 6]


def test_a_version_says_what_it_carries_over_and_what_is_missing(lab):
    version = shown(lab, version=2).versions[0]

    assert [(f.old.k if f.old else None, f.fate.value, f.new.k if f.new else None) for f in version.followed] == [
        (1, "same", 1),
        (2, "same", 2),
        (None, "new", 3),
        (4, "moved", 4),
        (3, "same", 5),
        (5, "dropped", None),
        (6, "dropped", None),
    ]
    assert version.same_as[1] == "v1/1"
    assert version.gaps == {"lab": (2, 3, 4)}


def test_the_base_of_another_version_stands_for_the_same_base(lab):
    report = shown(lab, version=2, metric="populate*")

    assert report.versions[0].base == f"{NAME}@v1~base"
    first, last = (report.versions[0].results[0].attribution.patches[k] for k in (0, 4))
    assert first.effect is not None
    assert last.since == 1


def test_states_on_a_host_that_changed_are_left_out(tmp_path):
    url = f"sqlite:///{tmp_path / 'k.db'}"
    changed = json.loads((DEMO / "ic-1" / "host.json").read_text())
    connect(url, create=True)
    for k in (0, 1, 2):
        upload(url, "ic-1", k)
    facts = tmp_path / "host.json"
    state = changed.get("state", changed)
    state["thp.enabled"] = "never"
    facts.write_text(json.dumps(changed))
    given = Given(series=NAME, version=1, patch="3/6", boot_id="other", host="lab", host_facts=facts)
    store([DEMO / "ic-1" / "patch-3"], given, url)

    found = rows(shown(url))

    assert all(row["patches"][2]["effect"] is None for row in found)
    assert all(any("patch 3 left out: host states differ" in text for text in row["warnings"]) for row in found)


def test_text_is_ascii_in_72_columns_and_tells_the_answer_first(lab):
    text = series_text.render(shown(lab), everything=True)

    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 72
    short = series_text.render(shown(lab, version=1, boot="icg-*"))
    assert "Patch 3/6 c" in short
    assert "Patch 1/6" not in short
    assert "slower clear_dirty_log_time.round1" in short


def test_what_nobody_registered_is_refused(lab):
    with reading(connect(lab)) as connection:
        with pytest.raises(UnresolvedNameError, match="no patch series"):
            build(connection, SeriesRequest("nobody"))
        with pytest.raises(UserError, match="walk has no v7"):
            build(connection, SeriesRequest(NAME, 7))


def test_a_series_without_measurements_says_so(tmp_path):
    url = f"sqlite:///{tmp_path / 'k.db'}"
    with writing(connect(url, create=True)) as connection:
        register(connection, posted(1, "ab"), name=NAME)

    report = shown(url)

    assert report.versions[0].results == ()
    assert "nothing was measured yet" in series_text.render(report)
    assert "nothing measured fits these options" in series_text.render(shown(url, metric="other"))


def version_of(number, *patches):
    made = tuple(PatchRow(k, k, patch_id, commit * 40, patch_id, "") for k, (commit, patch_id) in enumerate(patches, 1))
    return VersionRow(number, number, "", "", "b" * 40, None, "", made)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ([("a", "one"), ("c", "other")], {1: 1, 3: 1}),  # the first patch is the same commit
        ([("c", "one"), ("d", "other")], {3: 1}),  # rebased: another commit
        ([("x", "new"), ("a", "one")], {3: 1}),  # a commit that follows other patches is none: its mail lies
    ],
)
def test_a_commit_of_two_versions_is_a_state_of_both(second, expected):
    versions = (version_of(1, ("a", "one"), ("e", "two")), version_of(2, *second))
    states, _ = states_of(
        PatchSeriesRow(1, "walk", "", "", versions),
        versions[1],
        [
            revision(1, "", commit="a" * 40, series="walk", version=1, patch=1),
            revision(2, "", commit="e" * 40, series="walk", version=1, patch=2),
            revision(3, "", commit="c" * 40, series="walk", version=2, patch=1),
        ],
    )

    assert states == expected
