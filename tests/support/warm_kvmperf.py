"""The real command without the price of its start: a server that has imported everything forks for each call.

As a script it is the server: `warm_kvmperf.py SOCKET`. `install` starts one and writes a `kvmperf` that asks it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_CLIENT = """\
#!{python} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({path!r})
call = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [len(call).to_bytes(4, "big")], [0, 1, 2])
server.sendall(call)
answer = server.recv(1)
sys.exit(answer[0] if answer else 137)
"""


def install(folder):
    """Start a server and put its `kvmperf` into `folder`; returns the process, to be killed."""
    path = str(folder / "s")
    process = subprocess.Popen([sys.executable, __file__, path], cwd=ROOT)
    client = folder / "kvmperf"
    client.write_text(_CLIENT.format(python=sys.executable, path=path))
    client.chmod(0o755)
    while not Path(path).exists() and process.poll() is None:
        time.sleep(0.02)
    return process


def _serve(path):
    _warm_up(Path(path).parent / "warm.db")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{path}.new")
        server.listen()
        Path(f"{path}.new").rename(path)
        while True:
            call, _ = server.accept()
            with call:
                size, descriptors, _, _ = socket.recv_fds(call, 4, 3)
                if os.fork() == 0:
                    server.close()
                    _answer(call, int.from_bytes(size, "big"), descriptors)
                for one in descriptors:
                    os.close(one)


def _warm_up(database):
    """Do once what commands do, on a database of its own: it is their imports that take long."""
    sys.path.insert(0, str(ROOT))
    from cli.main import app

    demo = ROOT / "fixtures" / "demo" / "series" / "ic-1"
    where = ("--db", f"sqlite:///{database}")
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        for k in (0, 1):
            place = ("--series", "s", "--version", "1", "--patch", str(k), "--host", "h", "--boot-id", "b")
            app(["upload", *where, str(demo / f"patch-{k}" / "dlp-4k"), *place], standalone_mode=False)
        app(["series", "show", "s", *where], standalone_mode=False)
        app(["compare", "s@v1~base", "s@v1", *where], standalone_mode=False)
    for name in ("cli.bisect_work", "ingest.git", "ingest.posting", "report.bisect_text", "filelock"):
        __import__(name)


def _answer(call, size, descriptors):
    """Be the command that was asked for, then say its exit status and end."""
    from cli.main import main

    text = b""
    while len(text) < size:
        text += call.recv(size - len(text))
    words, folder, environment = json.loads(text)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for wanted, one in enumerate(descriptors):
        os.dup2(one, wanted)
        os.close(one)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["kvmperf", *words]
    status = 255
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        call.sendall(bytes([status]))
        os._exit(0)


if __name__ == "__main__":
    _serve(sys.argv[1])
