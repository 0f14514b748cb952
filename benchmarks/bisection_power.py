"""Noisy bisection against plain bisection: boots until the right patch of twelve is named. Prints a table.

Plain bisection halves and repeats each step until a t-test decides, as careful people do by hand: boots of the middle,
and of base and head as long as these have fewer, until Welch's test tells the middle from one of the two ends at 5 %
over the steps. Base and head keep their boots from step to step. Ours measures where most is learnt, and stops when one
patch holds 95 %.

    python benchmarks/bisection_power.py [--trials 200]
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from stats.bisection import Bisection, BootNoise, Change, Observation

PATCHES = 12
MOST_BOOTS = 400


@dataclass(frozen=True)
class Case:
    """A step of `effect` among the patches; `between` and `within` are standard deviations of logs, `df` of history."""

    name: str
    effect: float
    between: float
    within: float
    df: float
    mean: float  # of the expected change, with `sd`
    sd: float
    ends: int = 4  # boots of base and of head that the comparison left, which found the regression


CASES = (
    Case("step known to +-1 % from base..head", 0.05, 0.03, 0.0, 20, 0.05, 0.01),
    Case("step known to +-3 %", 0.05, 0.03, 0.0, 20, 0.05, 0.03),
    Case("size unknown", 0.05, 0.03, 0.0, 20, 0.0, 0.10),
    Case("noise from 4 df only", 0.05, 0.03, 0.0, 4, 0.05, 0.03),
    Case("noise half as large as believed", 0.05, 0.015, 0.0, 4, 0.05, 0.03),
    Case("noise half again as large", 0.05, 0.045, 0.0, 4, 0.05, 0.03),
    Case("nothing measured before", 0.05, 0.03, 0.0, 20, 0.05, 0.03, ends=0),
)
BELIEVED = 0.03
ALPHA = 0.02


def main() -> None:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    trials = parser.parse_args().trials
    print(f"one 5 % step among {PATCHES} patches, {trials} searches a row; boots: mean (90 % of searches below)")
    reached = True
    print(f"{'':36s}{'noisy bisection':>26s}{'plain bisection':>26s}{'boots':>8s}")
    for number, case in enumerate(CASES):
        ours = _searches(_noisy, case, trials, number)
        plain = _searches(_plain, case, trials, number)
        ratio = ours[1].mean() / plain[1].mean()
        print(f"{case.name:36s}{_told(*ours):>26s}{_told(*plain):>26s}{ratio:7.2f}x", flush=True)
        reached &= ours[0] >= 0.95 - 1.6 * math.sqrt(0.95 * 0.05 / trials) and ratio <= 0.5
    print(f"right in 95 % and with at most half the boots, everywhere: {'yes' if reached else 'no'}")


def _searches(search: Callable[..., tuple[int, int]], case: Case, trials: int, seed: int) -> tuple[float, np.ndarray]:
    right, boots = 0, np.zeros(trials)
    for trial in range(trials):
        rng = np.random.default_rng((seed, trial))
        truth = int(rng.integers(1, PATCHES + 1))
        found, boots[trial] = search(_Host(rng, case, truth), case)
        right += found == truth
    return right / trials, boots


class _Host:
    """Measures a revision in a fresh boot."""

    def __init__(self, rng: np.random.Generator, case: Case, truth: int) -> None:
        self.rng, self.case, self.truth = rng, case, truth
        self.ends = {end: [self.boot(end) for _ in range(case.ends)] for end in (0, PATCHES)}
        self.boots = 0

    def boot(self, revision: int) -> float:
        """Return the log of one boot's value."""
        self.boots = getattr(self, "boots", 0) + 1
        step = math.log1p(self.case.effect) * (revision >= self.truth)
        return float(step + self.rng.normal(0, self.case.between) + self.rng.normal(0, self.case.within))


def _noisy(host: _Host, case: Case) -> tuple[int, int]:
    state = Bisection.start(PATCHES, BootNoise(BELIEVED**2, 0.0, case.df), Change(case.mean, case.sd))
    before = [Observation(end, -1 - n, math.exp(value)) for end in host.ends for n, value in enumerate(host.ends[end])]
    state = state.observe([replace(one, boot=-1 - place) for place, one in enumerate(before)])
    while not state.is_decided and host.boots < MOST_BOOTS:
        revision = state.next_revision()
        state = state.observe([Observation(revision, host.boots, math.exp(host.boot(revision)))])
    return state.first_bad, host.boots


def _plain(host: _Host, _case: Case) -> tuple[int, int]:
    """Halve; each half is decided by a t-test of the middle against base and against head, which keep their boots."""
    good, bad = 0, PATCHES
    alpha = ALPHA / math.ceil(math.log2(PATCHES))
    ends = host.ends
    while bad - good > 1 and host.boots < MOST_BOOTS:
        middle = (good + bad) // 2
        if _is_bad(host, middle, ends, alpha):
            bad = middle
        else:
            good = middle
    return bad, host.boots


def _is_bad(host: _Host, middle: int, ends: dict[int, list[float]], alpha: float) -> bool:
    """Whether the middle differs from base rather than from head: measure on until one t-test says so."""
    seen: list[float] = []
    while host.boots < MOST_BOOTS:
        seen.append(host.boot(middle))
        for end, values in ends.items():
            if len(values) < len(seen):
                values.append(host.boot(end))
        if len(seen) < 3:
            continue
        from_base, from_head = (_p_value(seen, ends[end]) for end in (0, PATCHES))
        if min(from_base, from_head) < alpha:
            return from_base < from_head
    return False


def _p_value(one: list[float], other: list[float]) -> float:
    a, b = np.array(one), np.array(other)
    error = a.var(ddof=1) / a.size + b.var(ddof=1) / b.size
    df = error**2 / ((a.var(ddof=1) / a.size) ** 2 / (a.size - 1) + (b.var(ddof=1) / b.size) ** 2 / (b.size - 1))
    return float(2 * special.stdtr(df, -abs(a.mean() - b.mean()) / math.sqrt(error)))


def _told(right: float, boots: np.ndarray) -> str:
    return f"{100 * right:5.1f} % {boots.mean():5.1f} ({np.quantile(boots, 0.9):.0f})"


if __name__ == "__main__":
    main()
