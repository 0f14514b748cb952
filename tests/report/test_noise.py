"""Noise, plan and self-check of a database whose spreads are known: boots 0.8 %, five iterations of 1 %."""

import json

import pytest
import sample_databases
from typer.testing import CliRunner

from cli.main import app
from db import queries
from db.engine import connect, reading
from db.errors import UserError
from db.queries import Filters
from db.values import SeriesRow
from report import history, noise, noise_text, plan, plan_text, selfcheck, selfcheck_text
from report.comparison import Request, build
from stats.policy import Policy
from stats.variance import UNKNOWN, Component, Spreads


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    return sample_databases.build(tmp_path_factory.mktemp("noise") / "k.db")


@pytest.fixture(scope="module")
def connection(url):
    with reading(connect(url)) as found:
        yield found


DIRTY = Filters(benchmark="dirty_log*", metric="dirty_memory_time", host="bm3")


@pytest.fixture(scope="module")
def spreads(connection):
    return noise.build(connection, DIRTY, boots=4, runs=3, policy=Policy())


def test_the_spreads_are_those_that_were_put_in(spreads):
    known = [row.spreads for row in spreads.rows if row.series.params.get("vcpus") in (1, 2, 4) and row.spreads]

    assert len(known) >= 3
    for found in known[:3]:
        assert found.within_run.spread == pytest.approx(0.01, rel=0.2)
        assert found.between_runs.spread == pytest.approx(0.0, abs=0.004)
        assert found.between_boots.spread == pytest.approx(0.008, rel=0.5)


def test_the_text_says_what_is_noise_on_this_host(spreads):
    text = noise_text.render(spreads)

    assert "On bm3, 2 % at 4 boots of 3 runs a side is noise in" in text.replace("\n", " ")
    assert max(len(line) for line in text.splitlines()) <= 72
    assert text.isascii()


def by_hand(*spreads):
    line = SeriesRow(1, "bm3", "kvm-selftests/dirty_log_perf_test", 1, {}, "dirty_memory_time", "s", "lower")
    rows = tuple(noise.NoiseRow(line, one, None if one is None else 0.1) for one in spreads)
    return noise.NoiseReport(rows, 4, 3, 0.8, 0.02)


def one_run_a_boot(between_runs=UNKNOWN, between_boots=UNKNOWN):
    return Spreads(UNKNOWN, between_runs, between_boots, 1, 3, 3, 3, 1.0, 1.0)


def test_every_column_stands_apart():
    tiny, vast = Component(2.3e-13, 1e-13, 1e-12, 2.0), Component(1e6, 1e5, 1e7, 2.0)
    for one in (tiny, vast):
        header, line = noise_text.render(by_hand(one_run_a_boot(one, one))).splitlines()[1:3]
        assert "e-" not in line
        assert len(line.split()) == len(header.replace("in run", "in-run").replace("4x3 ", "").split()) + 1, line


def test_what_was_measured_in_boots_was_repeated():
    text = noise_text.render(by_hand(one_run_a_boot(between_boots=Component(1e-4, 1e-5, 1e-3, 2.0))))

    assert "nothing was repeated" not in text
    assert "nothing was repeated" in noise_text.render(by_hand(one_run_a_boot()))


def test_values_that_are_not_positive_need_no_more_boots():
    said = " ".join(noise_text.sentences(by_hand(None, None)))

    assert "2 metrics: not all positive: no relative spread." in said
    assert "boots or more" not in said


def test_more_boots_show_smaller_changes(connection, spreads):
    more = noise.build(connection, DIRTY, boots=10, runs=3, policy=Policy())

    pairs = zip(spreads.known, more.known, strict=True)
    assert all(few.smallest > many.smallest for few, many in pairs)


def test_a_plan_asks_for_fewer_boots_for_larger_effects(connection):
    small, large = (
        plan.build(connection, DIRTY, plan.Request("split-on", "split-off", effect), Policy()) for effect in (0.02, 0.1)
    )
    boots = [(s.boots, b.boots) for s, b in zip(small.needs, large.needs, strict=True) if s.boots]

    assert boots
    assert all(many >= few >= 2 for many, few in boots)
    assert all(need.worst >= need.boots for need in small.needs if need.boots)
    assert {need.measured for need in small.needs if need.series.params.get("vcpus") == 1} == {(4, 4)}


