"""Versions of a series against each other: v2 gains 10 %, v3 loses it on another base."""

import json

import pytest
from measured_series import measure

from db.engine import connect, reading, writing
from db.errors import UserError
from db.posted import PostedPatch, PostedVersion
from db.queries import Filters
from db.series import register
from report import markup, text
from report.comparison import Request, build

LEVELS = {(1, 0): 3.0, (1, 2): 3.0, (2, 0): 3.0, (2, 2): 2.7, (3, 0): 3.3, (3, 2): 3.3}


def posted(number, base):
    patches = tuple(PostedPatch(k, f"step {k}", patch_id=f"{k:040x}") for k in (1, 2))
    return PostedVersion(number, patches, "walk less", f"cover-{number}@x", "20260301-walk-0123456789ab", base * 40)


def stored(path, states=LEVELS, bases="aab", **more):
    engine = connect(f"sqlite:///{path}", create=True)
    with writing(engine) as connection:
        for number, base in enumerate(bases, start=1):
            register(connection, posted(number, base))
        for seed, ((version, k), level) in enumerate(states.items()):
            measure(connection, level, seed=seed, series="walk", version=version, patch=k, **more)
    return engine


@pytest.fixture(scope="session")
def three(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("versions") / "k.db")


def compared(engine, *names):
    with reading(engine) as connection:
        return build(connection, Request(names[0], names[1:]))


def verdicts(report):
    return {(row.base, row.head): row.result.verdict.value for row in report.rows}


def test_each_version_is_compared_with_its_own_base_and_with_the_one_before(three):
    found = verdicts(compared(three, "walk@v1", "walk@v2", "walk@v3"))

    assert found == {
        ("walk@v1~base", "walk@v1/2"): "equivalent",
        ("walk@v2~base", "walk@v2/2"): "improvement",
        ("walk@v3~base", "walk@v3/2"): "equivalent",
        ("walk@v1/2", "walk@v2/2"): "improvement",
        ("walk@v2/2", "walk@v3/2"): "regression",
        ("walk@v1~base", "walk@v2~base"): "equivalent",
        ("walk@v2~base", "walk@v3~base"): "regression",
    }


def test_most_of_a_gain_that_is_lost_is_a_sentence_too(tmp_path):
    states = LEVELS | {(2, 2): 2.4, (3, 0): 3.0, (3, 2): 2.85}
    report = compared(stored(tmp_path / "k.db", states, "aaa"), "walk@v1", "walk@v2", "walk@v3")

    assert any(said.startswith("v3 lost most of what v2 gained: ") for said in report.told)


def test_what_a_version_lost_is_a_sentence(three):
    report = compared(three, "walk@v1", "walk@v2", "walk@v3")

    (lost,) = [said for said in report.told if " lost what " in said]
    assert lost.startswith("v3 lost what v2 gained: clear_dirty_log_time of dirty_log_perf_test vcpus=4 on bm3: -")
    assert "v3 was rebased from aaaaaaaaaaaa to bbbbbbbbbbbb; its own difference is shown apart" in report.told


def test_named_bases_and_other_heads_are_compared_as_asked(three):
    found = verdicts(compared(three, "walk@v1~base", "walk@v2", "walk@v2/2"))

    assert set(found) == {("walk@v1~base", "walk@v2/2")}


def test_text_names_every_pair_in_72_columns(three):
    report = compared(three, "walk@v1", "walk@v2", "walk@v3")

    printed = text.render(report)

    assert printed.isascii()
    assert max(map(len, printed.splitlines())) <= 72
    for lead in ("walk@v2/2 ", "walk@v1/2 -> v2 ", "walk@v2~base -> v3~base "):
        assert any(line.strip().startswith(lead) for line in printed.splitlines()), lead
    assert "against walk@v3~base" in printed
    assert {json.loads(line)["base"] for line in markup.to_json(report).splitlines()} >= {"walk@v1~base", "walk@v1/2"}


def test_the_base_of_one_version_serves_another_on_the_same_commit(tmp_path):
    states = {key: level for key, level in LEVELS.items() if key != (2, 0)}
    report = compared(stored(tmp_path / "k.db", states), "walk@v1", "walk@v2")

    assert ("walk@v1~base", "walk@v2/2") in verdicts(report)
    assert "the base of v2 was measured as walk@v1~base" in report.told


def test_without_a_base_the_versions_are_compared_with_the_first(tmp_path):
    states = {key: level for key, level in LEVELS.items() if key[1]}
    report = compared(stored(tmp_path / "k.db", states), "walk@v1", "walk@v2", "walk@v3")

    assert set(verdicts(report)) == {("walk@v1/2", "walk@v2/2"), ("walk@v1/2", "walk@v3/2")}
    assert report.told[0] == "no base was measured: the versions are compared with walk@v1/2"
    assert any(said.startswith("v3 lost what v2 gained") for said in report.told)


def test_a_base_that_is_missing_is_told(tmp_path):
    states = {key: level for key, level in LEVELS.items() if key != (3, 0)}
    report = compared(stored(tmp_path / "k.db", states), "walk@v2", "walk@v3")

    assert "no base of v3 was measured: compared with the version before only" in report.told
    assert "v3 was rebased from aaaaaaaaaaaa to bbbbbbbbbbbb; what that changed was not measured" in report.told


def test_a_test_program_that_changed_with_the_code_is_a_warning(tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'k.db'}", create=True)
    with writing(engine) as connection:
        measure(connection, 3.0, label="old", tags={"harness": "6.1"}.items())
        measure(connection, 2.0, label="new", tags={"harness": "6.12"}.items(), seed=1)
        measure(connection, 2.0, label="same", tags={"harness": "6.1"}.items(), seed=2)
        measure(connection, 2.0, label="untold", seed=3)
    report = compared(engine, "old", "new", "same", "untold")

    told = {row.head: [w for w in row.result.warnings if "test program changed" in w] for row in report.rows}
    assert told["new"] == ["the test program changed with the code (6.1 -> 6.12): the difference may be the program's"]
    assert (told["same"], told["untold"]) == ([], [])


def test_eras_that_outputs_show_are_told_apart_without_a_word_of_the_user(tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'k.db'}", create=True)
    old, new = {"selftest_era": "no random seed, as in 6.1"}, {"selftest_era": "hex random seed, as in 6.12"}
    with writing(engine) as connection:
        measure(connection, 3.0, label="old", labels=old)
        measure(connection, 2.0, label="new", labels=new, seed=1)
        measure(connection, 2.0, label="told", labels=new, tags={"harness": "6.12"}.items(), seed=2)
    report = compared(engine, "old", "new", "told")

    told = [w for row in report.rows for w in row.result.warnings if "test program changed" in w]
    assert len(told) == 2
    assert "(no random seed, as in 6.1 -> hex random seed, as in 6.12)" in told[0]


def test_versions_that_nothing_was_measured_of_are_an_error(three):
    with reading(three) as connection, pytest.raises(UserError):
        build(connection, Request("walk@v1", ("walk@v2",), Filters(metric="nothing*")))
