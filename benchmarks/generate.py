"""Fill a database with made-up history: 20 hosts, 50,000 time series, 10 million values. For benchmarks of reading.

Run: python benchmarks/generate.py sqlite:////tmp/large.db [--scale 1.0]

Rows go in through Core, in batches and in the order of the primary keys; nothing is parsed. Host `host00` has 200 time
series of one program over 1,000 nightly revisions of one run each. Every other time series was measured at the 5
newest releases, in 3 boots of 2 runs. On `host01` the two newest are measured thoroughly, in 7 boots of 10 runs:
350,000 rows of 2,500 metrics to compare. Some runs failed, some hosts changed their state, one fell silent, a few
outputs are in quarantine.
"""

import argparse
import gzip
import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Connection, insert

from db import models as m
from db.engine import connect, writing
from db.keys import digest

HOSTS, CASES, METRICS, ITERATIONS = 20, 125, 20, 5
NIGHTS, RELEASES, BOOTS, RUNS = 1000, 5, 3, 2
THOROUGH_BOOTS, THOROUGH_RUNS = 7, 10  # of host01, at the two newest releases
LONG_CASES = frozenset(range(0, 50, 5))  # of host00, measured every night: ten cases of the first program
START = datetime(2023, 1, 1, tzinfo=UTC)
BATCH = 20_000
BENCHMARKS = tuple(f"suite/program_{i}" for i in range(5))


def fill(url: str, scale: float) -> dict[str, int]:
    """Write everything; how many rows of what."""
    hosts, nights = max(2, round(HOSTS * scale)), max(20, round(NIGHTS * scale))
    with writing(connect(url, create=True)) as connection:
        _fixed(connection, hosts, nights)
        runs = list(_runs(hosts, nights))
        _insert(connection, m.Capture, (_capture(run) for run in runs))
        _insert(connection, m.CaptureFile, ({"capture_id": r["id"], "name": "stdout", "artifact_id": 1} for r in runs))
        _insert(connection, m.Run, runs)
        measurements = _measurements(connection, runs)
        _quarantine(connection, len(runs))
    return {"hosts": hosts, "runs": len(runs), "measurements": measurements, "values": measurements * ITERATIONS}


