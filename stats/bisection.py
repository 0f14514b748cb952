"""Noisy bisection: where between two revisions a metric changed, and which revision to measure next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stats.policy import FloatArray

DECIDED = 0.95


@dataclass(frozen=True, slots=True)
class BootNoise:
    """What is known of a metric's noise: variances of logs between boots and between runs of one boot.

    `df` are the degrees of freedom behind them (few: heavy tails). From `stats.variance` or a host's history.
    """

    between: float
    within: float
    df: float = 4.0


@dataclass(frozen=True, slots=True)
class Change:
    """What is expected of the change: log(after / before) is normal with this mean and standard deviation."""

    mean: float = 0.0
    sd: float = 0.1


@dataclass(frozen=True, slots=True)
class Observation:
    """One run: the revision's place 0 … M, a boot code (equal codes share the boot's level), a positive value."""

    revision: int
    boot: int
    value: float


@dataclass(frozen=True, slots=True)
class Bisection:
    """Places 0 (good) … M (bad); the first bad one is k in 1 … M with probability `prior[k - 1]`, or none of them.

    Immutable: `observe` returns the next state. The prior need not sum to 1; what `none` holds is the prior that the
    metric does not differ between 0 and M at all.
    """

    prior: tuple[float, ...]
    noise: BootNoise
    change: Change = Change()
    none: float = 0.0
    observations: tuple[Observation, ...] = ()

    @staticmethod
    def start(last: int, noise: BootNoise, change: Change = Change(), none: float = 0.0) -> "Bisection":
        """Return a bisection over places 0 … last, each of 1 … last equally likely to be the first bad one."""
        return Bisection((1.0,) * last, noise, change, none)

    @property
    def last(self) -> int:
        """The place M of the bad end."""
        return len(self.prior)

    def observe(self, observations: Sequence[Observation]) -> "Bisection":
        """Return the bisection with more runs known."""
        return replace(self, observations=(*self.observations, *observations))

    def posterior(self) -> FloatArray:
        """Return the probabilities [M + 1]: at 0 that nothing changed, at k that k is the first bad place."""
        raise NotImplementedError

    def bad(self, revision: int) -> float:
        """Return the probability that this place is bad: for `git bisect run`, which asks commit by commit."""
        raise NotImplementedError

    def next_revision(self, boot: int | None = None) -> int:
        """Return the place where one more run tells most: in a fresh boot, or in the boot with this code."""
        raise NotImplementedError

    @property
    def is_decided(self) -> bool:
        """Whether one place (or "nothing changed") holds 95 %."""
        return bool(self.posterior().max() >= DECIDED)

    @property
    def first_bad(self) -> int:
        """The most probable first bad place; 0 for "nothing changed"."""
        return int(self.posterior().argmax())
