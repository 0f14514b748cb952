"""`kvmperf demo` fills a database of its own and nobody else's."""

import sqlite3
from pathlib import Path

import pytest

PART = Path(__file__).resolve().parents[2] / "fixtures" / "demo" / "eager-split" / "split-on" / "ic-il2" / "dpt"


def test_the_demo_fills_its_own_file_whatever_the_environment_names(kvmperf, tmp_path):
    told = kvmperf("demo", "--no-serve", cwd=tmp_path).stdout
    again = kvmperf("demo", "--no-serve", cwd=tmp_path).stdout

    assert str(tmp_path / "kvmperf-demo.db") in told
    assert again == told
    assert (tmp_path / "kvmperf-demo.db").exists()
    assert not (tmp_path / "k.db").exists()  # what KVMPERF_DB names
    assert "KVMPERF_DB" not in kvmperf("demo", "--help").stdout.split("Options:")[1]


@pytest.mark.parametrize("holds", ["an upload", "a token"])
def test_a_database_that_holds_something_else_is_refused_and_left_alone(kvmperf, tmp_path, holds):
    if holds == "an upload":
        kvmperf("upload", PART, "--label", "v6.12", "--host", "bm1", "--boot-id", "b1")
    else:
        kvmperf("db", "upgrade")
        kvmperf("token", "create", "bench1")
    before = kvmperf("db", "stats").stdout

    told = kvmperf("demo", "--no-serve", "--db", tmp_path / "k.db", code=1)

    assert "k.db: holds more than the demo" in told.stderr
    assert len(told.stderr.splitlines()) == 2
    assert told.stdout == ""
    assert kvmperf("db", "stats").stdout == before


def test_an_older_schema_is_not_upgraded_by_the_demo(kvmperf, tmp_path):
    kvmperf("db", "upgrade")
    kvmperf("db", "downgrade", "0004", "--yes")

    assert "is older than" in kvmperf("demo", "--no-serve", "--db", tmp_path / "k.db", code=1).stderr

    with sqlite3.connect(tmp_path / "k.db") as opened:
        assert opened.execute("SELECT version_num FROM alembic_version").fetchall() == [("0004",)]


def test_the_demo_on_a_server_prints_no_password(kvmperf, postgresql):
    url = postgresql(empty=True)
    told = f"{url}{'&' if '?' in url else '?'}password=SECRET"

    said = kvmperf("demo", "--no-serve", "--db", told)

    assert "SECRET" not in said.stdout + said.stderr
    assert said.stdout.count("password=***") == 5
    kvmperf("token", "create", "bench1", "--db", url)
    refused = kvmperf("demo", "--no-serve", "--db", told, code=1).stderr
    assert "holds more than the demo" in refused
    assert "SECRET" not in refused
