"""`kvmperf db` as a user runs it: backup, check, restore on the other engine, copy, prune, schema."""

import re
import sqlite3
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "demo" / "eager-split" / "split-on" / "ic-il2" / "dpt"


def test_what_was_uploaded_goes_through_backup_postgresql_and_back(kvmperf, postgresql, tmp_path):
    kvmperf("upload", DEMO, "--label", "a", "--host", "lab", "--boot-id", "b1")
    server = postgresql(empty=True).replace("+psycopg", "")

    said = kvmperf("db", "backup", tmp_path / "b.db").stdout
    restored = kvmperf("db", "restore", tmp_path / "b.db", "--db", server).stdout
    copied = kvmperf("db", "copy", "--from", server, "--to", f"sqlite:///{tmp_path / 'back.db'}").stdout
    refused = kvmperf("db", "restore", tmp_path / "b.db", "--db", server, code=1).stderr
    here = kvmperf("db", "stats").stdout
    there = kvmperf("db", "stats", "--db", server).stdout
    looked = kvmperf("db", "check", "--db", server).stdout

    assert said.endswith("bytes, looked through and sound\n")
    assert restored.endswith("rows restored and compared\n")
    assert restored.split("rows")[0] == copied.split("rows")[0]
    assert "not empty" in refused
    assert here == there
    assert all(line.startswith("ok ") for line in looked.splitlines())


def test_prune_shows_first_and_takes_away_when_told(kvmperf):
    kvmperf("upload", DEMO, "--label", "a", "--host", "lab", "--boot-id", "b1")

    shown = kvmperf("db", "prune", "--older-than", "0d")
    before = kvmperf("db", "stats").stdout
    taken = kvmperf("db", "prune", "--older-than", "0d", "--yes")

    assert "nothing was changed" in shown.stderr
    assert shown.stdout == taken.stdout
    assert re.search(r"^ *[1-9]\d* captures$", shown.stdout, re.MULTILINE)
    assert " 0 runs" not in before
    assert " 0 runs" in kvmperf("db", "stats").stdout
    assert "--older-than 730d" in kvmperf("db", "prune", code=1).stderr
    assert "neither days nor a date" in kvmperf("db", "prune", "--older-than", "soon", code=1).stderr


def test_the_schema_goes_back_when_told_and_a_newer_one_is_left_alone(kvmperf, tmp_path):
    kvmperf("db", "upgrade")

    assert "--yes" in kvmperf("db", "downgrade", "0004", code=1).stderr
    assert kvmperf("db", "downgrade", "0004", "--yes").stdout.startswith("schema 0004: was ")
    assert "db upgrade" in kvmperf("db", "stats", code=1).stderr
    assert "upgraded from 0004" in kvmperf("db", "upgrade").stdout
    with sqlite3.connect(tmp_path / "k.db") as opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
    for words in (("upgrade",), ("stats",), ("backup", tmp_path / "n.db")):
        told = kvmperf("db", *words, code=1).stderr
        assert "newer than this kvmperf's" in told
        assert len(told.splitlines()) == 2
