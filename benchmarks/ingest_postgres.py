"""Samples a second into PostgreSQL from several writers at once, bytes a sample, and what reading takes.

    python benchmarks/ingest_postgres.py [--samples 10_000_000] [--clients 4] [--hosts 20]

The writers are processes; each stores captures of one run (20 metrics x 5 iterations) of hosts of its own, a few
hundred in a transaction, through the same code as an upload, without parsing. Their outputs are a few bytes: what is
measured is without artifacts. The rate is wall time over all writers and counts from the first to the last commit;
beside it stands the processor time of writers and server, because the machine may do other things. PostgreSQL runs
with its own settings but for max_wal_size; a commit is on the disk.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import postgres  # noqa: E402
from sqlalchemy import text  # noqa: E402

from db import engine as engines  # noqa: E402
from db import queries  # noqa: E402
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts  # noqa: E402
from db.writes import Writer  # noqa: E402

METRICS, ITERATIONS, CASES = 20, 5, 125  # of a host: 20 hosts make 50,000 time series
TOGETHER = 250  # captures in one transaction
RATE, BYTES = 150_000, 48
SETTINGS = ("max_wal_size=8GB", "shared_buffers=512MB")
TABLES = ("measurement", "time_series", "run", "capture", "capture_file", "upload", "revision", "boot", "metric")
START = datetime(2026, 1, 1, tzinfo=UTC)


def captures(hosts: range, first: int, count: int) -> list[tuple[CaptureContext, NewCapture]]:
    """Captures of hosts, case by case: each night all hosts with all their cases."""
    rng = np.random.default_rng([hosts.start, first])
    values = rng.normal(1, 0.1, (count, METRICS, ITERATIONS))
    made = []
    contexts: dict[tuple[int, int], CaptureContext] = {}
    for i in range(count):
        boot, case = divmod(first + i, CASES)
        night, host = boot // len(hosts), hosts[boot % len(hosts)]
        context = contexts.setdefault(
            (night, host), CaptureContext(f"host{host}", RevisionFacts(label=f"night{night}"), f"boot{night}")
        )
        told = tuple(NewMeasurement(f"metric{m:02}", "s", "lower", values[i, m]) for m in range(METRICS))
        run = NewRun("suite/prog", {"case": case}, "pass", "prog", 1, told)
        when = START + timedelta(days=night, seconds=case)
        made.append((context, NewCapture(f"{case}.out", {"stdout": b"x"}, "./prog", 0, when, when, (run,))))
    return made


def write(url: str, hosts: range, total: int, gate: object) -> tuple[float, float, float]:
    """Store so many captures; first and last moment, and processor seconds of this process."""
    engine = engines.connect(url)
    with engines.reading(engine):
        pass
    gate.wait()  # type: ignore[attr-defined]  # a barrier
    began, spent = time.time(), time.process_time()
    making = 0.0
    for first in range(0, total, TOGETHER):
        before = time.process_time()
        some = captures(hosts, first, min(TOGETHER, total - first))
        making += time.process_time() - before
        engines.in_transaction(engine, lambda connection, some=some: list(Writer(connection).store_all(some)))
    ended = time.time()
    engine.dispose()
    return began, ended, time.process_time() - spent - making


def _worker(url: str, hosts: range, total: int, gate: object, answers: object) -> None:
    answers.put(write(url, hosts, total, gate))  # type: ignore[attr-defined]  # a queue


def ingest(url: str, clients: int, hosts: int, total: int) -> tuple[float, float]:
    """Wall seconds from the first to the last commit, and processor seconds of the writers."""
    spawn = multiprocessing.get_context("spawn")
    gate, answers = spawn.Barrier(clients), spawn.Queue()
    shares = [range(hosts * i // clients, hosts * (i + 1) // clients) for i in range(clients)]
    workers = [spawn.Process(target=_worker, args=(url, one, total // clients, gate, answers)) for one in shares]
    for one in workers:
        one.start()
    told = [answers.get() for _ in workers]
    for one in workers:
        one.join()
    began, ended, spent = zip(*told, strict=True)
    return max(ended) - min(began), sum(spent)


def server_seconds(server: postgres.Server) -> float:
    """Processor seconds of the server and of its children that have ended."""
    pid = int((server.data / "postmaster.pid").read_text().split()[0])
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    own = sum(map(int, fields[11:15]))  # user and system time, of itself and of its children
    return own / os.sysconf("SC_CLK_TCK")


def sizes(engine: engines.Engine) -> dict[str, int]:
    """Bytes of each table with its indexes, partitions together."""
    asked = text(
        "SELECT coalesce(sum(pg_total_relation_size(relid)), pg_total_relation_size(CAST(:name AS regclass)))"
        " FROM pg_partition_tree(CAST(:name AS regclass)) WHERE isleaf"
    )
    with engines.reading(engine) as connection:
        return {name: int(connection.execute(asked, {"name": name}).scalar_one()) for name in TABLES}


def timed(work: Callable[[], object], runs: int = 5) -> float:
    """Median milliseconds."""
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def read(engine: engines.Engine) -> None:
    """A trend, and a comparison of two nights."""
    with engines.reading(engine) as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        ids = [one.id for one in queries.series(connection)]
        rows = queries.samples(connection, ids[:1]).run.size
        trend = timed(lambda: queries.samples(connection, ids[:1]))
        nights = [one.id for one in queries.revisions(connection)][-2:]
        compared = queries.samples(connection, ids, nights).run.size
        comparison = timed(lambda: queries.samples(connection, ids, nights), 3)
    print(f"reading a trend of {rows} points {trend:.1f} ms; two revisions, {compared:,} rows {comparison:,.0f} ms")


def main(samples: int, clients: int, hosts: int, place: Path | None) -> None:
    total = samples // (METRICS * ITERATIONS)
    with postgres.running(SETTINGS, place or Path(tempfile.gettempdir())) as server:
        server.execute("CREATE DATABASE ingest")
        url = server.url("ingest")
        engines.connect(url, create=True).dispose()
        before = server_seconds(server)
        wall, writers = ingest(url, clients, hosts, total)
        server.execute("CHECKPOINT")
        time.sleep(0.5)
        spent = server_seconds(server) - before
        engine = engines.connect(url)
        with engines.reading(engine) as connection:
            count = queries.counts(connection)
        by_table = sizes(engine)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        read(engine)
        engine.dispose()
    stored = count["values"]
    each = sum(by_table.values()) / stored
    print(f"{stored:,} samples, {count['time series']:,} time series, {clients} writers, {os.cpu_count()} cores")
    print("load of the machine: " + Path("/proc/loadavg").read_text().rsplit(" ", 2)[0])
    print("bytes a sample: " + ", ".join(f"{name} {size / stored:.1f}" for name, size in by_table.items()))
    cost = 1e6 * (writers + spent) / stored
    print(f"processor time a sample: writers {1e6 * writers / stored:.1f} us, server {1e6 * spent / stored:.1f} us")
    print(f"two cores of their own would store {2e6 / cost:,.0f} samples/s")
    print(
        f"{stored / wall:,.0f} samples/s: the target of {RATE:,} is {_word(stored / wall >= RATE)}; "
        f"{each:.1f} bytes a sample: at most {BYTES} is {_word(each <= BYTES)}."
    )


def _word(is_reached: bool) -> str:
    return "reached" if is_reached else "missed"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--hosts", type=int, default=20, help="at least as many as clients")
    parser.add_argument("--place", type=Path, help="folder for the server's files")
    given = parser.parse_args()
    if not 1 <= given.clients <= given.hosts:
        parser.error("every writer needs a host of its own: --hosts must be at least --clients")
    main(given.samples, given.clients, given.hosts, given.place)
