"""Which patch did it: effects of the patches 1 … M of a series on a metric, from measurements after each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from stats import noise
from stats.culprits import Belief, Levels, believe, spread_factors
from stats.effects import LARGEST
from stats.policy import FloatArray, Policy
from stats.statefit import LEAST_SPREAD, Fit, StateSamples, fit_all

__all__ = ["Attribution", "PatchEffect", "StateSamples", "attribute", "attribute_many"]

NAMED = 0.95  # posterior at which a patch is named
# Prior that no patch of a series changes a metric; with many metrics it is learnt from them, between these limits.
NONE, LEAST_NONE, MOST_NONE = 0.5, 0.5, 0.95
FAMILY = 5  # metrics from which on they say how rare changes are
EXACT = "not judged by statistics: values are constant in every state"


@dataclass(frozen=True, slots=True)
class PatchEffect:
    """What patch k did. Effects are ratios - 1, intervals at the policy's confidence; None where not measured.

    `effect` is against the measured state before, `since` (k - 1 unless that state is missing), `cumulative` against
    the base. `posterior` is the probability that patch k changed the metric by more than the margin; None where
    nothing is known of the noise.
    """

    k: int
    effect: float | None
    ci: tuple[float, float] | None
    cumulative: float | None
    cumulative_ci: tuple[float, float] | None
    posterior: float | None
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
    none: float | None
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
    policy = policy or Policy()
    if states < 2 or any((one.state >= states).any() for one in samples):
        raise ValueError(f"states must lie in 0 … {states - 1}, and a series has a base and one patch at least")
    fits = fit_all(samples)
    known = _noise(fits)
    margins = np.broadcast_to(np.asarray(policy.margin, dtype=np.float64), (len(fits),))
    levels = [_levels(fit, spread, states) for fit, spread in zip(fits, known, strict=True)]
    believed, none = _believe(levels, margins)
    found = []
    for fit, spread, belief, margin in zip(fits, known, believed, margins.tolist(), strict=True):
        patches = _effects(fit, spread, policy.confidence, states)
        found.append(_exact(patches, margin, fit) if fit.constant else _answer(patches, fit, belief, none))
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Spread:
    """What is believed of the noise: factors of the estimated variance, with weights."""

    factors: FloatArray
    weights: FloatArray


def _noise(fits: Sequence[Fit]) -> list[_Spread | None]:
    """Return what is believed of each metric's noise, each lending the others what it knows; None: nothing is known."""
    spread, df = np.array([fit.spread for fit in fits]), np.array([fit.df for fit in fits])
    usable = np.flatnonzero((df > 0) & (spread > 100 * LEAST_SPREAD) & [not fit.constant for fit in fits])
    found: list[_Spread | None] = [
        _Spread(*spread_factors(np.ones(0), np.ones(0), 1.0, fit.df)) if fit.df > 0 else None for fit in fits
    ]
    if usable.size:
        nothing = np.full((usable.size, 1), np.nan)
        belief = noise.moderate(spread[usable], df[usable], np.ones(usable.size), nothing)
        for row, m in enumerate(usable):
            nodes = belief.nodes[row] / np.sqrt(spread[m])
            found[m] = _Spread(*spread_factors(nodes, belief.weights[row], float(belief.flat[row]), float(df[m])))
    return found


def _levels(fit: Fit, spread: _Spread | None, states: int) -> Levels | None:
    """Return the contrasts against the first measured state; None where nothing can be told apart."""
    if spread is None or fit.state.size < 2 or fit.constant:
        return None
    contrast = np.concatenate([-np.ones((fit.state.size - 1, 1)), np.eye(fit.state.size - 1)], axis=1)
    patch = np.arange(1, states)
    member = (patch > fit.state[0]) & (patch <= fit.state[1:, None])
    return Levels(
        contrast @ fit.level,
        contrast @ fit.noise @ contrast.T,
        contrast @ np.diag(fit.systematic) @ contrast.T,
        spread.factors,
        spread.weights,
        member.astype(np.float64),
    )


def _believe(levels: Sequence[Levels | None], margins: FloatArray) -> tuple[list[Belief | None], float]:
    """Return the evidence, and the prior of "no patch": with several metrics it is learnt from them."""
    found = [
        None if one is None else believe(one, margin=margin)
        for one, margin in zip(levels, margins.tolist(), strict=True)
    ]
    known = [belief for belief in found if belief is not None]
    none = NONE
    if len(known) >= FAMILY:
        for _ in range(3):
            share = sum(float(belief.weights(none) @ belief.nothing) for belief in known) / len(known)
            none = min(max(share, LEAST_NONE), MOST_NONE)
    return found, none


def _answer(patches: tuple[PatchEffect, ...], fit: Fit, belief: Belief | None, none: float) -> Attribution:
    """Return the answer of a metric whose states vary."""
    if belief is None:
        return Attribution(patches, (), (), None, _unknown(fit), fit.warnings)
    weights = belief.weights(none)
    changed, nothing = weights @ belief.beyond, min(float(weights @ belief.nothing), 1.0)
    patches = tuple(replace(one, posterior=min(float(p), 1.0)) for one, p in zip(patches, changed, strict=True))
    culprits = tuple(one.k for one in patches if one.posterior is not None and one.posterior >= NAMED)
    suspects = () if culprits or nothing > 1 - NAMED else _suspects(belief, weights)
    why = _why(patches, culprits, suspects, nothing, fit)
    return Attribution(patches, culprits, suspects, nothing, why, fit.warnings)


