"""How much memory an upload of 100 MB takes: a folder, the bundle of it, and the bundle through a server.

    python benchmarks/ingest_memory.py [--mb 100]

Each in a process of its own; peaks are resident sets as the kernel counts them. How long another writer waits at most
while the bundle is stored is measured too: it writes one row, again and again.
"""

import argparse
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.ingest_speed import ROUNDS, dirty_log  # noqa: E402
from ingest.collector import pack  # noqa: E402

LIMIT_MIB = 300
KVMPERF = [sys.executable, "-m", "cli"]


def tree(folder: Path, megabytes: int) -> int:
    """Outputs with their side files, as many as make so many bytes; how many there are."""
    size = number = 0
    while size < megabytes * 10**6:
        number += 1
        stem = folder / f"{number % 100:03d}" / f"{number:06d}"
        stem.parent.mkdir(parents=True, exist_ok=True)
        stem.with_suffix(".out").write_bytes(text := dirty_log(number))
        stem.with_suffix(".cmd").write_text(f"./dirty_log_perf_test -v 1 -i {ROUNDS}")
        stem.with_suffix(".time").write_text(f"{10**9 + number}.0 {10**9 + number + 1}.0")
        size += len(text)
    return number


def bundle(folder: Path, path: Path) -> Path:
    """The bundle of a tree."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    found = [pack.member(f"s001/{file.relative_to(folder)}", file) for file in files]
    part = {"outputs": "s001", "facts": "", "context": {"host": "bench", "label": "a"}}
    pack.write_file(path, pack.manifest(found, [part], "benchmark"), found)
    return path


def peak(words: list[str], environment: dict[str, str] | None = None) -> tuple[float, float]:
    """Seconds and peak MiB of a kvmperf command."""
    began = time.perf_counter()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([*KVMPERF, *words], cwd=ROOT, env={**os.environ, **(environment or {})}, **quiet)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"kvmperf {' '.join(words)}: exit status {process.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def highest(pid: int) -> float:
    """Peak MiB of a process that still runs."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


@contextmanager
def other_writer(database: Path) -> Iterator[list[float]]:
    """Somebody else who writes into the database all the time; how long each of their transactions waited."""
    waits: list[float] = []
    over = threading.Event()

    def write() -> None:
        connection = sqlite3.connect(database, timeout=60, isolation_level=None)
        while not over.wait(0.05):
            began = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
            waits.append(time.perf_counter() - began)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()


@contextmanager
def server(place: Path) -> Iterator[tuple[int, str, Path]]:
    """A server on a database of its own: its process, its address, a file with a token."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    url = f"sqlite:///{place / 'server.db'}"
    token = place / "token"
    made = [*KVMPERF, "token", "create", "bench", "--db", url]
    subprocess.run([*KVMPERF, "db", "upgrade", "--db", url], cwd=ROOT, check=True, capture_output=True)
    token.write_text(subprocess.run(made, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    (place / "incoming").mkdir()
    words = ["serve", "--db", url, "--port", str(port), "--incoming", str(place / "incoming")]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([*KVMPERF, *words], cwd=ROOT, **quiet)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield process.pid, f"http://127.0.0.1:{port}", token
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=int, default=100)
    megabytes = parser.parse_args().mb
    rows: list[tuple[str, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        outputs = tree(place / "tree", megabytes)
        packed = bundle(place / "tree", place / "large.tar")
        first = place / "bundle.db"
        url = f"sqlite:///{first}"
        peak(["upload", str(next((place / "tree").rglob("*.out"))), "--label", "b", "--db", url])  # makes the tables
        with other_writer(first) as waits:
            rows.append(("bundle into a database", *peak(["upload", str(packed), "--db", url])))
        given = ["--host", "bench", "--label", "a", "--db", f"sqlite:///{place / 'tree.db'}"]
        rows.append(("folder into a database", *peak(["upload", str(place / "tree"), *given])))
        with server(place) as (pid, address, token):
            sent = ["upload", str(packed), "--server", address, "--token-file", str(token)]
            took, client = peak(sent, {"XDG_STATE_HOME": str(place / "state")})
            rows += [("bundle to a server: the client", took, client), ("the server", took, highest(pid))]
    print(f"{megabytes} MB in {outputs:,} outputs of {len(dirty_log(1)):,} bytes and {3 * ROUNDS + 2} values each")
    print(f"{'':<34} {'seconds':>9} {'peak MiB':>9}")
    for name, seconds, mebibytes in rows:
        print(f"{name:<34} {seconds:>9.0f} {mebibytes:>9.0f}")
    word = "all below" if all(row[2] <= LIMIT_MIB for row in rows) else "NOT all below"
    print(
        f"Memory: {word} {LIMIT_MIB} MiB. Another writer waited {max(waits):.1f} s at most, {len(waits)} times asked."
    )


if __name__ == "__main__":
    main()
