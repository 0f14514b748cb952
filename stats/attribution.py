"""Which patch did it: effects of the patches 1 … M of a series on a metric, from measurements after each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stats.policy import FloatArray, IntArray, Policy


@dataclass(frozen=True, slots=True, eq=False)
class StateSamples:
    """One metric: one row per value (an iteration of a run), rows in any order, states missing or unequal as they are.

    `state` is 0 for the base and k for the tree after patch k. `boot` is a code: states with the same code were
    measured in the same boot (-1: unknown). `run` is unique in the table. `start` is in seconds, NaN where unknown.
    """

    state: IntArray
    boot: IntArray
    run: IntArray
    value: FloatArray
    start: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse columns that differ in length, negative states, and values that are not numbers."""
        columns = (self.state, self.boot, self.run, self.value, *(() if self.start is None else (self.start,)))
        if any(column.shape != (self.value.size,) for column in columns):
            raise ValueError("the columns of samples must be one-dimensional and of one length")
        if (self.state < 0).any():
            raise ValueError("state must be 0 (base) or k (after patch k)")
        if not np.isfinite(self.value).all():
            raise ValueError("values must be finite numbers, missing is never zero")


@dataclass(frozen=True, slots=True)
class PatchEffect:
    """What patch k did. Effects are ratios - 1, intervals at the policy's confidence; None where not measured.

    `effect` is against the measured state before, `since` (k - 1 unless that state is missing), `cumulative` against
    the base. `posterior` is the probability that patch k changed the metric by more than the margin.
    """

    k: int
    effect: float | None
    ci: tuple[float, float] | None
    cumulative: float | None
    cumulative_ci: tuple[float, float] | None
    posterior: float
    since: int


@dataclass(frozen=True, slots=True)
class Attribution:
    """The answer for one metric: the patches 1 … M in order, and the ones that did it.

    `culprits` are patches with a posterior of 95 % or more. Where a change is certain but not its place, `suspects` is
    the smallest set of patches that holds it with 95 %; empty otherwise. `none` is the posterior that no patch
    changed the metric by more than the margin. `why` is one sentence with numbers.
    """

    patches: tuple[PatchEffect, ...]
    culprits: tuple[int, ...]
    suspects: tuple[int, ...]
    none: float
    why: str
    warnings: tuple[str, ...] = ()


def attribute(samples: StateSamples, *, states: int, policy: Policy | None = None) -> Attribution:
    """Return what each of the patches 1 … states-1 did to one metric; see `attribute_many`."""
    return attribute_many((samples,), states=states, policy=policy)[0]


def attribute_many(
    samples: Sequence[StateSamples], *, states: int, policy: Policy | None = None
) -> tuple[Attribution, ...]:
    """Return one attribution per metric, in order, for states 0 … states-1.

    The metrics are one family: they lend each other what they know about noise, and a patch is named at a posterior
    of 95 %, so that at most 5 % of all names are expected to be wrong.
    """
    raise NotImplementedError