def _suspects(belief: Belief, weights: FloatArray) -> tuple[int, ...]:
    """Return the smallest set of patches that holds the change with 95 %, most probable first taken."""
    chosen: list[int] = []
    clear = np.ones(weights.size)
    for place in np.argsort(-(weights @ belief.beyond), kind="stable").tolist():
        chosen.append(place)
        clear = clear * (1 - belief.beyond[:, place])
        if weights @ clear <= 1 - NAMED:
            break
    return tuple(sorted(place + 1 for place in chosen))


def _exact(patches: tuple[PatchEffect, ...], margin: float, fit: Fit) -> Attribution:
    """Return the answer where every state is constant: changes are named without statistics."""
    patches = tuple(
        replace(one, posterior=float(one.effect is not None and abs(one.effect) > margin)) for one in patches
    )
    moved = tuple(one for one in patches if one.posterior)
    culprits = tuple(one.k for one in moved if one.since == one.k - 1)
    vague = {k for one in moved if one.since < one.k - 1 for k in range(one.since + 1, one.k + 1)}
    return Attribution(patches, culprits, tuple(sorted(vague)), 0.0 if moved else 1.0, EXACT, fit.warnings)


def _effects(fit: Fit, spread: _Spread | None, confidence: float, states: int) -> tuple[PatchEffect, ...]:
    """Return effects and intervals of all patches, their posteriors still open."""
    place = {int(state): i for i, state in enumerate(fit.state)}
    found = []
    for k in range(1, states):
        before = [state for state in place if state < k]
        since = max(before, default=0)
        step = _contrast(fit, place, since, k, spread, confidence)
        whole = _contrast(fit, place, 0, k, spread, confidence)
        found.append(PatchEffect(k, *step, *whole, None, since if before else k - 1))
    return tuple(found)


_Effect = tuple[float | None, tuple[float, float] | None]


def _contrast(
    fit: Fit, place: Mapping[int, int], before: int, after: int, spread: _Spread | None, confidence: float
) -> _Effect:
    if before not in place or after not in place:
        return None, None
    i, j = place[before], place[after]
    delta = float(fit.level[j] - fit.level[i])
    effect = _relative(delta, float(fit.level[i]), is_log=fit.is_log)
    if spread is None or fit.constant or effect is None:
        return effect, None
    noise_variance = float(fit.noise[i, i] + fit.noise[j, j] - 2 * fit.noise[i, j])
    fixed = float(fit.systematic[i] + fit.systematic[j])
    half = _half_width(np.sqrt(spread.factors * noise_variance + fixed), spread.weights, confidence)
    low, high = (_relative(delta + side * half, float(fit.level[i]), is_log=fit.is_log) for side in (-1, 1))
    return effect, None if low is None or high is None else (low, high)


def _relative(delta: float, level: float, *, is_log: bool) -> float | None:
    if is_log:
        return float(np.expm1(min(delta, LARGEST)))
    return delta / abs(level) if level else (0.0 if delta == 0 else None)


def _half_width(errors: FloatArray, weights: FloatArray, confidence: float) -> float:
    """Return the half width of the central interval of a mixture of normals with these standard errors."""
    low, high = 0.0, float(errors.max()) * 40
    for _ in range(60):
        middle = (low + high) / 2
        tail = float(weights @ special.ndtr(-middle / np.maximum(errors, 1e-300)))
        low, high = (middle, high) if tail > (1 - confidence) / 2 else (low, middle)
    return high


def _why(
    patches: Sequence[PatchEffect], culprits: Sequence[int], suspects: Sequence[int], none: float, fit: Fit
) -> str:
    basis = f"{fit.runs} runs of {fit.state.size} states in {fit.boots} boots"
    if culprits:
        told = "; ".join(_told(patches[k - 1]) for k in culprits)
        return f"{told}; {basis}"
    if suspects:
        return f"one of the patches {_listed(suspects)} changed it: more measuring would tell which; {basis}"
    if none >= NAMED:
        return f"no patch changed it by more than the margin (posterior {none:.3g}); {basis}"
    best = max(patches, key=lambda one: one.posterior or 0.0)
    return f"undecided: patch {best.k} with posterior {best.posterior or 0.0:.2g}, none with {none:.2g}; {basis}"


def _told(one: PatchEffect) -> str:
    size = "" if one.effect is None else f" {100 * one.effect:+.3g} %"
    if one.ci is not None:
        size += f" ({100 * one.ci[0]:+.3g} to {100 * one.ci[1]:+.3g} %)"
    return f"patch {one.k}:{size}, posterior {one.posterior or 0.0:.3g}"


def _unknown(fit: Fit) -> str:
    if fit.state.size < 2:
        return "fewer than two states were measured"
    return f"one {'boot' if fit.design == 'nested' else 'run'} a state: no spread is known"


def _listed(places: Sequence[int]) -> str:
    *most, last = (str(k) for k in places)
    return f"{', '.join(most)} or {last}" if most else last