def test_dear_boots_are_filled_with_more_runs(connection):
    cheap, dear = (
        plan.build(connection, DIRTY, plan.Request("split-on", "split-off", 0.02, boot_cost=cost), Policy())
        for cost in (0.0, 100.0)
    )

    for one, other in zip(cheap.needs, dear.needs, strict=True):
        assert one.runs is None or one.runs <= other.runs


def test_a_plan_is_printed_for_people_and_programs(connection):
    found = plan.build(connection, Filters(host="bm3"), plan.Request("split-on", "split-off", 0.05), Policy())
    text = plan_text.render(found)
    rows = [json.loads(line) for line in plan_text.to_json(found).splitlines()]

    assert max(len(line) for line in text.splitlines()) <= 72
    assert "show it in all of the metrics" in text
    assert {"metric", "boots", "runs", "boots_at_worst", "runs_in_shared_boots", "measured", "why"} <= set(rows[0])


def test_the_self_check_finds_what_is_large_and_flags_little(connection):
    (found,) = selfcheck.build(
        connection, Filters(host="bm3", benchmark="dirty_log*"), sizes=(0.2,), splits=3, policy=Policy()
    )

    assert found.result.by_boots >= 12
    assert found.result.sizes[0].found >= 0.8 * found.result.sizes[0].injected > 0
    assert found.result.false_flags < 1
    assert max(len(line) for line in selfcheck_text.render([found]).splitlines()) <= 72


def test_the_self_check_says_that_data_are_too_few(connection):
    one_boot = Filters(host="bm3", benchmark="dirty_log*", boot="bm3-split-on-0")
    (found,) = selfcheck.build(connection, one_boot, sizes=(0.2,), splits=3, policy=Policy())

    assert found.result.metrics == 0
    assert "Too little data" in selfcheck_text.render([found])


def test_nothing_stored_is_an_error_for_people(connection):
    nothing = Filters(host="nowhere")

    for ask in (
        lambda: noise.build(connection, nothing, boots=4, runs=3, policy=Policy()),
        lambda: plan.build(connection, nothing, plan.Request("split-on", "split-off", 0.02), Policy()),
        lambda: selfcheck.build(connection, nothing, sizes=(0.1,), splits=2, policy=Policy()),
    ):
        with pytest.raises(UserError):
            ask()


def test_a_small_comparison_borrows_noise_from_earlier_revisions(connection):
    filters = Filters(host="bm3", metric="dirty_memory_time")

    found = build(connection, Request("split-on", ("split-off",), filters, vary=("kvm.*",)))

    assert {history.WARNING in row.result.warnings for row in found.rows if row.series.host == "bm3"} >= {True}


def test_a_large_comparison_knows_its_noise_itself(connection):
    table = queries.samples(connection, range(1, 200))
    known = queries.revisions(connection)

    assert history.earlier(connection, table, known, known[:2]) == {}


@pytest.mark.parametrize(
    "words",
    [
        ("noise", "bm3", "--metric", "dirty*"),
        ("plan", "split-on", "split-off", "--effect", "5%", "--host", "bm3", "--metric", "dirty*"),
        ("selftest-stats", "--host", "bm3", "--metric", "dirty*", "--splits", "2", "--size", "10%"),
    ],
)
def test_the_commands_print_text_and_json(url, words):
    text = CliRunner().invoke(app, [*words, "--db", url])
    lines = CliRunner().invoke(app, [*words, "--db", url, "--json"])

    assert (text.exit_code, lines.exit_code) == (0, 0), text.output
    assert text.output
    assert all(json.loads(line)["host"] == "bm3" for line in lines.output.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        ("noise", "bm3", "--effect", "foo"),
        ("plan", "split-on", "split-off", "--effect", "foo"),
        ("selftest-stats", "--size", "nan"),
    ],
)
def test_a_wrong_share_names_its_own_option(url, words):
    done = CliRunner().invoke(app, [*words, "--db", url])

    assert done.exit_code == 2
    assert f"Invalid value for {words[-2]}" in done.output


@pytest.mark.parametrize(
    "words", [("noise", "bm33"), ("trend", "--host", "bm33"), ("selftest-stats", "--host", "bm33")]
)
def test_an_unknown_host_is_told_from_one_without_data(url, words):
    done = CliRunner().invoke(app, [*words, "--db", url])

    assert str(done.exception) == "'bm33': no host of this name"
    assert done.exception.hint.startswith("known: bm3")


def test_a_plan_for_no_effect_is_wrong_usage(url):
    done = CliRunner().invoke(app, ["plan", "split-on", "split-off", "--effect", "0%", "--db", url])

    assert done.exit_code == 2
