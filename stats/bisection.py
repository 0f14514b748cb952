"""Noisy bisection: where between two revisions a metric changed, and which revision to measure next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from stats.policy import FloatArray, IntArray

DECIDED = 0.95
NODES = 9  # of the unknown noise
GRID = 121  # of a predicted value
WIDE = 3.0  # prior standard deviation of the common level (log) from the middle of the values
OUTLIER = 4.0  # standard deviations of a run from the median of its boot, further out it is pulled in


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

    Immutable: `observe` returns the next state. The prior need not sum to 1; `none` is the prior probability that the
    metric does not differ between 0 and M at all.
    """

    prior: tuple[float, ...]
    noise: BootNoise
    change: Change = Change()
    none: float = 0.0
    observations: tuple[Observation, ...] = ()

    def __post_init__(self) -> None:
        """Refuse places outside 0 … M, values that are not positive, and noise that is not known."""
        if not self.prior or min(self.prior) < 0 or sum(self.prior) <= 0 or not 0 <= self.none < 1:
            raise ValueError("a bisection needs a prior over one place at least, and `none` in [0, 1)")
        if self.noise.within < 0 or self.noise.between < 0 or self.noise.within + self.noise.between <= 0:
            raise ValueError("the noise of a bisection must be known and not zero")
        for one in self.observations:
            if not 0 <= one.revision <= self.last or not 0 < one.value < np.inf:
                raise ValueError(f"{one}: places lie in 0 … {self.last} and values are positive numbers")

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
        return np.asarray(_known(self).weights.sum(axis=1), dtype=np.float64)

    def bad(self, revision: int) -> float:
        """Return the probability that this place is bad: for `git bisect run`, which asks commit by commit."""
        return float(self.posterior()[1 : revision + 1].sum())

    def next_revision(self, boot: int | None = None) -> int:
        """Return the place where one more run tells most about the first bad place.

        In a fresh boot, or in the boot with this code. The bad end first of all, then the good end, where nothing
        was measured yet: without them the size of the change is a guess.
        """
        measured = {one.revision for one in self.observations}
        for end in (self.last, 0):
            if end not in measured:
                return end
        return int(np.argmax(_information(_known(self), self, boot)))

    @property
    def is_decided(self) -> bool:
        """Whether one place (or "nothing changed") holds 95 %."""
        return bool(self.posterior().max() >= DECIDED)

    @property
    def first_bad(self) -> int:
        """The most probable first bad place; 0 for "nothing changed"."""
        return int(self.posterior().argmax())


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """Joint posterior `weights` [places, nodes] of the first bad place and the noise factor, and the rest given both.

    Level and change are normal with `mean` [places, nodes, 2] and `cover` [places, nodes, 2, 2]. `columns` [places,
    n, 2] says which runs have the change under each place, `inverse` [n, n] the inverse noise covariance at factor 1.
    """

    weights: FloatArray
    factors: FloatArray
    mean: FloatArray
    cover: FloatArray
    columns: FloatArray
    inverse: FloatArray
    logs: FloatArray
    boots: IntArray


def _known(state: Bisection) -> _Known:
    """Return the posterior of everything: normal in level and change, summed over places and noise factors.

    The factor of the noise variance has the scaled inverse chi-square prior that `noise.df` degrees of freedom leave,
    so that a predicted value has Student's t. Boots are random: runs of one boot share its level.
    """
    factors = _factors(state.noise.df)
    logs, revision, boots = _columns(state)
    first = np.arange(state.last + 1)[:, None]
    bad = (revision >= first) & (first > 0)
    columns = np.stack([np.ones(bad.shape), bad.astype(np.float64)], axis=2)
    noise = state.noise.between * (boots[:, None] == boots) + state.noise.within * np.eye(logs.size)
    inverse = np.linalg.inv(noise) if logs.size else np.zeros((0, 0))
    weighed = columns.transpose(0, 2, 1) @ inverse  # [places, 2, n]
    centre = float(np.median(logs)) if logs.size else 0.0
    expected, prior = np.array([centre, state.change.mean]), np.diag([1 / WIDE**2, 1 / state.change.sd**2])
    precision = prior + (weighed @ columns)[:, None] / factors[:, None, None]
    shifted = logs - columns @ expected  # [places, n], from what was expected
    pull = (weighed @ shifted[..., None])[..., 0][:, None] / factors[:, None]
    cover = np.linalg.inv(precision)
    step = (cover @ pull[..., None])[..., 0]
    squares = ((shifted @ inverse) * shifted).sum(axis=1)
    found = 0.5 * ((pull * step).sum(axis=-1) - squares[:, None] / factors - logs.size * np.log(factors))
    found -= 0.5 * np.linalg.slogdet(precision)[1]
    place = np.concatenate([[state.none], np.array(state.prior) / sum(state.prior) * (1 - state.none)])
    with np.errstate(divide="ignore"):
        found = found + np.log(place)[:, None]
    weights = np.exp(found - found.max())
    mean = np.asarray(expected + step, dtype=np.float64)
    return _Known(weights / weights.sum(), factors, mean, np.asarray(cover), columns, inverse, logs, boots)


