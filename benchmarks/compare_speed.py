"""How long a comparison takes: metrics x 2 sides x 5 boots x 5 runs x 5 iterations, beside SciPy metric by metric.

usage: python benchmarks/compare_speed.py [--rounds 3]
"""

import argparse
import subprocess
import sys
import time
from functools import partial

import numpy as np
import scipy.stats as sps

from stats.compare import Policy, Samples, Verdict, compare
from stats.policy import FloatArray

SIZES = (100, 1_000, 10_000)
GOAL_S = 1.0  # for the largest size
SHIFT = 0.05  # of one metric in twenty


def draw(metrics: int) -> tuple[FloatArray, Samples]:
    """Return logs[metric, side, boot, run, iteration] and the same as samples."""
    rng = np.random.default_rng(1)
    shape = (metrics, 2, 5, 5, 5)
    logs = (
        rng.normal(0, 0.01, shape) + rng.normal(0, 0.01, shape[:4])[..., None] + rng.normal(0, 2, (metrics, 1, 1, 1, 1))
    )
    logs += rng.normal(0, 0.01, shape[:3])[..., None, None]
    logs[::20, 1] += SHIFT
    metric, side, boot, run, _ = np.indices(shape).reshape(5, -1)
    boot += 5 * side
    return logs, Samples(metric, side, boot, boot * 5 + run, np.exp(logs).ravel())


def best_of(rounds: int, call, clock=time.perf_counter) -> float:  # noqa: ANN001  callables without arguments
    times = []
    for _ in range(rounds):
        begin = clock()
        call()
        times.append(clock() - begin)
    return min(times)


def one_by_one(logs: FloatArray) -> None:
    """Judge as a script would: a Welch test on boot means per metric."""
    for one in logs:
        sps.ttest_ind(one[1].mean(axis=(1, 2)), one[0].mean(axis=(1, 2)), equal_var=False)


def start_up() -> float:
    command = [sys.executable, "-c", "import stats.compare"]
    bare = [sys.executable, "-c", "import numpy"]
    return best_of(3, lambda: subprocess.run(command, check=True)) - best_of(
        3, lambda: subprocess.run(bare, check=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print(
        f"{'metrics':>8} {'values':>10} {'wall s':>7} {'CPU s':>7} {'us each':>8} {'SciPy s':>8}"
        f" {'found':>7} {'false':>6}"
    )
    seconds = {}
    for metrics in SIZES:
        logs, samples = draw(metrics)
        better = np.full(metrics, -1)
        answers = compare(samples, metrics=metrics, better=better, policy=Policy())
        once = partial(compare, samples, metrics=metrics, better=better, policy=Policy())
        seconds[metrics], wall = best_of(rounds, once, time.process_time), best_of(rounds, once)
        loop = best_of(1, partial(one_by_one, logs), time.process_time)
        flagged = np.array([a.verdict in {Verdict.REGRESSION, Verdict.IMPROVEMENT} for a in answers])
        false = int(flagged.sum() - flagged[::20].sum())
        print(
            f"{metrics:8d} {samples.value.size:10d} {wall:7.3f} {seconds[metrics]:7.3f}"
            f" {1e6 * seconds[metrics] / metrics:8.1f} {loop:8.3f} {flagged[::20].mean():7.0%} {false:6d}"
        )
    print(f"start-up beyond NumPy: {start_up():.2f} s")
    largest = SIZES[-1]
    verdict = "meets" if seconds[largest] <= GOAL_S else "MISSES"
    print(f"conclusion: {largest} metrics in {seconds[largest]:.2f} CPU s {verdict} the goal of {GOAL_S:g} s")


if __name__ == "__main__":
    main()
