"""How long change detection takes, beside Apache Otava on the same arrays in the same run.

Otava runs in a virtual environment of its own under a temporary directory (kept with --venv DIR), in a process that
answers one request at a time; requests to it and to kvmperf alternate, and medians of processor time are compared:
what else the machine does meanwhile is not what is asked.

    python benchmarks/detect_speed.py [--rounds 7] [--venv DIR]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from stats.changepoints import Detector, Progress, compiled, detect, detect_many

OTAVA = "apache-otava"
ROW = 9  # calls of one side in a row, the median counts: a lone call pays for what the other left in the caches
APPENDS = 100
GOALS = {"200 points": 50, "10,000 points": 10, "append at 200": 100, "append at 10,000": 100, "10,000 x 200": 50}
WORKER = """
import logging, sys, time
import numpy as np
from otava.series import Metric, Series
logging.disable(logging.CRITICAL)

def series(values):
    return Series("s", None, list(range(len(values))), {"m": Metric(1, 1.0)}, {"m": list(values)}, {})

known, ROW, APPENDS = None, *map(int, sys.argv[1:])
print("ready", flush=True)
for line in sys.stdin:
    task, path = line.split()
    arrays = np.load(path)
    took = []
    if task == "append":  # the first value of a new file starts the series
        if known is None or known[0] != path:
            known = [path, series(arrays[:-APPENDS]).analyze(), len(arrays) - APPENDS]
        values = arrays.tolist()
        for at in range(known[2], known[2] + ROW):
            started = time.process_time()
            known[1].append([at], {"m": [values[at]]}, {})
            took.append(time.process_time() - started)
        known[2] += ROW
    else:
        lists = [one.tolist() for one in np.atleast_2d(arrays)]
        for _ in range(ROW if len(lists) == 1 else 1):
            started = time.process_time()
            for one in lists:
                series(one).analyze()
            took.append(time.process_time() - started)
    print(float(np.median(took)), flush=True)
"""


class Otava:
    """A process with Otava in it, asked by lines."""

    def __init__(self, folder: Path) -> None:
        """Install Otava where it is not yet there, and start it."""
        python = folder / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        if subprocess.run([python, "-c", "import otava"], capture_output=True, check=False).returncode:
            print(f"installing {OTAVA} into {folder}", file=sys.stderr)
            subprocess.run([python, "-m", "pip", "install", "-q", OTAVA], check=True)
        self.process = subprocess.Popen(
            [python, "-c", WORKER, str(ROW), str(APPENDS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._line()

    def seconds(self, task: str, path: Path) -> float:
        """Return how long one task took, without the way to it."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{task} {path}\n")
        self.process.stdin.flush()
        return float(self._line())

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def draw(points: int, series: int = 1) -> np.ndarray:
    """Return positive noise with a step in the middle of every other series."""
    rng = np.random.default_rng(points)
    values = 100 * np.exp(0.01 * rng.normal(size=(series, points)))
    values[::2, points // 2 :] *= 1.05
    return values


def timed(function: Callable[[], object]) -> float:
    started = time.process_time()
    function()
    return time.process_time() - started


def against(otava: Otava, task: str, path: Path, ours: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the medians of both, taken in turns; as many calls a turn as Otava makes."""
    row = 1 if path.stem == "many" else ROW
    pairs = [(otava.seconds(task, path), np.median([timed(ours) for _ in range(row)])) for _ in range(rounds)]
    return float(np.median([theirs for theirs, _ in pairs])), float(np.median([mine for _, mine in pairs]))


def grown(values: np.ndarray) -> Callable[[], object]:
    """Return a function that appends the next value to a series that has all but the last ones."""
    detector, state = Detector(), Progress()
    for value in values[:-APPENDS]:
        state = detector.append(state, value)
    held = [state]
    rest = iter(values[-APPENDS:])

    def append() -> None:
        held[0] = detector.append(held[0], next(rest))
        detector.changes(held[0])

    return append


def rows(otava: Otava, folder: Path, rounds: int) -> list[tuple[str, float, float]]:
    """Return label, Otava's seconds and ours."""
    found = []
    for label, points in (("200 points", 200), ("10,000 points", 10_000)):
        values = draw(points)[0]
        np.save(folder / f"{points}.npy", values)
        few = max(rounds // 2, 3) if points > 1000 else 3 * rounds
        found.append((label, *against(otava, "detect", folder / f"{points}.npy", lambda v=values: detect(v), few)))
    for label, points in (("append at 200", 200), ("append at 10,000", 10_000)):
        values = draw(points + APPENDS)[0]
        np.save(folder / f"append{points}.npy", values)
        found.append((label, *against(otava, "append", folder / f"append{points}.npy", grown(values), APPENDS // ROW)))
    many = draw(200, 10_000)
    np.save(folder / "many.npy", many[:100])  # 100 of the 10,000: Otava takes half a minute for all
    series = list(many)
    theirs, ours = against(otava, "detect", folder / "many.npy", lambda: detect_many(series), 3)
    return [*found, ("10,000 x 200", 100 * theirs, ours)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--venv", type=Path, help="where Otava is or shall be installed")
    args = parser.parse_args()
    started = time.perf_counter()
    compiled.prepare()
    detect(draw(200)[0])
    grown(draw(APPENDS + 5)[0])()
    print(f"start of the compiled code (first time: compiling): {time.perf_counter() - started:.1f} s\n")
    with tempfile.TemporaryDirectory() as name:
        otava = Otava(args.venv or Path(name) / "otava")
        results = rows(otava, Path(name), args.rounds)
        otava.close()
    print(f"{'':20s}{'Otava':>12s}{'kvmperf':>12s}{'ratio':>8s}{'goal':>8s}")
    for label, theirs, ours in results:
        print(f"{label:20s}{1e3 * theirs:>9.2f} ms{1e3 * ours:>9.3f} ms{theirs / ours:>7.0f}x{GOALS[label]:>7d}x")
    print(f"\n{'points':>10s}{'ms':>10s}{'us a point':>12s}")
    for points in (100, 1_000, 10_000, 100_000):
        values = draw(points)[0]
        took = float(np.median([timed(lambda v=values: detect(v)) for _ in range(args.rounds)]))
        print(f"{points:>10,d}{1e3 * took:>10.2f}{1e6 * took / points:>12.2f}")
    missed = [label for label, theirs, ours in results if theirs / ours < GOALS[label]]
    print("\n" + (f"short of the goal: {', '.join(missed)}" if missed else "all goals are reached"))
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
