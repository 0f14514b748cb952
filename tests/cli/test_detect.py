"""`kvmperf detect` as a user runs it."""

import json

import numpy as np
import pytest


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    values = 100 * np.exp(0.01 * np.random.default_rng(1).normal(size=60))
    values[40:] *= 1.1
    path = tmp_path_factory.mktemp("detect") / "nightly.csv"
    path.write_text("series,x,value\n" + "".join(f"boot,{x},{value}\n" for x, value in enumerate(values)))
    return path


def test_changes_are_printed_as_objects(kvmperf, series):
    (line,) = kvmperf("detect", "--json", "--csv", series).stdout.splitlines()

    answer = json.loads(line)
    assert answer["series"] == "boot"
    assert [change["index"] for change in answer["changes"]] == [40]
    assert {"before", "after", "effect", "p", "state", "why"} <= set(answer["changes"][0])


def test_changes_are_printed_as_a_table(kvmperf, series):
    out = kvmperf("detect", "--csv", series).stdout

    assert "boot    40  +" in out
    assert out.endswith("1 change in 1 series; 0 short-lived or noisy runs set aside\n")


@pytest.mark.parametrize(
    "words", [("--fail-on", "regression"), ("--junit", "d.xml"), ("--since", "2026-01-01"), ("--db", "other.db")]
)
def test_what_says_nothing_to_a_file_is_refused(kvmperf, series, words):
    done = kvmperf("detect", "--csv", series, *words, code=2)

    assert f"{words[0]}: does not go with --csv" in " ".join(done.stderr.split())
    assert done.stdout == ""


def test_a_wrong_line_is_named(kvmperf, tmp_path):
    path = tmp_path / "wrong.csv"
    path.write_text("series,x,value\na,0,1\na,1,slow\n")

    done = kvmperf("detect", "--csv", path, code=1)

    assert done.stderr.startswith(f"kvmperf: {path}:3: value is 'slow', not a number\n  hint: columns:")
    assert done.stdout == ""


def test_without_a_database_the_way_to_one_is_told(kvmperf):
    told = kvmperf("detect", code=1).stderr

    assert "no database here" in told
    assert "kvmperf upload" in told
