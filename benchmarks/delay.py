"""How many points after a step it is reported, and how often something was reported before. Prints a table.

Series grow point by point, as nightly runs do; every report on the way counts. Noise is log-normal with 1 % spread,
the step comes after 60 points. "false" are runs in which any change was reported before the step.

    python benchmarks/delay.py [--runs 300]
"""

import argparse
import math
import sys

import numpy as np

from stats.changepoints import Detector, Progress, compiled

BEFORE, AFTER, SPREAD, NEAR = 60, 30, 0.01, 5
GOALS = {3: 5, 5: 3, 10: 2}
MOST_FALSE = 0.03


def watch(values: np.ndarray) -> tuple[int, bool]:
    """Return the points after the step until it was reported, and whether anything was reported before it came."""
    detector, state, early = Detector(), Progress(), False
    for n, value in enumerate(values, start=1):
        state = detector.append(state, value)
        places = [change.index for change in detector.changes(state).changes]
        if n <= BEFORE:
            early = early or bool(places)
        elif any(abs(place - BEFORE) <= NEAR for place in places):
            return n - BEFORE, early
    return AFTER + 1, early


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300)
    runs = parser.parse_args().runs
    compiled.prepare()
    reached = True
    print(f"{'step':>6s}{'median':>8s}{'goal':>6s}{'90 %':>6s}{'missed':>8s}{'false':>8s}   of {runs} runs")
    for height, goal in GOALS.items():
        rng = np.random.default_rng(height)
        seen = []
        for _ in range(runs):
            values = np.exp(SPREAD * rng.normal(size=BEFORE + AFTER))
            values[BEFORE:] *= math.exp(SPREAD * height * rng.choice([-1, 1]))
            seen.append(watch(values))
        delays = np.array([delay for delay, _ in seen])
        false = float(np.mean([early for _, early in seen]))
        reached &= bool(np.median(delays) <= goal) and false <= MOST_FALSE
        missed = float(np.mean(delays > AFTER))
        print(
            f"{height:>3d} sd{np.median(delays):>8.0f}{goal:>6d}{np.quantile(delays, 0.9):>6.0f}"
            f"{missed:>8.1%}{false:>8.1%}"
        )
    print("all goals are reached" if reached else "short of the goal")
    return not reached


if __name__ == "__main__":
    sys.exit(main())
