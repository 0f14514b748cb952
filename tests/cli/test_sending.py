"""`kvmperf upload --server` against a real `kvmperf serve`: whatever breaks, everything is stored exactly once."""

import json
import os
import random
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import bundles
import pytest

OUTPUTS = 40
COMMAND = [sys.executable, "-m", "cli"]


class Server:
    """A real server process that can be killed and started again on the same port and database."""

    def __init__(self, folder):
        self.folder = folder
        self.database = folder / "server.db"
        self.token = folder / "token"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        subprocess.run([*COMMAND, "db", "upgrade", "--db", self.database], capture_output=True, check=True)
        made = subprocess.run(
            [*COMMAND, "token", "create", "test", "--db", self.database], capture_output=True, text=True, check=True
        )
        self.token.write_text(made.stdout)
        self.process = None

    def start(self):
        incoming = self.folder / "incoming"
        incoming.mkdir(exist_ok=True)
        words = ("serve", "--db", self.database, "--port", self.port, "--incoming", incoming)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*COMMAND, *map(str, words)], stdout=log, stderr=log)
        ask = build_opener(ProxyHandler({}))
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                ask.open(f"{self.url}/healthz", timeout=5).close()
            except OSError:
                assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
                time.sleep(0.05)
            else:
                return
        pytest.fail("the server did not start")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stored(self, label):
        """How often each output is stored under a label; what is in no committed transaction is not there."""
        of_label = "JOIN revision v ON v.id = x.revision_id AND v.label = ?"
        measured = f"SELECT count(*) FROM measurement m JOIN run x ON x.id = m.run_id {of_label}"  # noqa: S608
        with sqlite3.connect(self.database) as database:
            rows = database.execute(f"SELECT source FROM capture x {of_label}", (label,))  # noqa: S608
            captures = Counter(row[0] for row in rows)
            points = database.execute(measured, (label,)).fetchone()[0]
            counted = f"SELECT count(*), count(DISTINCT capture_id) FROM run x {of_label}"  # noqa: S608
            runs = database.execute(counted, (label,)).fetchone()
        assert runs[0] == runs[1] == captures.total()
        return captures, points

    def uploads(self):
        """How many uploads are stored."""
        with sqlite3.connect(self.database) as database:
            return database.execute("SELECT count(*) FROM upload").fetchone()[0]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    found = Server(tmp_path_factory.mktemp("server"))
    yield found
    if found.process is not None and found.process.poll() is None:
        found.process.terminate()
        found.process.wait()


@pytest.fixture
def server(service):
    """The one server of these tests, running; each test knows its uploads by a label of its own."""
    if service.process is None or service.process.poll() is not None:
        service.start()
    return service


@pytest.fixture
def label(request):
    return request.node.name


@pytest.fixture
def outputs(tmp_path):
    folder = tmp_path / "out"
    (folder / "dlp").mkdir(parents=True)
    for number in range(OUTPUTS):
        for name, content in bundles.output(number).items():
            (folder / "dlp" / Path(name).name).write_bytes(content)
    return folder


