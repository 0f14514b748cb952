"""Files as they lie on disks: closed ones, names that are no UTF-8, standard input that is closed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "demo" / "eager-split" / "split-on" / "ic-il2" / "dpt"
PLACE = ("--label", "a1", "--host", "lab", "--boot-id", "b1")


@pytest.fixture
def outputs(tmp_path):
    return Path(shutil.copytree(DEMO, tmp_path / "out"))


def test_an_output_that_cannot_be_read_is_told_and_the_rest_is_stored(bound_kvmperf, outputs):
    shutil.copy(outputs / "01.out", outputs / "00.out")
    (outputs / "00.out").chmod(0)

    done = bound_kvmperf("upload", outputs, *PLACE, code=1)

    *stored, last = done.stdout.splitlines()
    assert stored
    assert all(line.startswith("stored ") for line in stored)
    assert last.startswith("unreadable   00.out: ")
    assert last.endswith("cannot be read: Permission denied (check its permissions)")
    assert ", 1 unreadable\n" in done.stderr
    assert "1 output could not be read" in done.stderr
    assert " 0 quarantined" in bound_kvmperf("db", "stats").stdout

    (outputs / "00.out").chmod(0o644)
    again = bound_kvmperf("upload", outputs, *PLACE).stdout
    assert again.startswith("stored       00.out")
    assert again.count("duplicate") == len(stored)


@pytest.mark.parametrize("server", [(), ("--server", "http://127.0.0.1:1")])
def test_a_folder_that_cannot_be_entered_is_one_line(bound_kvmperf, outputs, tmp_path, server):
    (tmp_path / "token").touch(mode=0o600)
    (tmp_path / "token").write_text("kvmperf_00000000_x")
    (outputs / "closed").mkdir(mode=0)
    more = (*server, "--token-file", tmp_path / "token") if server else ()

    for words in (("parse", outputs), ("parse", outputs / "closed" / "x.out"), ("upload", outputs, *PLACE, *more)):
        told = bound_kvmperf(*words, code=1).stderr
        assert "cannot be read: Permission denied" in told.splitlines()[0]
        assert len(told.splitlines()) <= 2


def test_a_name_that_is_no_utf_8_is_spelled(kvmperf, outputs):
    (outputs / "01.out").rename(outputs / os.fsdecode(b"one\xff.out"))
    (outputs / os.fsdecode(b"bad\xff\xfe.out")).write_text("Dear list,\n")

    done = kvmperf("upload", outputs, *PLACE)
    shown = kvmperf("parse", outputs, code=1)

    assert "stored       one\\udcff.out: 1 run" in done.stdout
    assert "quarantined  bad\\udcff\\udcfe.out: " in done.stdout
    assert "bad\\udcff\\udcfe.out (host lab" in kvmperf("db", "stats").stdout
    assert "one\\udcff.out)" in shown.stdout
    assert "bad\\udcff\\udcfe.out: no parser" in shown.stderr


@pytest.mark.parametrize("words", ["parse -", "upload - --label a --host h --db {db}"])
def test_a_closed_standard_input_is_one_line(tmp_path, words):
    command = f"exec {sys.executable} -m cli {words.format(db=tmp_path / 'k.db')} <&-"

    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "kvmperf: <stdin>: closed\n  hint: pipe an output in" in done.stderr
    assert "Traceback" not in done.stderr
