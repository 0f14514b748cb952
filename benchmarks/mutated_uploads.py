"""Ten thousand damaged uploads against a real `kvmperf serve`: does it stay up, and does its memory stay bounded?

    python benchmarks/mutated_uploads.py [--uploads 10000] [--seed 7]

Prints answers by status and the server's memory (resident, MiB) along the way, and a conclusion.
"""

import argparse
import contextlib
import itertools
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT)]
import bundles  # noqa: E402
import mutations  # noqa: E402

RESET = 0  # refused while the body was still being sent: the connection ended before the answer was read
GROWTH_MIB = 64  # what caches and the allocator may keep after the first tenth


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--uploads", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=7)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as name, serve(Path(name)) as (child, client):
        whole = _bundle(Path(name))
        told: Counter[int] = Counter()
        memory: list[int] = []
        step = max(1, options.uploads // 10)
        stream = itertools.islice(mutations.uploads(options.seed, whole, bundles.DIRTY_LOG), options.uploads)
        for number, (headers, body) in enumerate(stream, start=1):
            told[_send(client, headers, body)] += 1
            if number % step == 0:
                memory.append(resident_mib(child.pid))
                print(f"{number:7} uploads   {memory[-1]:5} MiB   {dict(sorted(told.items()))}")
        is_up = child.poll() is None and client.get("/healthz").status_code == 200
        conclude(told, memory, is_up=is_up)


def conclude(told: Counter[int], memory: list[int], *, is_up: bool) -> None:
    errors = sum(count for status, count in told.items() if status >= 500)
    if told[RESET]:
        print(f"{told[RESET]} refused before their body was read (the row of status 0)")
    growth = memory[-1] - memory[0]
    is_good = is_up and not errors and growth <= GROWTH_MIB
    print(
        f"server {'up' if is_up else 'DOWN'}, answers of 500 and above: {errors}, memory {growth:+} MiB since a tenth"
    )
    print("holds" if is_good else f"FALLS SHORT (up, no 5xx, at most +{GROWTH_MIB} MiB)")
    sys.exit(not is_good)


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx2.Client]]:
    """A server on loopback with its own database, and a client that may upload."""
    environment = {**os.environ, "KVMPERF_DB": f"sqlite:///{folder / 's.db'}"}
    command = [sys.executable, "-m", "cli"]
    made = [*command, "token", "create", "bench", "--scope", "upload"]
    subprocess.run([*command, "db", "upgrade"], env=environment, check=True, capture_output=True, cwd=ROOT)
    token = subprocess.run(made, env=environment, check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / "log").open("w") as log:
        child = subprocess.Popen([*command, "serve", "--port", str(port)], env=environment, stderr=log, cwd=ROOT)
        headers = {"Authorization": f"Bearer {token}"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60, trust_env=False) as client:
            try:
                _wait(client)
                yield child, client
            finally:
                child.terminate()
                child.wait(30)


def resident_mib(pid: int) -> int:
    """Resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) >> 10


def _send(client: httpx2.Client, headers: dict[str, str], body: bytes) -> int:
    while True:
        try:
            status = client.post("/api/v1/uploads", content=body, headers=headers).status_code
        except httpx2.ReadError:
            return RESET
        if status != 429:  # the limit of requests a second is not what is measured
            return status
        time.sleep(0.05)


def _wait(client: httpx2.Client) -> None:
    for _ in range(300):
        with contextlib.suppress(httpx2.TransportError):
            if client.get("/healthz").status_code == 200:
                return
        time.sleep(0.2)
    sys.exit("the server did not answer within a minute")


def _bundle(folder: Path) -> bytes:
    files = bundles.output(1) | bundles.output(2)
    return bundles.write(folder / "b.tar", files).read_bytes()


if __name__ == "__main__":
    main()