@pytest.fixture
def upload(server, outputs, label):
    """Starts `kvmperf upload` on the outputs, or whatever words are given."""

    def start(*words, token=server.token):
        given = words or (outputs, "--label", label, "--host", "bm1", "--boot-id", "b1")
        words = ["upload", *given, "--server", server.url, "--token-file", token]
        return subprocess.Popen([*COMMAND, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


def finish(process, code=0):
    out, err = process.communicate(timeout=200)
    assert process.returncode == code, err[-2000:]
    assert "Traceback" not in err
    return out, err


def spool():
    return sorted(Path(os.environ["XDG_STATE_HOME"]).glob("kvmperf/spool/*.tar.gz"))


def is_stored_once(server, label):
    captures, points = server.stored(label)
    assert captures == Counter({f"dlp/{number:03d}.out": 1 for number in range(OUTPUTS)})
    assert points % OUTPUTS == 0
    assert points > 0
    assert spool() == []
    return True


def test_an_upload_is_sent_acknowledged_and_leaves_the_spool(server, upload, label, outputs):
    out, err = finish(upload())
    again = finish(upload(outputs, "--label", label, "--host", "bm1", "--boot-id", "b1", "--json"))[0]

    assert out.count("stored ") == OUTPUTS
    assert f"{OUTPUTS} stored" in err
    assert {json.loads(line)["outcome"] for line in again.splitlines()} == {"stored"}  # the receipt of the first time
    assert is_stored_once(server, label)


def test_without_a_server_the_upload_waits(server, upload, label):
    server.kill()
    _, err = finish(upload(), code=3)
    kept = spool()
    _, again = finish(upload("--resend"), code=3)
    server.start()
    finish(upload("--resend"))

    assert len(kept) == 1
    assert str(kept[0]) in err
    assert "0 sent, 1 left" in again
    assert is_stored_once(server, label)


def test_a_wrong_token_is_1_and_the_upload_waits(server, upload, label, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("kvmperf_00000000_wrong")
    wrong.chmod(0o644)
    _, err = finish(upload(token=wrong), code=1)
    finish(upload("--resend"))

    assert "refused: this token is not known here" in err
    assert err.count(f"warning: --token-file {wrong} can be read by every user of this host") == 1
    assert "kept in" in err
    assert is_stored_once(server, label)


@pytest.mark.slow
def test_killed_uploads_are_stored_once_after_a_resend(server, upload, label):
    """SIGKILL at many points: while it starts, packs, spools, sends and waits for its receipt."""
    chance = random.Random(20261123)  # noqa: S311 (not for secrets)
    began = time.monotonic()
    finish(upload())
    whole_s = time.monotonic() - began
    for _ in range(10):
        process = upload()
        time.sleep(chance.uniform(0.1, 1.1) * whole_s)
        process.kill()
        process.communicate()

    finish(upload("--resend"))
    finish(upload())

    assert is_stored_once(server, label)


@pytest.mark.slow
def test_a_server_that_dies_in_the_middle_loses_and_doubles_nothing(server, upload, label):
    """SIGKILL of the server while clients send to it; the client retries, gives up, or never noticed."""
    chance = random.Random(20261124)  # noqa: S311 (not for secrets)
    for number in range(4):
        process = upload()
        time.sleep(chance.uniform(0.3, 1.5))
        server.kill()
        captures, _ = server.stored(label)
        assert captures.total() in (0, OUTPUTS), f"half an upload was stored in round {number}"
        server.start()
        process.communicate(timeout=200)
        assert process.returncode in (0, 3)

    finish(upload("--resend"))
    finish(upload())

    assert is_stored_once(server, label)


def test_a_body_that_breaks_off_is_not_stored(server, tmp_path):
    """Half a bundle, then the connection is cut; then half of one, and the server is killed and started again."""
    before = server.uploads()
    content = bundles.write(tmp_path / "b.tar", bundles.output()).read_bytes()
    head = (
        f"POST /api/v1/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token.read_text().strip()}\r\n"
        f"Content-Type: application/x-tar\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    for is_killed in (False, True):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(head.encode() + content[: len(content) // 2])
            time.sleep(0.2)
            if is_killed:
                server.kill()
        if is_killed:
            server.start()

    assert server.uploads() == before


def test_a_full_disk_stores_nothing_and_loses_nothing(server, upload, label):
    """No file of the server may grow: it answers 507, the upload waits, and goes through when there is room."""
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, limits[1]))
    _, err = finish(upload(), code=3)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
    before = server.stored(label)[0].total()
    finish(upload("--resend"))

    assert "the server's disk is full" in err
    assert before == 0
    assert is_stored_once(server, label)


def test_progress_is_shown_on_a_terminal_only(server, upload, label):
    _, err = finish(upload())

    assert not re.search(r"\x1b|packing|sending", err)
    assert is_stored_once(server, label)


def test_an_address_that_is_none_is_told_before_anything_is_packed(kvmperf, tmp_path):
    (tmp_path / "token").touch(mode=0o600)
    (tmp_path / "token").write_text("x")
    (tmp_path / "x.out").write_bytes(bundles.DIRTY_LOG)

    where = ("--server", "https://[bad", "--token-file", tmp_path / "token")
    told = kvmperf("upload", tmp_path / "x.out", "--label", "a", *where, code=1).stderr

    assert told.startswith("kvmperf: 'https://[bad' is no server\n")
    assert not (tmp_path / "state").exists()
