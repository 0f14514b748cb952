import json
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from cli.upload import store
from ingest.context import Given

DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "demo"
SPLIT_ON = DEMO / "eager-split" / "split-on" / "ic-il2"
PLACE = ("--label", "a1", "--boot-id", "ic-il2", "--host", "lab", "--host-facts", SPLIT_ON / "host.json")


def test_a_folder_is_stored_with_a_receipt_a_file(kvmperf):
    done = kvmperf("upload", SPLIT_ON, *PLACE)

    receipts = done.stdout.splitlines()
    assert len(receipts) == len(list(SPLIT_ON.glob("*/*.out")))
    assert all(line.startswith("stored ") for line in receipts)
    assert "0 duplicate, 0 quarantined" in done.stderr


def test_uploading_again_stores_nothing_new(kvmperf):
    kvmperf("upload", SPLIT_ON, *PLACE)
    again = kvmperf("upload", SPLIT_ON, *PLACE, "--json")

    assert {json.loads(line)["outcome"] for line in again.stdout.splitlines()} == {"duplicate"}


def test_what_cannot_be_parsed_is_kept_and_listed(kvmperf, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(SPLIT_ON / "dpt", folder)
    (folder / "letter.txt").write_text("Dear list, please find nothing here.\n")
    (folder / "image.out").write_bytes(bytes(range(256)))

    done = kvmperf("upload", folder, *PLACE)

    held = [line for line in done.stdout.splitlines() if line.startswith("quarantined")]
    assert [line.split(":")[0].split()[1] for line in held] == ["image.out", "letter.txt"]
    stats = kvmperf("db", "stats").stdout
    assert "2 quarantined" in stats
    assert "binary" in stats
    assert held[1] == "quarantined  letter.txt: no parser recognises the text"
    assert "`kvmperf parse FILE` says more of a file in quarantine" in done.stderr
    assert re.search(r"^  letter.txt \(host \S+, 37 bytes\): no parser recognises the text$", stats, re.MULTILINE)


def test_an_upload_of_nothing_readable_is_1_and_still_kept(kvmperf, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear list.\n")

    done = kvmperf("upload", tmp_path / "letter.txt", *PLACE, code=1)

    assert "hint:" in done.stderr
    assert "1 quarantined" in kvmperf("db", "stats").stdout


def test_standard_input_is_taken(kvmperf):
    text = (SPLIT_ON / "dpt" / "01.out").read_text()

    done = kvmperf("upload", "-", *PLACE, stdin=text)

    assert "stored       <stdin>: 1 run" in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nowhere",), "nowhere: no such file or folder"),
        ((".",), "no outputs"),
        ((SPLIT_ON, "--label", "two words", "--host", "h"), "--label 'two words'"),
        ((SPLIT_ON, "--host", "h"), "nothing says what was measured"),
        ((SPLIT_ON, "--host", "h", "--series", "mmu"), "which version?"),
        ((SPLIT_ON, "--host", "h", "--series", "mmu", "--version", 1, "--patch", "7/6"), "--patch '7/6'"),
        ((SPLIT_ON, "--host", "h", "--patch", "1/6"), "belong to a series"),
        ((SPLIT_ON, "--host", "h", "--commit", "xyz"), "no git commit"),
        ((SPLIT_ON, "--host", "h", "--label", "a", "--tag", "x"), "--tag 'x'"),
        ((SPLIT_ON, "--label", "a", "--host-facts", "nowhere"), "nowhere"),
    ],
)
def test_bad_input_is_one_line_and_1_and_stores_nothing(kvmperf, tmp_path, words, says):
    empty = tmp_path / "empty"
    empty.mkdir()

    done = kvmperf("upload", *words, code=1, cwd=empty)

    first, *rest = done.stderr.splitlines()
    assert first.startswith("kvmperf: ")
    assert says in first
    assert all(line.startswith("  hint: ") for line in rest)
    if (tmp_path / "k.db").exists():
        tables = sqlite3.connect(tmp_path / "k.db")
        assert tables.execute("SELECT count(*) FROM capture").fetchone() == (0,)


def test_outputs_from_before_this_boot_are_not_filed_under_it(kvmperf, tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(SPLIT_ON / "dpt", folder)
    for path in folder.glob("*.time"):
        path.write_text("1000000000.0 1000000001.0\n")

    kvmperf("upload", folder, "--label", "old")

    boots = sqlite3.connect(tmp_path / "k.db").execute("SELECT DISTINCT boot_id FROM run").fetchall()
    assert boots == [(None,)]


def test_a_terminal_sees_outputs_megabytes_runs_and_their_rate(make_kvmperf, tmp_path, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes the pipe for a terminal
    monkeypatch.setenv("TERM", "xterm")
    outputs = DEMO.parent / "outputs" / "dirty_log_perf_test"

    said = make_kvmperf(tmp_path / "k.db")("upload", outputs, "--label", "a", "--host", "h").stderr

    assert re.search(r"storing .* (\d+)/\1 .*MB .* runs .*/s", said)


def test_a_series_that_is_not_registered_is_told_once(tmp_path, capsys):
    given = Given(host="h", series="mmu", version=1, patch="1/6")

    for part in ("dpt", "dlp"):
        store([next(SPLIT_ON.glob("*"))], given, f"sqlite:///{tmp_path / part}.db")

    assert capsys.readouterr().err.count("series: mmu is known from uploads only") == 1
