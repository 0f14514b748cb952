"""Disks that are really full: a small tmpfs under the spool, the collector, the server and the database."""

import os
import subprocess
import sys
from collections import Counter

import bundles
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ServerSettings
from db import engine as engines
from db import tokens
from db.errors import DatabaseError
from db.models import Capture
from db.words import Scope
from ingest.collector import pack
from ingest.collector.build import build
from ingest.errors import TransferError
from ingest.packing import Packing
from ingest.receive import Sender, receive_bundle
from ingest.spool import Spool
from ingest.storing import Portion

KIB = 1 << 10


class Disk:
    """A file system of its own, that can be made larger."""

    def __init__(self, path):
        self.path = path

    def resize(self, kib):
        subprocess.run(["mount", "-o", f"remount,size={kib}k", self.path], check=True)


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", path], check=False)
    if mounted.returncode:
        pytest.skip("mounting a tmpfs is not allowed here: full disks are tested with file size limits only")
    yield Disk(path)
    subprocess.run(["umount", "-l", path], check=True)


@pytest.fixture
def large(tmp_path):
    """Six runs whose outputs do not compress: 384 KiB each, half of that stored."""
    files = {}
    for number in range(1, 7):
        files |= bundles.output(number)
        files[f"s001/dlp-1/{number:03d}.err"] = os.urandom(192 * KIB).hex().encode()
    return bundles.write(tmp_path / "large.tar", files)


def outcomes(engine):
    with engines.reading(engine) as connection:
        return Counter(connection.execute(Capture.__table__.select()).scalars())


def test_the_spool_keeps_no_half_upload(disk):
    spool = Spool(disk.path / "spool")
    members = (pack.member("s001/x.out", os.urandom(1 << 20)),)
    packing = Packing(pack.manifest(members, [bundles.PART], "t"), members, 1)

    with pytest.raises(TransferError, match="No space left on device"):
        spool.put(packing, "http://s", "", lambda _size: None)
    assert spool.items() == []
    disk.resize(4096)
    spool.put(packing, "http://s", "", lambda _size: None)

    assert [item.note.digest for item in spool.items()] == [packing.digest]


def test_the_collector_keeps_complete_runs_and_goes_on(disk, tmp_path):
    pyz = build(tmp_path / "pyz")

    def collect(count, *command):
        words = [sys.executable, "-I", pyz, "-n", str(count), "-o", disk.path / "out", "--", *command]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    first = collect(1, "echo", "small")
    before = (disk.path / "out.tar").read_bytes()
    full = collect(1, "head", "-c", "1000000", "/dev/urandom")
    kept = (disk.path / "out.tar").read_bytes()
    disk.resize(8192)
    after = collect(1, "head", "-c", "1000000", "/dev/urandom")

    assert (first.returncode, full.returncode, after.returncode) == (0, 1, 0)
    assert "make room and start it again" in full.stderr
    assert "Traceback" not in full.stderr
    assert kept == before
    assert "2 runs in 1 session," in after.stderr


@pytest.mark.parametrize("where", ["incoming", "database"])
def test_a_server_answers_507_and_stores_everything_once_afterwards(disk, large, tmp_path, where):
    other = tmp_path / "roomy"
    other.mkdir()
    place = {"incoming": other, "database": other} | {where: disk.path}
    disk.resize({"incoming": 256, "database": 1500}[where])
    settings = ServerSettings(f"sqlite:///{place['database'] / 's.db'}", incoming=place["incoming"])
    with engines.writing(engine := engines.connect(settings.database, create=True)) as connection:
        token = tokens.create(connection, "t", tuple(Scope))

    with TestClient(create_app(settings), headers={"Authorization": f"Bearer {token}"}) as client:
        full = send(client, large)
        before = outcomes(engine)
        disk.resize(64 << 10)
        told = send(client, large)

    assert (full.status_code, full.json()["error"]) == (507, "the server's disk is full")
    assert before.total() == 0
    assert (told.status_code, told.json()["stored"]) == (201, 6)
    assert outcomes(engine).total() == 6
    assert not [path for path in place["incoming"].iterdir() if not path.name.startswith("s.db")]


def test_a_large_upload_that_fills_the_disk_goes_on_where_it_stopped(disk, large, tmp_path):
    disk.resize(1500)
    engine = engines.connect(f"sqlite:///{disk.path / 'k.db'}", create=True)
    portion = Portion(captures=1)

    with pytest.raises(DatabaseError, match="full") as caught:
        receive_bundle(engine, large, Sender(tmp_path), portion=portion)
    before = outcomes(engine).total()
    disk.resize(64 << 10)
    told = receive_bundle(engine, large, Sender(tmp_path), portion=portion)

    assert "make room" in caught.value.hint
    assert 0 < before < 6
    assert (told["stored"], told["duplicate"], outcomes(engine).total()) == (6, 0, 6)


def test_the_command_says_in_one_line_that_the_disk_is_full(disk, large, make_kvmperf, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(disk.path))
    unpacking = make_kvmperf(tmp_path / "k.db")("upload", large, code=1).stderr
    monkeypatch.delenv("TMPDIR")
    disk.resize(1500)
    storing = make_kvmperf(disk.path / "k.db")("upload", large, code=1).stderr

    assert "No space left on device" in unpacking
    assert "database or disk is full" in storing
    assert unpacking.count("hint: make room") == storing.count("hint: make room") == 1


def send(client, path):
    return client.post("/api/v1/uploads", content=path.read_bytes(), headers={"Content-Type": "application/x-tar"})
