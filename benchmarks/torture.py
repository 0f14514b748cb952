"""Eight uploaders against `kvmperf serve` on PostgreSQL, with the server killed and PostgreSQL crashed under them.

    python benchmarks/torture.py [--minutes 10] [--uploaders 8] [--kills 20] [--crashes 5]

Each uploader sends made-up bundles, one after the other, and repeats each until it is acknowledged. Meanwhile the
server process is killed (-9) and PostgreSQL is stopped at once (immediate mode) and started again, evenly over the
time, at random moments. At the end every acknowledged bundle must be there exactly once with all its runs and values,
and nothing else may be there in part. PostgreSQL runs with its own settings: a commit is on the disk.
"""

import argparse
import io
import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import postgres  # noqa: E402
from sqlalchemy import select  # noqa: E402

from db import engine as engines  # noqa: E402
from db import tokens  # noqa: E402
from db.checking import check  # noqa: E402
from db.models import Capture, Measurement, Run, Upload  # noqa: E402
from db.words import Scope  # noqa: E402
from ingest.collector import pack  # noqa: E402

RUNS = 4  # of one bundle
WAIT_S = 0.2  # before a bundle is sent again
_AT_WORK_S = 10.0  # at least that long the server works before it is killed


@dataclass
class Plan:
    """How long, how many, and where the server listens."""

    seconds: float
    uploaders: int
    kills: int
    crashes: int
    port: int
    token: str = ""


