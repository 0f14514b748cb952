"""How fast outputs become stored measurements: parsing and storing apart, and together.

    python benchmarks/ingest_speed.py [--runs 5]

One process, one core's worth of work. Rates are medians over interleaved repetitions, in samples (single values) per
second of processor time and of wall time. "bulk" is a run of 20 metrics x 5 iterations, the shape that the storage
target is stated for; "real" are the demo outputs of the KVM selftests, each under its own start time.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from db.engine import connect, writing  # noqa: E402
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts  # noqa: E402
from db.writes import Writer  # noqa: E402
from ingest.captures import capture  # noqa: E402
from ingest.outputs import Captured, find_outputs, read_output  # noqa: E402
from ingest.records import Output  # noqa: E402

TARGET = 100_000
START = datetime(2026, 1, 1, tzinfo=UTC)
CONTEXT = CaptureContext("bench", RevisionFacts(label="speed"), "boot")


def bulk(count: int) -> list[NewCapture]:
    """Captures as a parser hands them over: one run each, 20 metrics x 5 iterations, a text of 4 KB."""
    random = np.random.default_rng(1)
    values = random.normal(1, 0.1, (count, 20, 5))
    text = b"".join(b"Iteration %d dirty memory time: %.9fs\n" % (i, x) for i, x in enumerate(random.random(85)))
    return [
        NewCapture(
            f"{number}.out",
            {"stdout": text + str(number).encode()},
            "./prog",
            0,
            START + timedelta(seconds=number),
            START + timedelta(seconds=number + 1),
            (
                NewRun(
                    "suite/prog",
                    {"vcpus": number % 8},
                    "pass",
                    "prog",
                    1,
                    tuple(NewMeasurement(f"metric{m}", "s", "lower", values[number, m]) for m in range(20)),
                ),
            ),
        )
        for number in range(count)
    ]


def real(times: int) -> list[Captured]:
    """The demo outputs, over and over, each with a start time of its own."""
    found = [read_output(one) for one in find_outputs(ROOT / "fixtures" / "demo" / "eager-split")]
    shifted = []
    for number in range(times):
        for one in found:
            began = (one.output.started_at or 0.0) + 1000.0 * number
            output = replace(one.output, started_at=began, ended_at=began + 1)
            shifted.append(replace(one, output=output))
    return shifted


def samples(captures: list[NewCapture]) -> int:
    return sum(m.values.size for one in captures for run in one.runs for m in run.measurements)


def store(captures: list[NewCapture], folder: Path) -> int:
    """Store into a fresh file, committed; its size in bytes."""
    path = folder / f"{time.monotonic_ns()}.db"
    with writing(connect(f"sqlite:///{path}", create=True)) as connection:
        for _ in Writer(connection).store_all((CONTEXT, one) for one in captures):
            pass
    size = path.stat().st_size
    path.unlink()
    return size


def timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def row(name: str, count: int, times: list[tuple[float, float]]) -> float:
    wall, processor = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{name:<34} {count:>9,} {count / wall:>12,.0f} {count / processor:>12,.0f}")
    return count / processor


def speed(runs: int) -> None:
    outputs = real(12)
    parsed = [capture(one) for one in outputs]
    made = bulk(3000)
    counts = {"bulk": samples(made), "real": samples(parsed)}
    times: dict[str, list[tuple[float, float]]] = {"parse": [], "bulk": [], "real": [], "both": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        store(made[:100], folder)  # imports and caches
        for _ in range(runs):
            times["parse"].append(timed(lambda: [capture(one) for one in outputs]))
            times["bulk"].append(timed(lambda: store(made, folder)))
            times["real"].append(timed(lambda: store(parsed, folder)))
            times["both"].append(timed(lambda: store([capture(one) for one in outputs], folder)))
    print(f"{'':<34} {'samples':>9} {'/s wall':>12} {'/s processor':>12}")
    row("parse real outputs", counts["real"], times["parse"])
    rate = row("store bulk (100 samples a run)", counts["bulk"], times["bulk"])
    row(f"store real ({counts['real'] // len(parsed)} samples a run)", counts["real"], times["real"])
    row("parse and store real", counts["real"], times["both"])
    long = [_long(number) for number in range(100)]
    row(
        "parse long outputs (452 samples)",
        samples([capture(one) for one in long]),
        [timed(lambda: [capture(one) for one in long]) for _ in range(runs)],
    )
    word = "reached" if rate >= TARGET else "missed"
    print(f"Storing {rate:,.0f} samples/s of processor time: the target of {TARGET:,} is {word}.")


ROUNDS = 150


def dirty_log(number: int) -> bytes:
    """What dirty_log_perf_test prints in many rounds: 16 KB."""
    lines = ["Populate memory time: 0.100000000s", "Enabling dirty logging time: 0.000010000s", ""]
    whats = ("dirty memory", "get dirty log", "clear dirty log")
    rounds = range(1, ROUNDS + 1)
    lines += [f"Iteration {i} {what} time: 0.{number % 1000:03d}{i:06d}s" for i in rounds for what in whats]
    return "\n".join([f"Test iterations: {ROUNDS}, interval: 10 (ms)", *lines, ""]).encode()


def _long(number: int) -> Captured:
    text = dirty_log(number)
    output = Output(
        text.decode(), "x.out", f"./dirty_log_perf_test -v 1 -i {ROUNDS}", 0, 1e9 + number, 1e9 + number + 1
    )
    return Captured(output, text, b"", "x.out")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    speed(parser.parse_args().runs)
