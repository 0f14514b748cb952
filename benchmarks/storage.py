"""Ten million samples into SQLite, as uploads come in, and out again; beside LLVM's LNT on the same data.

    python benchmarks/storage.py [--samples 10000000] [--lnt-samples 100000] [--python3.10 PATH] [--keep DB]

The data: 50,000 time series (20 hosts x 125 test cases x 20 metrics), 5 iterations a measurement. One upload is one
boot of one host: 125 outputs, each with a text of 4 KB. One host has ten cases measured every night, for a trend of a
thousand points. Uploads go through `ingest.storing`, the path of `kvmperf upload` and of the server, after parsing
(which `ingest_speed.py` measures); every portion is committed. Rates are samples per second of processor time of one
process, disk and all; wall time beside it. Bytes are those of the file without its raw outputs.

LNT is installed by pip into a virtual environment in a temporary folder, and gets a part of the same data through
`lnt import`; kvmperf's figures beside it are of the same part, into a fresh database.
"""

import argparse
import json
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from db import queries  # noqa: E402
from db.engine import connect, reading  # noqa: E402
from db.queries import Filters  # noqa: E402
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts  # noqa: E402
from ingest.storing import Batches  # noqa: E402
from report import comparison, trend  # noqa: E402
from report.comparison import Request  # noqa: E402
from report.selection import Chosen  # noqa: E402

HOSTS, CASES, METRICS, ITERATIONS = 20, 125, 20, 5
PER_RUN = METRICS * ITERATIONS
NIGHTS, NIGHTLY = 1000, 10  # of host00: so many cases every night
START = datetime(2023, 1, 1, tzinfo=UTC)
TARGETS = {"rate": 100_000, "bytes": 24, "trend_s": 0.010, "compare_s": 1.0, "times_lnt": 30, "bytes_lnt": 0.5}
LNT_PYTHON = "/root/.pyenv/versions/3.10.13/bin/python"
TEXT = b"".join(b"Iteration %d dirty memory time: 0.%09ds\n" % (i, i * 7_919_993 % 10**9) for i in range(85))

Upload = list[tuple[CaptureContext, NewCapture]]


def upload(host: int, revision: int, boot: int, cases: Sequence[int], runs: int = 1) -> Upload:
    """The outputs of one boot. A hundredth of spread; every tenth metric moves at every tenth revision."""
    rng = np.random.default_rng((host, revision, boot))
    level = 10.0 ** (np.arange(METRICS) % 4 - 2)
    facts = RevisionFacts(kernel=f"6.{revision}", label=f"r{revision}", committed_at=START + timedelta(days=revision))
    context = CaptureContext(f"host{host:02}", facts, f"boot-{revision}-{boot}", state={"cpu.model": f"Model {host}"})
    found: Upload = []
    for case in cases:
        for run in range(runs):
            values = level[:, None] * np.exp(rng.normal(0, 0.01, (METRICS, ITERATIONS)))
            number = (boot * CASES + case) * runs + run
            began = START + timedelta(days=revision, seconds=number)
            measured = tuple(NewMeasurement(f"metric_{m:02}", "s", "lower", values[m]) for m in range(METRICS))
            one = NewRun(f"suite/program_{case % 5}", {"vcpus": case}, "pass", "program", 1, measured)
            text = {"stdout": TEXT + b"%d %d %d %d" % (host, revision, boot, number)}
            found.append((context, NewCapture(f"{case}-{run}.out", text, "./program", 0, began, began, (one,))))
    return found


