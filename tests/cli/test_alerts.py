"""`kvmperf detect` and `kvmperf alerts` as they are typed: one database, one change, from detection to the gate."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import nightly
import pytest
import sample_alerts
from typer.testing import CliRunner

from alerts.report import as_text
from alerts.triage import find
from cli.main import app
from db import engine as engines
from db.errors import UserError


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("alerts") / "a.db"
    engine = engines.connect(f"sqlite:///{path}", create=True)
    lines = {host: nightly.levels(30, seed, steps=[(24, 0.1)]) for seed, host in enumerate(("bm1", "bm2"))}
    for day in range(30):
        nightly.store(engine, day, {(host, "b"): {"time": line[day]} for host, line in lines.items()})
    engine.dispose()
    return path


@pytest.fixture
def run(database):
    """Runs a command in this process; its output, and its messages."""

    def call(*words, code=0):
        done = CliRunner().invoke(app, [*map(str, words), "--db", str(database)])
        assert done.exit_code == code, done.output + repr(done.exception)
        return done.stdout

    return call


def test_from_detection_over_the_gate_to_triage(run, tmp_path):
    report = tmp_path / "alerts.xml"

    first = run("detect", "--fail-on", "regression", "--junit", report, code=4)
    (alert,) = [json.loads(line) for line in run("alerts", "list", "--kind", "regression", "--json").splitlines()]
    run("alerts", "ack", alert["id"], "looking", "--as", "ann")
    acknowledged = run("detect", "--fail-on", "regression")
    run("alerts", "fix", alert["id"], "reverted", "--as", "ann")
    run("alerts", "undo", alert["id"], "--as", "ann")
    shown = run("alerts", "show", alert["id"])

    assert "+" in first
    assert len(ET.parse(report).findall(".//failure")) == 1  # noqa: S314 (our own document)
    assert (alert["kind"], len(alert["members"])) == ("regression", 2)
    assert "worse between" in alert["why"]
    assert "acknowledged" in acknowledged
    for line in ("ann: acknowledge (looking)", "ann: fix (reverted)", "ann: undo (fix)", "detect: announced"):
        assert line in shown
    why = run("alerts", "why", alert["members"][0]["series"])
    assert why.strip() == f"alert {alert['id']}: {alert['why']}"
    assert run("alerts", "why", 999999, code=1) == ""
    assert re.search(r"^  \d{4}-\d\d-\d\d \d\d:\d\d UTC  ", shown, re.MULTILINE)


def test_rules_are_rehearsed_and_nothing_is_changed(run, tmp_path):
    run("detect")
    loose, strict = tmp_path / "loose.toml", tmp_path / "strict.toml"
    loose.write_text("")
    strict.write_text('[defaults]\nmargin = "30%"\n')
    before = run("alerts", "list", "--all", "--json")

    found = [run("alerts", "dry-run", path).count("regression") for path in (loose, strict)]

    assert found == [1, 0]
    assert run("alerts", "list", "--all", "--json") == before


@pytest.mark.parametrize(
    "words",
    [
        ("alerts", "list", "--kind", "bug"),
        ("alerts", "mute", 1, "--until", "soon", "--reason", "x"),
        ("detect", "--since", "yesterday"),
    ],
)
def test_wrong_words_are_refused(run, words):
    run(*words, code=2)


def test_files_that_are_not_there_are_named_with_a_hint(database):
    for words in (("--rules", "/nowhere/r.toml"), ("--junit", "/nowhere/x.xml")):
        done = CliRunner().invoke(app, ["detect", *words, "--db", str(database)])

        assert isinstance(done.exception, UserError)
        assert str(done.exception) == f"{words[1]}: No such file or directory"
        assert done.exception.hint


def test_why_names_the_alerts_that_a_series_is_part_of(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    engine = engines.connect(url, create=True)
    for day, value in enumerate(nightly.levels(30, 1, steps=[(24, 0.1)])):
        nightly.store(engine, day, {("bm1", "b"): {"time": value}})
    engine.dispose()
    call = CliRunner().invoke
    call(app, ["detect", "--db", url])
    (alert,) = map(
        json.loads, call(app, ["alerts", "list", "--kind", "regression", "--json", "--db", url]).stdout.splitlines()
    )
    call(app, ["alerts", "expect", str(alert["id"]), "--db", url])

    said = call(app, ["alerts", "why", str(alert["members"][0]["series"]), "--db", url]).stdout

    assert said.endswith(
        f"enough for an alert, alone or with its group; part of alert {alert['id']}, closed (expected)\n"
    )


@pytest.mark.parametrize("word", ["show", "ack"])
@pytest.mark.parametrize("number", ["999", "99999999999999999999"])
def test_an_unknown_alert_is_named(database, word, number):
    done = CliRunner().invoke(app, ["alerts", word, number, "--db", str(database)])

    assert isinstance(done.exception, UserError)
    assert f"alert {number}" in str(done.exception)


def test_an_upload_can_look_at_once(tmp_path):
    out = tmp_path / "x.jsonl"
    measured = {"metric": "time", "unit": "s", "better": "lower", "values": [1.5, 1.6]}
    out.write_text(json.dumps({"benchmark": "suite/b", "status": "pass", "measurements": [measured]}) + "\n")

    words = ["upload", out, "--host", "bm1", "--label", "a", "--detect", "--db", tmp_path / "u.db"]
    done = CliRunner().invoke(app, list(map(str, words)))

    assert done.exit_code == 0, done.output
    assert "judged 1 time series: 0 alerts changed" in done.stderr


def test_a_list_names_what_is_silent_and_what_people_said(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    engine = engines.connect(url, create=True)
    regression, _, silent = sample_alerts.fill(engine)
    engine.dispose()

    closed = CliRunner().invoke(app, ["alerts", "expect", str(regression), "--db", url])
    listed = CliRunner().invoke(app, ["alerts", "list", "--db", url])
    shown = CliRunner().invoke(app, ["alerts", "show", str(silent), "--db", url])

    assert "closed (expected)" in closed.stdout
    assert "bm7: silent since 2026-02-25 (+1)" in listed.stdout
    assert "bm8: silent since 2026-02-26" in shown.stdout


def test_levels_are_told_in_a_handy_unit(tmp_path):
    engine = engines.connect(f"sqlite:///{tmp_path / 'a.db'}", create=True)
    number, _, _ = sample_alerts.fill(engine)
    with engines.reading(engine) as connection:
        group = find(connection, number)
    member = replace(group.members[0], before=1.1997e-05, after=1.3198e-05)

    assert " 12.00 -> 13.20 us  " in as_text(replace(group, members=(member,)), (), sample_alerts.AT)