def _factors(df: float) -> FloatArray:
    """Return equally probable factors of the noise variance that `df` degrees of freedom leave possible."""
    return np.asarray(df / special.chdtri(df, (np.arange(NODES) + 0.5) / NODES), dtype=np.float64)


def _columns(state: Bisection) -> tuple[FloatArray, IntArray, IntArray]:
    """Return the logs, places and boots of all runs; outliers among repeats of a place in a boot are pulled in."""
    logs = np.log([one.value for one in state.observations])
    revision = np.array([one.revision for one in state.observations], dtype=np.int64)
    boots = np.array([one.boot for one in state.observations], dtype=np.int64)
    bound = OUTLIER * float(np.sqrt(state.noise.within))
    for cell in {(one.revision, one.boot) for one in state.observations}:
        mine = (revision == cell[0]) & (boots == cell[1])
        if mine.sum() >= 3:
            centre = float(np.median(logs[mine]))
            logs[mine] = np.clip(logs[mine], centre - bound, centre + bound)
    return logs, revision, boots


def _information(known: _Known, state: Bisection, boot: int | None) -> FloatArray:
    """Return, per place, what one run there is expected to tell about the first bad place (mutual information)."""
    share = (known.boots == boot).astype(np.float64) * state.noise.between if boot is not None else 0 * known.logs
    pull = known.inverse @ share
    rest = state.noise.between + state.noise.within - float(share @ pull)
    residual = known.logs - (known.mean @ known.columns.transpose(0, 2, 1))  # [places, nodes, n]
    seen = residual @ pull
    towards = known.columns.transpose(0, 2, 1) @ pull  # [places, 2]
    place = known.weights.sum(axis=1)
    node = known.weights / np.maximum(place, 1e-300)[:, None]
    first = np.arange(state.last + 1)
    told = np.zeros(state.last + 1)
    for revision in range(state.last + 1):
        x = np.stack([np.ones(first.size), ((revision >= first) & (first > 0)).astype(np.float64)], axis=1)
        away = x - towards
        mean = (known.mean * x[:, None]).sum(axis=-1) + seen
        spread = np.einsum("pi,pnij,pj->pn", away, known.cover, away)
        told[revision] = _mutual(mean, np.sqrt(known.factors * rest + spread), node, place)
    return told


def _mutual(mean: FloatArray, sd: FloatArray, node: FloatArray, place: FloatArray) -> float:
    """Return the mutual information between the place and a value that is a mixture of normals under each place."""
    joint = node * place[:, None]
    centre = float((joint * mean).sum())
    width = float(np.sqrt((joint * ((mean - centre) ** 2 + sd**2)).sum()))
    values = centre + width * np.linspace(-4, 4, GRID)
    density = node[..., None] * np.exp(-0.5 * ((values - mean[..., None]) / sd[..., None]) ** 2) / sd[..., None]
    each = density.sum(axis=1)  # [places, grid]
    total = place @ each
    ratio = np.log(np.maximum(each, 1e-300) / np.maximum(total, 1e-300))
    return float((place[:, None] * each * ratio).sum() * (values[1] - values[0]))
