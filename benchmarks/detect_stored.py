"""How long `kvmperf detect` takes over stored time series that have one new point each.

    python benchmarks/detect_stored.py [--series 50000] [--points 60] [--nights 5]

Rows go in through Core. The history is judged once (that time is told too); then every night each time series gets one
more measurement and the sweep is timed: processor seconds of this process, and seconds by the clock.
"""

import argparse
import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, insert

from alerts.sweep import sweep
from db import models as m
from db.engine import connect, writing
from db.keys import digest

HOSTS, METRICS = 20, 20
START = datetime(2024, 1, 1, tzinfo=UTC)
GOAL_S = 20.0


def fixed(connection: Connection, series: int) -> int:
    """Everything that measurements hang on; the number of test cases."""
    cases = series // (HOSTS * METRICS)
    of = {"benchmark_id": 1}
    one = {"id": 1, "sha256": "0" * 64, "size": 0, "content": b""}
    rows: list[tuple[type[m.Base], list[dict[str, object]]]] = [
        (m.Artifact, [one]),
        (m.Host, [{"id": h + 1, "name": f"host{h:02}", "created_at": START} for h in range(HOSTS)]),
        (m.Benchmark, [{"id": 1, "name": "suite/program"}]),
        (m.TestCase, [{**of, "id": c + 1, "digest": digest(c), "params": {"n": c}} for c in range(cases)]),
        (m.Metric, [{**of, "id": i + 1, "name": f"m{i}", "unit": "s", "better": "lower"} for i in range(METRICS)]),
        (
            m.TimeSeries,
            [
                {"id": (h * cases + c) * METRICS + i + 1, "test_case_id": c + 1, "metric_id": i + 1, "host_id": h + 1}
                for h in range(HOSTS) for c in range(cases) for i in range(METRICS)
            ],
        ),
        (m.Upload, [{"id": 1, "received_at": START, "origin": "benchmark"}]),
    ]  # fmt: skip
    for model, listed in rows:
        connection.execute(insert(model.__table__), listed)
    return cases


def night(connection: Connection, day: int, cases: int, rng: np.random.Generator) -> None:
    """One run of every test case on every host, at a revision of its own."""
    when = START + timedelta(days=day)
    revision = {"id": day + 1, "key": str(day), "commit": f"{day:040x}", "committed_at": when, "first_seen_at": when}
    connection.execute(insert(m.Revision.__table__), [{**revision, "kernel": "6.14"}])
    first = day * HOSTS * cases
    places = [(first + h * cases + c + 1, h, c) for h in range(HOSTS) for c in range(cases)]
    kept = {"upload_id": 1, "source": "x", "tags": {}, "quarantined": ""}
    shared = {"revision_id": day + 1, "reported": False, "started_at": when}
    connection.execute(
        insert(m.Capture.__table__),
        [
            {**shared, **kept, "id": n, "identity": str(n), "host_id": h + 1}
            for n, h, _ in places
        ],
    )  # fmt: skip
    told = {"position": 0, "status": "pass", "format": "f", "format_version": 1, "warnings": [], "labels": {}}
    connection.execute(
        insert(m.Run.__table__),
        [{**shared, **told, "id": n, "capture_id": n, "test_case_id": c + 1, "host_id": h + 1} for n, h, c in places],
    )
    levels = 100 * np.exp(0.01 * rng.normal(size=(len(places), METRICS)))
    levels[: len(places) // 50] *= 1.05 if day % 10 == 9 else 1.0
    single = {"n": 1, "warmup": 0}
    rows = [
        {**single, "time_series_id": (h * cases + c) * METRICS + i + 1, "run_id": n, "values": levels[k, i : i + 1]}
        for k, (n, h, c) in enumerate(places) for i in range(METRICS)
    ]  # fmt: skip
    connection.execute(insert(m.Measurement.__table__), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=int, default=50_000)
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--nights", type=int, default=5)
    given = parser.parse_args()
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{Path(folder) / 'd.db'}", create=True)
        with writing(engine) as connection:
            cases = fixed(connection, given.series)
        for day in range(given.points):
            with writing(engine) as connection:
                night(connection, day, cases, rng)
        began = time.process_time(), time.perf_counter()
        done = sweep(engine, now=START + timedelta(days=given.points))
        print(f"first sweep: {done.judged} time series of {given.points} points, {_spent(began)}", flush=True)
        nights: list[float] = []
        for day in range(given.points, given.points + given.nights):
            with writing(engine) as connection:
                night(connection, day, cases, rng)
            began = time.process_time(), time.perf_counter()
            done = sweep(engine, now=START + timedelta(days=day + 1))
            nights.append(time.process_time() - began[0])
            print(f"night {day}: {done.judged} time series, one new point each, {_spent(began)}", flush=True)
    middle = float(np.median(nights))
    print(f"median {middle:.1f} s of one core (goal {GOAL_S:.0f} s): {'met' if middle <= GOAL_S else 'MISSED'};"
          f" load {os.getloadavg()[0]:.1f}")  # fmt: skip


def _spent(began: tuple[float, float]) -> str:
    return f"{time.process_time() - began[0]:.1f} s of one core, {time.perf_counter() - began[1]:.1f} s by the clock"


if __name__ == "__main__":
    main()