def uploads(samples: int) -> Iterator[Upload]:
    """So many samples: nights of one host, then releases of all, the two newest of host01 thoroughly."""
    nights = min(NIGHTS, max(20, samples // 10_000))
    left = samples - nights * NIGHTLY * PER_RUN
    for night in range(nights):
        yield upload(0, night, night, range(NIGHTLY))
    thorough = min(70, max(4, round(left * 0.2 / (2 * CASES * PER_RUN))))  # runs a side, in 7 boots
    for revision in (nights, nights + 1):
        for boot in range(7):
            yield upload(1, revision, boot, range(CASES), max(1, thorough // 7))
            left -= CASES * PER_RUN * max(1, thorough // 7)
    turn = 0
    while left > 0:
        host, boot = turn % HOSTS, turn // HOSTS
        yield upload(host, nights + 2 + boot // 3, boot, range(CASES))
        left -= CASES * PER_RUN
        turn += 1


@dataclass(frozen=True)
class Stored:
    """What storing took: samples, seconds of processor and wall time, bytes more on disk, without raw outputs."""

    samples: int
    processor: float
    wall: float
    size: int

    @property
    def rate(self) -> float:
        """Samples a second of processor time."""
        return self.samples / self.processor

    @property
    def each(self) -> float:
        """Bytes a sample."""
        return self.size / self.samples


def store(path: Path, wanted: Iterator[Upload]) -> Stored:
    """Everything into a fresh database, upload by upload; making the data is not counted."""
    engine = connect(f"sqlite:///{path}", create=True)
    engine.dispose()
    empty = size_of(path)
    samples, processor, wall, told = 0, 0.0, 0.0, 0
    for one in wanted:
        began, used = time.perf_counter(), time.process_time()
        for _ in Batches(engine, origin="benchmark").store_all(iter(one)):
            pass
        processor, wall = processor + time.process_time() - used, wall + time.perf_counter() - began
        samples += sum(m.values.size for _, capture in one for run in capture.runs for m in run.measurements)
        if samples // 1_000_000 > told:
            told = samples // 1_000_000
            print(f"  {samples:,} samples, {samples / processor:,.0f} a second", file=sys.stderr, flush=True)
    engine.dispose()
    return Stored(samples, processor, wall, size_of(path) - empty)


def size_of(path: Path) -> int:
    """Bytes of the file without the raw outputs and without what is left of the log."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        told = connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall()
    return sum(size for name, size in told if not name.startswith(("artifact", "sqlite_autoindex_artifact")))


def median_of(rounds: int, work: Callable[[], object]) -> tuple[float, float]:
    """Median wall and processor seconds; the first round fills the caches and does not count."""
    work()
    taken = []
    for _ in range(rounds):
        began, used = time.perf_counter(), time.process_time()
        work()
        taken.append((time.perf_counter() - began, time.process_time() - used))
    wall, processor = zip(*taken, strict=True)
    return statistics.median(wall), statistics.median(processor)


def reads(path: Path, rounds: int) -> list[str]:
    """How long a trend and a comparison take; the conclusions."""
    said = []
    with reading(connect(f"sqlite:///{path}")) as connection:
        series = queries.series(connection, Filters(host="host00"))
        one = next(s.id for s in series if s.params == {"vcpus": 0})
        rows = queries.samples(connection, [one]).series.size
        wall, processor = median_of(rounds * 3, lambda: queries.samples(connection, [one]))
        print(f"{'read a trend of ' + f'{rows:,} points':<44}{wall * 1e3:>10.1f} ms{processor * 1e3:>10.1f} ms CPU")
        said.append(verdict(f"a trend of {rows:,} points", wall, TARGETS["trend_s"], "s"))
        wall, processor = median_of(rounds, lambda: trend.build(connection, Chosen(ids=frozenset([one]))))
        print(f"{'the same with levels and intervals':<44}{wall * 1e3:>10.1f} ms{processor * 1e3:>10.1f} ms CPU")
        newest = [r.name for r in queries.revisions(connection)]
        pair = [name for name in newest if name in {f"r{i}" for i in (NIGHTS, NIGHTS + 1)}] or newest[-2:]
        request = Request(pair[0], (pair[1],), Filters(host="host01"))
        ids = [s.id for s in queries.series(connection, request.filters)]
        wanted = [r.id for r in queries.revisions(connection) if r.name in pair]
        count = queries.samples(connection, ids, wanted).series.size
        wall, processor = median_of(rounds, lambda: queries.samples(connection, ids, wanted))
        print(f"{f'read {count:,} rows to compare':<44}{wall:>10.2f} s {processor:>10.2f} s CPU")
        wall, processor = median_of(rounds, lambda: comparison.build(connection, request))
        print(f"{f'compare them ({len(ids):,} metrics)':<44}{wall:>10.2f} s {processor:>10.2f} s CPU")
        said.append(verdict(f"a comparison over {count:,} rows", wall, TARGETS["compare_s"], "s"))
    return said


def verdict(what: str, value: float, limit: float, unit: str, *, most: bool = True) -> str:
    is_met = value <= limit if most else value >= limit
    word = "at most" if most else "at least"
    return f"{what}: {value:,.3g} {unit}, target {word} {limit:,g}: {'met' if is_met else 'MISSED'}"


def lnt_environment(place: Path, python: str) -> Path | str:
    """LNT's command in a virtual environment of its own, or why there is none."""
    if not Path(python).exists() and shutil.which(python) is None:
        return f"no Python 3.10 at {python}"
    made = subprocess.run([python, "-m", "venv", str(place / "lnt")], capture_output=True, text=True, check=False)
    pip = [str(place / "lnt" / "bin" / "python"), "-m", "pip", "install", "--quiet", "llvm-lnt"]
    if made.returncode == 0:
        made = subprocess.run(pip, capture_output=True, text=True, check=False)
    return place / "lnt" / "bin" / "lnt" if made.returncode == 0 else (made.stderr.strip().splitlines() or ["?"])[-1]


def lnt_reports(place: Path, wanted: Iterator[Upload]) -> list[Path]:
    """The uploads as LNT's reports: one run a machine and revision, one test a metric of a case, samples as lists."""
    found = []
    for number, one in enumerate(wanted):
        context = one[0][0]
        tests = [
            {
                "name": f"{run.benchmark}.{run.params['vcpus']}.{m.metric}".replace("/", "."),
                "execution_time": m.values.tolist(),
            }
            for _, capture in one
            for run in capture.runs
            for m in run.measurements
        ]
        when = (START + timedelta(days=number)).strftime("%Y-%m-%dT%H:%M:%S")
        told = {"start_time": when, "end_time": when, "llvm_project_revision": str(number + 1)}
        path = place / f"report{number}.json"
        machine = {"name": context.host}
        path.write_text(json.dumps({"format_version": "2", "machine": machine, "run": told, "tests": tests}))
        found.append(path)
    return found


def lnt(command: Path, place: Path, reports: Sequence[Path], samples: int) -> Stored:
    """What LNT takes to import the reports; the size of its database without its copy of the reports."""
    instance = place / "instance"
    subprocess.run([str(command), "create", str(instance)], check=True, capture_output=True)
    database = instance / "data" / "lnt.db"
    empty = database.stat().st_size
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [str(command), "import", str(instance), *map(str, reports)], capture_output=True, text=True, check=False
    )
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with sqlite3.connect(database) as connection:
        stored = connection.execute("SELECT count(*) FROM NT_Sample").fetchone()[0]
    if done.returncode or stored != samples:
        raise RuntimeError(f"lnt import stored {stored} of {samples} samples: {done.stderr[-400:]}")
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Stored(samples, processor, wall, database.stat().st_size - empty)


def beside_lnt(samples: int, python: str) -> list[str]:
    """Both on the same part of the data; the conclusions, or why there are none."""
    count = max(1, samples // (CASES * PER_RUN))
    part = [upload(1, revision, 0, range(CASES)) for revision in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        command = lnt_environment(place, python)
        if isinstance(command, str):
            print(f"\nLNT cannot be installed here ({command}): no comparison with it")
            return ["beside LNT: NOT MEASURED, it cannot be installed here"]
        ours = store(place / "ours.db", iter(part))
        try:
            theirs = lnt(command, place, lnt_reports(place, iter(part)), ours.samples)
        except (RuntimeError, subprocess.CalledProcessError, sqlite3.Error) as error:
            print(f"\nLNT failed here: {error}")
            return ["beside LNT: NOT MEASURED, it failed"]
    print(f"\nthe same {ours.samples:,} samples (a part: LNT is slow)")
    line("kvmperf", ours)
    line("LNT", theirs)
    return [
        verdict("ingest, times LNT's rate", ours.rate / theirs.rate, TARGETS["times_lnt"], "x", most=False),
        verdict("bytes a sample, of LNT's", ours.each / theirs.each, TARGETS["bytes_lnt"], "x"),
    ]


def line(name: str, one: Stored) -> None:
    print(
        f"{name:<44}{one.rate:>12,.0f} samples/s CPU{one.samples / one.wall:>12,.0f} wall{one.each:>8.1f} bytes/sample"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--lnt-samples", type=int, default=100_000, help="0: without LNT")
    parser.add_argument("--python3.10", dest="python", default=LNT_PYTHON)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "storage.db"
        stored = store(path, uploads(given.samples))
        line(f"kvmperf, {stored.samples:,} samples", stored)
        said = [
            verdict("ingest, samples a second of one core", stored.rate, TARGETS["rate"], "", most=False),
            verdict("bytes a sample", stored.each, TARGETS["bytes"], ""),
            *reads(path, given.rounds),
        ]
    if given.lnt_samples:
        said += beside_lnt(given.lnt_samples, given.python)
    print(f"\nload {os.getloadavg()[0]:.1f}")
    for one in said:
        print(f"conclusion: {one}")


if __name__ == "__main__":
    main()