def _insert(connection: Connection, model: type[m.Base], rows: Iterator[dict[str, object]]) -> None:
    batch: list[dict[str, object]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            connection.execute(insert(model.__table__), batch)
            batch = []
    if batch:
        connection.execute(insert(model.__table__), batch)


def _fixed(connection: Connection, hosts: int, nights: int) -> None:
    """Hosts, boots, states, revisions, benchmarks, cases, metrics, time series, one output, one upload a host."""
    text = b"".join(b"metric_%d: %d\n" % (i, i) for i in range(METRICS))
    _insert(connection, m.Artifact, iter([_artifact(1, text), _artifact(2, b"nothing reads this\n")]))
    _insert(connection, m.Host, ({"id": h + 1, "name": f"host{h:02}", "created_at": START} for h in range(hosts)))
    _insert(connection, m.HostState, (_state(h, s) for h in range(hosts) for s in range(2)))
    _insert(
        connection,
        m.Boot,
        ({"id": b + 1, "host_id": b % hosts + 1, "boot_id": f"boot{b:05}"} for b in range(hosts * 200)),
    )
    _insert(connection, m.Revision, (_revision(r, nights) for r in range(nights)))
    _insert(connection, m.Benchmark, ({"id": i, "name": name} for i, name in enumerate(BENCHMARKS, start=1)))
    _insert(connection, m.TestCase, (_case(c) for c in range(CASES)))
    _insert(connection, m.Metric, (_metric(b, i) for b in range(len(BENCHMARKS)) for i in range(METRICS)))
    _insert(
        connection, m.TimeSeries, (_series(h, c, i) for h in range(hosts) for c in range(CASES) for i in range(METRICS))
    )
    silent = hosts - 1
    now = datetime.now(UTC)
    _insert(
        connection,
        m.Upload,
        (
            {
                "id": h + 1,
                "received_at": now - timedelta(days=9 if h == silent else 0, minutes=h),
                "origin": "generated",
            }
            for h in range(hosts)
        ),
    )


def _artifact(number: int, content: bytes) -> dict[str, object]:
    sha256 = hashlib.sha256(content).hexdigest()
    return {"id": number, "sha256": sha256, "size": len(content), "content": gzip.compress(content, mtime=0)}


def _state(host: int, number: int) -> dict[str, object]:
    fields = {f"field.{i:02}": f"{host}" for i in range(80)} | {
        "cpu.model": "Made Up CPU",
        "microcode": "0x1",
        "thp.enabled": ("madvise", "always")[number],
    }
    return {"id": 2 * host + number + 1, "digest": digest(fields), "fields": fields}


def _revision(number: int, nights: int) -> dict[str, object]:
    commit = hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()
    when = START + timedelta(days=number)
    release = 10 + 6 * number // nights
    is_release = number >= nights - RELEASES
    label = f"release-{number - nights + RELEASES}" if is_release else ""
    return {
        "id": number + 1, "key": commit, "kernel": f"6.{release}.0-night{number}", "commit": commit, "label": label,
        "subject": f"Merge number {number}", "committed_at": when, "first_seen_at": when,
    }  # fmt: skip


def parameters(number: int) -> dict[str, str | int | float | bool]:
    """What was asked of the program in this test case."""
    return {"vcpus": 1 << number % 5, "bytes_per_vcpu": (1 + number // 5) << 26, "backing_src": "anonymous"}


def _case(number: int) -> dict[str, object]:
    params = parameters(number)
    return {"id": number + 1, "benchmark_id": number % 5 + 1, "digest": digest(params), "params": params}


def _metric(benchmark: int, number: int) -> dict[str, object]:
    return {
        "id": benchmark * METRICS + number + 1, "benchmark_id": benchmark + 1, "name": f"metric_{number:02}",
        "unit": "s" if number % 2 else "ops/s", "better": "lower" if number % 2 else "higher",
    }  # fmt: skip


def _series(host: int, case: int, metric: int) -> dict[str, object]:
    return {
        "id": (host * CASES + case) * METRICS + metric + 1, "test_case_id": case + 1, "host_id": host + 1,
        "metric_id": case % 5 * METRICS + metric + 1,
    }  # fmt: skip


def _runs(hosts: int, nights: int) -> Iterator[dict[str, object]]:
    """Every run: nightly ones of host00, then the releases of all."""
    number = 0
    for night in range(nights):
        for case in sorted(LONG_CASES):
            number += 1
            yield _run(number, 0, case, night, (night % 200) * hosts, later=night > nights // 2)
    for release in range(nights - RELEASES, nights):
        for host in range(hosts):
            boots, runs = (THOROUGH_BOOTS, THOROUGH_RUNS) if host == 1 and release >= nights - 2 else (BOOTS, RUNS)
            for case in range(CASES):
                if host == 0 and case in LONG_CASES:
                    continue
                for repeat in range(boots * runs):
                    number += 1
                    boot = ((release * THOROUGH_BOOTS + repeat // runs) % 200) * hosts + host
                    yield _run(number, host, case, release, boot, later=False)


def _run(number: int, host: int, case: int, revision: int, boot: int, *, later: bool) -> dict[str, object]:
    failed = number % 997 == 0
    return {
        "id": number, "capture_id": number, "position": 0, "test_case_id": case + 1, "revision_id": revision + 1,
        "host_id": host + 1, "boot_id": boot + 1, "host_state_id": 2 * host + 1 + later,
        "status": "fail" if failed else "pass", "started_at": START + timedelta(days=revision, seconds=number % 80_000),
        "format": "generated", "format_version": 1, "warnings": [], "labels": {}, "reported": False,
    }  # fmt: skip


def _capture(run: dict[str, object]) -> dict[str, object]:
    same = ("id", "host_id", "boot_id", "host_state_id", "revision_id", "started_at", "reported")
    return {
        **{name: run[name] for name in same}, "identity": f"{run['id']:064}", "upload_id": run["host_id"],
        "source": f"{run['id']}.out", "command": "./program", "exit_status": 0, "tags": {}, "quarantined": "",
    }  # fmt: skip


def _measurements(connection: Connection, runs: list[dict[str, object]]) -> int:
    """One row a metric and run that passed, sorted by time series: pages of the table fill from left to right."""
    rng = np.random.default_rng(1)
    by_place: dict[tuple[int, int], list[dict[str, object]]] = {}
    for run in runs:
        if run["status"] == "pass":
            by_place.setdefault((int(str(run["host_id"])), int(str(run["test_case_id"]))), []).append(run)
    count = 0
    for (host, case), of_place in sorted(by_place.items()):
        rows: list[dict[str, object]] = []
        for metric in range(METRICS):
            series = ((host - 1) * CASES + case - 1) * METRICS + metric + 1
            rows += _rows(rng, series, of_place, metric)
        connection.execute(insert(m.Measurement.__table__), rows)
        count += len(rows)
    return count


def _rows(rng: np.random.Generator, series: int, runs: list[dict[str, object]], metric: int) -> list[dict[str, object]]:
    revision = np.array([int(str(run["revision_id"])) for run in runs])
    step = np.where((revision > revision.max() - 1) & (series % 10 == 0), 1.08, 1.0)
    level = 10.0 ** (metric % 4 - 2) * step * np.exp(rng.normal(0, 0.006, revision.max() + 1))[revision]
    values = level[:, None] * np.exp(rng.normal(0, 0.01, (len(runs), ITERATIONS)))
    return [
        {"time_series_id": series, "run_id": run["id"], "n": ITERATIONS, "warmup": 0, "values": values[i]}
        for i, run in enumerate(runs)
    ]


def _quarantine(connection: Connection, after: int) -> None:
    captures = [
        {
            "id": after + i, "identity": f"q{i:063}", "upload_id": 1, "host_id": 1, "revision_id": 1, "tags": {},
            "source": f"odd/{i}.out", "command": None, "exit_status": None, "reported": False,
            "quarantined": f"odd/{i}.out: no parser recognises the text",
        }
        for i in range(1, 101)
    ]  # fmt: skip
    connection.execute(insert(m.Capture.__table__), captures)
    files = [{"capture_id": row["id"], "name": "stdout", "artifact_id": 2} for row in captures]
    connection.execute(insert(m.CaptureFile.__table__), files)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--scale", type=float, default=1.0, help="of hosts and nights")
    given = parser.parse_args()
    began = time.monotonic()
    print({**fill(given.url, given.scale), "seconds": round(time.monotonic() - began, 1)})
