"""Posterior over which patches changed a metric: sets of patches weighed by how well they explain the levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import special

from stats.policy import FloatArray, IntArray

# Scales of a true change (log): small, usual, large. Each metric draws one for all its patches.
CHANGES = (0.03, 0.12, 0.5)
# A patch that "does nothing" may still move a metric by so much, as a share of the margin (code alignment).
NOTHING = 0.2
MOST_SETS = 1200  # sets of patches that are weighed; up to ten patches these are all
BEAM = 12  # best sets whose neighbours are looked at when there are too many
NEGLIGIBLE = 1e-7  # of the best set's evidence; such sets cost time and change nothing
CHI_NODES = 12
TOGETHER = 64  # sets weighed in one call: one by one, calling cost more than weighing

_Set = tuple[int, ...]  # places 0 … M-1 of patches, ascending


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What speaks for each set of patches of one metric, before it is said how rare changes are.

    `sets` are the places 0 … M-1 in each, `size` [sets] how many, `evidence` [sets] the likelihood over that of the
    best set, `beyond` [sets, M] the probability that each patch changed the metric beyond the margin under that set,
    `nothing` [sets] that none did.
    """

    sets: tuple[_Set, ...]
    size: IntArray
    evidence: FloatArray
    beyond: FloatArray
    nothing: FloatArray

    def weights(self, none: float) -> FloatArray:
        """Return the posterior of each set, where no patch changes a metric with prior probability `none`."""
        patches = self.beyond.shape[1]
        inclusion = 1 - none ** (1 / max(patches, 1))
        logs = self.size * np.log(inclusion) + (patches - self.size) * np.log1p(-inclusion)
        joint = self.evidence * np.exp(logs - logs.max())
        return np.asarray(joint / joint.sum(), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """What was measured: contrasts of the states against the first measured one, and what is believed of their noise.

    `change` [m-1] on the analysis scale, `noise` and `fixed` [m-1, m-1] covariances (the first is known up to a
    factor: `factors` with `weights`), `member` [m-1, M] says which patches lie between the first state and each.
    """

    change: FloatArray
    noise: FloatArray
    fixed: FloatArray
    factors: FloatArray
    weights: FloatArray
    member: FloatArray


def believe(levels: Levels, *, margin: float) -> Belief:
    """Return what speaks for which culprits.

    Spike and slab: George and McCulloch 1993, doi 10.1080/01621459.1993.10476353. All sets of patches are weighed
    where there are few enough, else the neighbourhood of the best ones; the noise is integrated over numerically.
    """
    patches = levels.member.shape[1]
    weigher = _Weigher(levels, margin * NOTHING)
    scores = _all_sets(weigher, patches) if 2**patches <= MOST_SETS else _search(weigher, patches)
    best = max(float(score.max()) for score in scores.values())
    kept = [chosen for chosen, score in scores.items() if score.max() > best + np.log(NEGLIGIBLE)]
    share = np.exp(np.stack([scores[chosen] for chosen in kept]) - best)  # [sets, scales, factors]
    evidence = share.sum(axis=(1, 2))
    share /= np.maximum(evidence, 1e-300)[:, None, None]
    beyond, nothing = np.empty((len(kept), patches)), np.empty(len(kept))
    for part in _parts(len(kept)):
        each = weigher.beyond(kept[part], margin)  # [sets, scales, factors, patches]
        beyond[part] = np.einsum("nsf,nsfk->nk", share[part], each)
        nothing[part] = (share[part] * np.prod(1 - each, axis=3)).sum(axis=(1, 2))
    return Belief(tuple(kept), np.array([len(chosen) for chosen in kept]), evidence, beyond, nothing)


class _Weigher:
    """Weighs sets of patches: the log probability of the levels under a set, per scale of change and noise factor."""

    def __init__(self, levels: Levels, nothing: float) -> None:
        self.levels = levels
        self.nothing = nothing
        self.noise = levels.factors[:, None, None] * levels.noise + levels.fixed

    def scores(self, sets: Sequence[_Set]) -> "_Scores":
        """Return the log likelihood [scales, factors] of each set, with the weights of scales and factors."""
        found: _Scores = {}
        for part in _parts(len(sets)):
            found |= zip(sets[part], self._scores(sets[part]), strict=True)
        return found

    def beyond(self, sets: Sequence[_Set], margin: float) -> FloatArray:
        """Return the probability [sets, scales, factors, M] that each patch's change is larger than the margin."""
        member, variance = self.levels.member, self._variances(sets)
        gain = variance[:, :, None, :, None] * (member.T @ np.linalg.inv(self._covariances(variance)))
        mean = gain @ self.levels.change
        rest = variance[:, :, None] * (1 - np.einsum("nsfkm,mk->nsfk", gain, member))
        sd = np.sqrt(np.maximum(rest, 1e-18))
        up, down = np.log1p(margin), np.log1p(-margin)
        found: FloatArray = special.ndtr((mean - up) / sd) + special.ndtr((down - mean) / sd)
        return found

    def _scores(self, sets: Sequence[_Set]) -> FloatArray:
        cover = self._covariances(self._variances(sets))
        root = np.linalg.cholesky(cover)
        z = np.linalg.solve(root, np.broadcast_to(self.levels.change[:, None], (*cover.shape[:-1], 1)))[..., 0]
        logs = -0.5 * (z**2).sum(axis=-1) - np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
        with np.errstate(divide="ignore"):
            found: FloatArray = logs - np.log(len(CHANGES)) + np.log(self.levels.weights)
        return found

    def _variances(self, sets: Sequence[_Set]) -> FloatArray:
        """Return the variance [sets, scales, M] of each patch's change."""
        variance = np.full((len(sets), len(CHANGES), self.levels.member.shape[1]), self.nothing**2)
        for place, chosen in enumerate(sets):
            variance[place][:, list(chosen)] = np.array(CHANGES)[:, None] ** 2
        return variance

    def _covariances(self, variance: FloatArray) -> FloatArray:
        """Return the covariance [sets, scales, factors, m-1, m-1] of the levels."""
        member = self.levels.member
        signal = (member * variance[:, :, None, :]) @ member.T
        found: FloatArray = signal[:, :, None] + self.noise
        return found


def _parts(count: int) -> list[slice]:
    """So many sets at a time that their matrices fit in the processor's cache, more or less."""
    return [slice(start, min(start + TOGETHER, count)) for start in range(0, count, TOGETHER)]


_Scores = dict[_Set, FloatArray]


def _all_sets(weigher: _Weigher, patches: int) -> _Scores:
    return weigher.scores([chosen for size in range(patches + 1) for chosen in combinations(range(patches), size)])


def _search(weigher: _Weigher, patches: int) -> _Scores:
    """Return the scores of the best sets and their neighbours (one patch more, less, or one moved), from none on."""
    scores = weigher.scores([()])
    looked: set[_Set] = set()
    while len(scores) < MOST_SETS:
        best = sorted(scores, key=lambda chosen: -float(scores[chosen].max()))[:BEAM]
        fresh = [chosen for chosen in best if chosen not in looked]
        if not fresh:
            break
        looked.add(fresh[0])
        unknown = dict.fromkeys(one for one in _neighbours(fresh[0], patches) if one not in scores)
        scores |= weigher.scores(list(unknown))
    return scores


def _neighbours(chosen: _Set, patches: int) -> list[_Set]:
    more = [tuple(sorted({*chosen, k})) for k in range(patches) if k not in chosen]
    less = [tuple(k for k in chosen if k != gone) for gone in chosen]
    moved = [
        tuple(sorted({k + step if k == one else k for k in chosen}))
        for one in chosen
        for step in (-1, 1)
        if 0 <= one + step < patches and one + step not in chosen
    ]
    return [*more, *less, *moved]


def spread_factors(nodes: FloatArray, weights: FloatArray, flat: float, df: float) -> tuple[FloatArray, FloatArray]:
    """Return a few factors of the estimated variance with weights: a moderated posterior and, with `flat`, chi-square.

    `nodes` are standard deviations over the estimated one. Nodes are merged into tenths of the weight.
    """
    mass = float(weights.sum())
    parts, shares = [], []
    if mass > 0:
        order = np.argsort(nodes)
        place = np.minimum((np.cumsum(weights[order]) / mass * 10 - 1e-9).astype(np.int64), 9)
        share = np.bincount(place, weights[order], 10)
        logs = np.bincount(place, weights[order] * np.log(nodes[order]), 10)
        used = share > 0
        parts.append(np.exp(2 * logs[used] / share[used]))
        shares.append(share[used])
    if flat > 0:
        quantiles = (np.arange(CHI_NODES) + 0.5) / CHI_NODES
        parts.append(df / special.chdtri(df, quantiles))
        shares.append(np.full(CHI_NODES, flat / CHI_NODES))
    return np.concatenate(parts), np.concatenate(shares)