@dataclass
class Seen:
    """What the uploaders were told: digest of each acknowledged bundle with its values; tries that failed."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    failed: int = 0
    odd: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Service:
    """`kvmperf serve` in a process; it is started again whenever it is gone, as systemd does."""

    def __init__(self, url: str, plan: Plan, folder: Path) -> None:
        self._command = [sys.executable, "-m", "cli", "serve", "--db", url, "--port", str(plan.port)]
        self._folder = folder
        self._stop = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._watch = threading.Thread(target=self._keep_running)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self.kill()
        self._watch.join()

    def kill(self) -> None:
        """As the kernel does when memory is short."""
        if self._process is not None:
            self._process.kill()

    def _keep_running(self) -> None:
        with (self._folder / "serve.log").open("ab") as log:
            while not self._stop.is_set():
                self._process = subprocess.Popen(
                    [*self._command, "--incoming", str(self._folder)], cwd=ROOT, stdout=log, stderr=log
                )
                if self._stop.is_set():
                    self._process.kill()
                self._process.wait()


def bundle(uploader: int, number: int) -> tuple[bytes, str, int]:
    """A bundle with runs of its own, its digest, and how many values are in it. Metrics are new now and then."""
    rng = np.random.default_rng([uploader, number])
    members = []
    for run in range(RUNS):
        measured = [
            {"metric": f"m{i}.{number // 50}", "unit": "s", "better": "lower", "values": rng.random(5).tolist()}
            for i in range(10)
        ]
        row = {"benchmark": "torture/prog", "params": {"u": uploader % 3}, "measurements": measured}
        text = f"{json.dumps(row)}\n".encode()
        members.append(pack.member(f"s001/{run:03}.jsonl", text))
    part = {"outputs": "s001", "facts": "", "context": {"host": f"h{uploader}", "label": f"n{number}", "boot_id": "b"}}
    told = pack.manifest(members, [part], "torture")
    packed = io.BytesIO()
    with tempfile.NamedTemporaryFile() as file:
        pack.write_file(Path(file.name), told, members)
        packed.write(Path(file.name).read_bytes())
    return packed.getvalue(), str(told["digest"]), RUNS * 50


def upload(uploader: int, plan: Plan, seen: Seen, end: float) -> None:
    """Send bundle after bundle until the time is over; the last one is finished."""
    headers = {"Authorization": f"Bearer {plan.token}", "Content-Type": "application/x-tar"}
    with httpx2.Client(base_url=f"http://127.0.0.1:{plan.port}", timeout=60, trust_env=False) as client:
        number = 0
        while time.monotonic() < end:
            number += 1
            content, digest, values = bundle(uploader, number)
            with seen.lock:
                seen.begun.add(digest)
            while not acknowledged(client, content, headers, seen):
                time.sleep(WAIT_S)
            with seen.lock:
                seen.acknowledged[digest] = values


def acknowledged(client: httpx2.Client, content: bytes, headers: dict[str, str], seen: Seen) -> bool:
    try:
        told = client.post("/api/v1/uploads", content=content, headers=headers)
    except httpx2.TransportError:
        with seen.lock:
            seen.failed += 1
        return False
    if told.status_code in (200, 201):
        return True
    with seen.lock:
        seen.failed += 1
        if told.status_code not in (429, 503):
            seen.odd.append(f"{told.status_code} {told.text[:200]}")
    return False


def disturb(service: Service, server: postgres.Server, plan: Plan, end: float) -> None:
    """Kill and crash at random moments, each kind evenly over the time."""
    chance = random.Random(1)
    blows = [("kill", (i + chance.random()) / plan.kills) for i in range(plan.kills)]
    blows += [("crash", (i + chance.random()) / plan.crashes) for i in range(plan.crashes)]
    began = end - plan.seconds
    for what, share in sorted(blows, key=lambda blow: blow[1]):
        time.sleep(max(0.0, began + share * plan.seconds - time.monotonic()))
        if what == "kill":
            _wait(plan.port)  # killed while it starts, it would have nothing to lose
            time.sleep(min(_AT_WORK_S, plan.seconds / plan.kills / 4))
            service.kill()
        else:
            server.stop(signal.SIGQUIT)
            server.start()


def verdict(url: str, seen: Seen) -> list[str]:
    """What is wrong: missing, twice, in part; empty where all is well."""
    engine = engines.connect(url)
    wrong = [f"{one.what}: {one.text}" for one in check(engine) if one.is_problem]
    with engines.reading(engine) as connection:
        uploads = connection.execute(select(Upload.id, Upload.digest, Upload.receipt)).all()
        of_upload: dict[int, list[int]] = {}
        for run_id, upload_id in connection.execute(select(Run.id, Capture.upload_id).join(Capture)):
            of_upload.setdefault(upload_id, []).append(run_id)
        values: dict[int, int] = {}
        for run_id, n in connection.execute(select(Measurement.run_id, Measurement.n)):
            values[run_id] = values.get(run_id, 0) + n
    engine.dispose()
    found = {
        row.digest: (len(of_upload.get(row.id, [])), sum(values.get(run, 0) for run in of_upload.get(row.id, [])))
        for row in uploads
    }
    if len(found) != len(uploads):
        wrong.append("a bundle is stored twice")
    for digest, count in seen.acknowledged.items():
        if found.get(digest) != (RUNS, count):
            wrong.append(f"{digest:.12} was acknowledged and has {found.get(digest, 'nothing')}")
    others = found.keys() - seen.acknowledged.keys()
    wrong += [f"{digest:.12} is stored in part: {found[digest]}" for digest in others if found[digest][0] != RUNS]
    return wrong + seen.odd


def torture(plan: Plan, settings: tuple[str, ...] = ()) -> tuple[Seen, list[str]]:
    """Run it; what was seen and what is wrong."""
    with postgres.running(settings, Path(tempfile.gettempdir())) as server, tempfile.TemporaryDirectory() as place:
        server.execute("CREATE DATABASE torture")
        url = server.url("torture")
        engine = engines.connect(url, create=True)
        with engines.writing(engine) as connection:
            plan.token = tokens.create(connection, "torture", {Scope.UPLOAD})
        engine.dispose()
        seen = Seen()
        with Service(url, plan, Path(place)) as service:
            _wait(plan.port)
            end = time.monotonic() + plan.seconds
            threads = [threading.Thread(target=upload, args=(i, plan, seen, end)) for i in range(plan.uploaders)]
            for one in threads:
                one.start()
            disturb(service, server, plan, end)
            for one in threads:
                one.join()
        return seen, verdict(url, seen)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            if httpx2.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--uploaders", type=int, default=8)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--crashes", type=int, default=5)
    given = parser.parse_args()
    asked = Plan(60 * given.minutes, given.uploaders, given.kills, given.crashes, free_port())
    seen, wrong = torture(asked)
    for line in wrong[:20]:
        print(line)
    print(
        f"{asked.uploaders} uploaders, {given.minutes:g} minutes, server killed {asked.kills} times, PostgreSQL "
        f"crashed {asked.crashes} times: {len(seen.acknowledged):,} uploads acknowledged "
        f"({sum(seen.acknowledged.values()):,} values), {seen.failed:,} tries failed and were repeated; "
        f"{len(wrong)} missing, doubled or in part."
    )
    sys.exit(bool(wrong))
