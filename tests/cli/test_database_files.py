"""Databases on disks as they are: damaged, read-only, behind a folder that is closed."""

import shutil
import sqlite3
from pathlib import Path

import pytest
import sample_databases

READING = (
    ("trend", "--metric", "dirty_memory_time"),
    ("compare", "split-on", "split-off"),
    ("db", "check"),
    ("db", "stats"),
    ("series", "list"),
    ("notify", "outbox"),
)
WRITING = (("token", "create", "bench1"), ("detect",))


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A database with everything in it, as one file."""
    path = tmp_path_factory.mktemp("sample") / "sample.db"
    sample_databases.build(path)
    with sqlite3.connect(path) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close()
    return path


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "cut":
        del content[len(content) // 3 :]
    first = 4096 if how == "everywhere" else len(content) // 2
    for start in range(first // 4096 * 4096, len(content) if how != "cut" else 0, 4096):  # the headers of pages
        content[start : start + 64] = bytes(b ^ 0x5A for b in content[start : start + 64])
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["cut", "in the middle", "everywhere"])
def test_damage_is_a_finding_of_check_and_one_line_elsewhere(kvmperf, sample, tmp_path, how):
    shutil.copy(sample, tmp_path / "k.db")
    damage(tmp_path / "k.db", how)

    looked = kvmperf("db", "check", code=1)

    assert "WRONG" in looked.stdout
    assert "restore a backup" in looked.stderr
    words = [("db", "backup", tmp_path / "b.db"), ("series", "show", "mmu-lockless"), ("compare", *["split-on"] * 2)]
    told = [kvmperf(*one, code=1).stderr for one in words]
    assert all(len(one.splitlines()) == 2 for one in told)
    assert all("kvmperf db check" in one for one in told)
    assert not (tmp_path / "b.db").exists()


def test_a_database_that_nobody_can_write_to_is_read(bound_kvmperf, sample, tmp_path):
    folder = tmp_path / "away"
    folder.mkdir()
    shutil.copy(sample, folder / "k.db")
    assert sample.read_bytes()[18:20] == b"\2\2"  # in WAL mode: SQLite would make files beside it
    (folder / "k.db").chmod(0o444)
    folder.chmod(0o555)

    for words in READING:
        bound_kvmperf(*words, "--db", folder / "k.db")
    for words in WRITING:
        told = bound_kvmperf(*words, "--db", folder / "k.db", code=1).stderr
        assert "readonly" in told.splitlines()[-2]
        assert "--db names another" in told.splitlines()[-1]
    bound_kvmperf("db", "restore", folder / "k.db", "--db", tmp_path / "back.db")


def test_a_backup_in_a_folder_that_is_read_only_is_read(bound_kvmperf, sample, tmp_path):
    folder = tmp_path / "away"
    folder.mkdir()
    bound_kvmperf("db", "backup", folder / "b.db", "--db", sample)
    folder.chmod(0o555)

    assert bound_kvmperf("db", "check", "--db", folder / "b.db").stdout
    told = bound_kvmperf(*WRITING[0], "--db", folder / "b.db", code=1).stderr
    assert "hint: writing needs a file and a folder that are writable for you" in told


def test_a_folder_that_cannot_be_entered_is_named_in_one_line(bound_kvmperf, tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0)

    for words in (("db", "stats"), ("token", "create", "x"), ("db", "check")):
        told = bound_kvmperf(*words, "--db", folder / "k.db", code=1).stderr
        assert "closed/k.db: cannot be reached: Permission denied" in told
        assert len(told.splitlines()) == 2
