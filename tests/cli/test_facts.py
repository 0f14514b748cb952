"""`kvmperf facts`: JSON by default, one line with --summary, plain words when there are none."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.facts import facts
from ingest.errors import InputError

HOST = Path(__file__).resolve().parents[2] / "fixtures" / "hosts" / "tcg-6.1"


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(facts)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_json_is_the_default(run):
    assert json.loads(run(HOST).stdout) == json.loads(HOST.with_name("tcg-6.1.json").read_text())
    assert run(HOST).stdout == run(HOST, "--json").stdout


def test_summary_is_one_line(run):
    expected = "labhost (QEMU TCG CPU version 2.5+, 1x1x1, emulated tcg, microcode 0x1000065, THP always)\n"

    assert run(HOST, "--summary").stdout == expected


def test_without_a_folder_it_reads_this_host(run):
    assert json.loads(run().stdout)["format"] == "kvmperf-facts"


def test_help_has_an_example(run):
    assert "Example: kvmperf facts" in run("--help").stdout


def test_a_folder_without_facts_is_the_users_error(run, tmp_path):
    result = run(tmp_path)

    assert isinstance(result.exception, InputError)
    assert str(tmp_path) in str(result.exception)


def test_two_outputs_at_once_are_wrong_usage(run):
    assert run(HOST, "--json", "--summary").exit_code == 2
