"""Nested variance components: how much iterations, runs and boots of one host differ, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from stats.policy import BoolArray, FloatArray, IntArray
from stats.samples import History

LEAST = 1e-24  # variance of logs below which a spread is rounding
LIMIT = 5.0  # robust standard deviations beyond which a value or a run is a gross outlier
MOST_FAR = 1 / 8
NOISIER = 0.1  # p-value of "no noisier than before" below which earlier measurements are not used


@dataclass(frozen=True, slots=True)
class Component:
    """One variance of logs with its interval and degrees of freedom (Satterthwaite's); None where nothing is known.

    `variance` 0 is an estimate like others: the level below explains all that was seen. `high` says how large it may
    still be.
    """

    variance: float | None
    low: float | None
    high: float | None
    df: float

    @property
    def spread(self) -> float | None:
        """The standard deviation of logs: about the relative spread."""
        return None if self.variance is None else float(np.sqrt(self.variance))


UNKNOWN = Component(None, None, None, 0.0)


@dataclass(frozen=True, slots=True)
class Spreads:
    """The three spreads of one metric: iterations in a run, runs in a boot, boots of one revision.

    `values`, `runs` (a boot and revision), `iterations` (a run) are the typical sizes that `unit` is made of.
    """

    within_run: Component
    between_runs: Component
    between_boots: Component
    revisions: int
    boots: int
    runs: int
    values: int
    runs_a_boot: float
    values_a_run: float

    def unit(self, runs: float | None = None, values: float | None = None) -> float | None:
        """Return the variance of one boot with so many runs of so many iterations; None where boots are unknown.

        As many as were measured, where they are not given. Where no boot was run twice, what its run adds is part of
        `between_boots`, and more runs a boot are not counted on.
        """
        boots, inside = self.between_boots.variance, self.within_run.variance or 0.0
        if boots is None:
            return None
        measured = max(self.values_a_run, 1.0)
        wanted = measured if values is None else values
        if self.between_runs.variance is None:
            return boots + max(inside / wanted - inside / measured, 0.0)
        return boots + (self.between_runs.variance + inside / wanted) / (runs or self.runs_a_boot)


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """One metric: one row per value; `revision`, `boot` (-1 unknown) and `run` are codes, values positive."""

    revision: IntArray
    boot: IntArray
    run: IntArray
    value: FloatArray


def components(replicates: Replicates, *, confidence: float = 0.9) -> Spreads:
    """Return the variance components of logs by the method of moments, revisions being fixed levels.

    Unweighted means (Burdick and Graybill 1992, "Confidence intervals on variance components"), which is the analysis
    of variance where the data are balanced. Intervals are their modified large-sample ones. What a boot adds is
    taken over all its revisions together: boots shared by several revisions count once.
    """
    if not replicates.value.size:
        return Spreads(UNKNOWN, UNKNOWN, UNKNOWN, 0, 0, 0, 0, 1.0, 1.0)
    runs, of_run = np.unique(replicates.run, return_inverse=True)
    logs = _tamed(np.log(replicates.value), of_run)
    size = np.bincount(of_run)
    level = np.bincount(of_run, logs) / size
    first = np.zeros(runs.size, dtype=np.int64)
    first[of_run] = np.arange(of_run.size)
    revision, boot = replicates.revision[first], replicates.boot[first]
    inside = _Mean(float(np.sum((logs - level[of_run]) ** 2)), float(logs.size - runs.size))
    values_a_run = _harmonic(size)
    cell = np.unique(np.stack([revision, boot]), axis=1, return_inverse=True)
    of_cell = np.asarray(cell[1]).ravel()
    count = np.bincount(of_cell)
    level = _tamed(level, of_cell)
    centre = np.bincount(of_cell, level) / count
    among = _Mean(float(np.sum((level - centre[of_cell]) ** 2)), float(runs.size - count.size))
    runs_a_boot = _harmonic(count)
    known = cell[0][1] >= 0
    boots = _boots(cell[0][0][known], cell[0][1][known], centre[known])
    alpha = (1 - confidence) / 2
    return Spreads(
        within_run=_alone(inside, alpha),
        between_runs=_difference(among, inside, 1 / values_a_run, 1.0, alpha),
        between_boots=_difference(boots, among, 1 / runs_a_boot, 1.0, alpha),
        revisions=int(np.unique(revision).size),
        boots=int(np.unique(boot[boot >= 0]).size),
        runs=int(runs.size),
        values=int(logs.size),
        runs_a_boot=runs_a_boot,
        values_a_run=values_a_run,
    )


def history(spreads: Spreads, now: Spreads | None = None) -> tuple[float, float]:
    """Return the variance of one boot, and its degrees of freedom; NaN and 0 where unknown.

    With as many runs and iterations as were measured, or as the boots of `now` have.
    """
    variance = spreads.unit() if now is None or not now.values else spreads.unit(now.runs_a_boot, now.values_a_run)
    parts = [spreads.between_boots]
    if variance is None or variance <= LEAST or parts[0].df == 0:
        return float("nan"), 0.0
    return variance, parts[0].df


def as_history(before: Sequence[Spreads], now: Sequence[Spreads] | None = None) -> History:
    """Return what earlier measurements say about noise, metric by metric, for `stats.compare`.

    With `now`, the spreads of what is being compared, only where these are not larger than before: a host that became
    noisier must not be judged by its quiet past (twice the spread makes eight times the false flags).
    """
    sizes: Sequence[Spreads | None] = now or [None] * len(before)
    pairs = zip(before, sizes, strict=True)
    found = np.array([history(one, like) for one, like in pairs], dtype=np.float64).reshape(-1, 2)
    if now is not None:
        current = np.array([history(one) for one in now], dtype=np.float64).reshape(-1, 2)
        found[_noisier(current, found)] = (np.nan, 0.0)
    return History(found[:, 0], found[:, 1])


def _noisier(now: FloatArray, before: FloatArray) -> BoolArray:
    """Return which metrics are noisier now; all of them, where they are so together (a noisier host)."""
    known = (now[:, 1] > 0) & (before[:, 1] > 0)
    ratio = np.divide(now[:, 0], before[:, 0], where=known, out=np.ones(len(now)))
    p = np.where(known, special.fdtrc(np.maximum(now[:, 1], 1e-9), np.maximum(before[:, 1], 1e-9), ratio), 1.0)
    single: BoolArray = p < NOISIER
    if known.any():
        # Under the same noise p is uniform: the normal scores of all metrics add up to noise.
        score = -special.ndtri(np.clip(p[known], 1e-12, 1 - 1e-12)).sum() / np.sqrt(known.sum())
        if score > -special.ndtri(NOISIER):
            return np.ones(len(now), dtype=np.bool_)
    return single


def _tamed(values: FloatArray, group: IntArray) -> FloatArray:
    """Return the values with gross outliers from their group's median pulled in, as a comparison pulls them in.

    Unless there are too many of them (a second mode), or the group is too small to have a middle.
    """
    order = np.lexsort((values, group))
    count = np.bincount(group)
    start = np.cumsum(count) - count
    ordered = values[order]
    middle = (ordered[start + (count - 1) // 2] + ordered[start + count // 2])[group] / 2
    residual = np.where(count[group] > 2, values - middle, 0.0)
    width = np.median(np.abs(residual[count[group] > 2])) if (count > 2).any() else 0.0
    bound = LIMIT * 1.4826 * 1.3 * float(width)  # medians of a few lie nearer to their values: 1.3 at three
    far = np.abs(residual) > bound
    if bound == 0 or not 0 < far.mean() <= MOST_FAR:
        return values
    return np.where(far, middle + np.clip(residual, -bound, bound), values)


@dataclass(frozen=True, slots=True)
class _Mean:
    """A sum of squares with its degrees of freedom."""

    squares: float
    df: float

    @property
    def square(self) -> float:
        return self.squares / self.df if self.df > 0 else 0.0


def _harmonic(count: IntArray) -> float:
    return float(count.size / np.sum(1 / count)) if count.size else 1.0


def _boots(revision: IntArray, boot: IntArray, centre: FloatArray) -> _Mean:
    """Return the squares of the boots' levels about their revisions', with the degrees of freedom these can have.

    Boots that measured several revisions move them together: with a level of their own they count as one boot.
    """
    if centre.size == 0:
        return _Mean(0.0, 0.0)
    _, of_revision = np.unique(revision, return_inverse=True)
    boots, of_boot = np.unique(boot, return_inverse=True)
    each = np.bincount(of_revision)
    residual = centre - (np.bincount(of_revision, centre) / each)[of_revision]
    squares, df = float(np.sum(residual**2)), float(centre.size - each.size)
    shared = np.bincount(of_boot).max(initial=0) > 1
    if df <= 0 or not shared or squares == 0:
        return _Mean(squares, max(df, 0.0))
    together = np.bincount(of_boot, residual) / np.bincount(of_boot)
    share = float(np.sum(np.bincount(of_boot) * together**2)) / squares  # what boots have in common
    own = max(float(boots.size - 1), 1.0)
    effective = 1 / (share**2 / own + (1 - share) ** 2 / max(df - own, 1.0))
    effective = min(effective, df)
    return _Mean(squares / df * effective, effective)


def _alone(mean: _Mean, alpha: float) -> Component:
    if mean.df <= 0:
        return UNKNOWN
    low, high = (mean.squares / float(special.chdtri(mean.df, tail)) for tail in (alpha, 1 - alpha))
    return Component(mean.square, low, high, mean.df)


def _difference(above: _Mean, below: _Mean, share: float, scale: float, alpha: float) -> Component:
    """Return the component scale * (above - share * below), at least 0.

    Interval: Ting, Burdick, Graybill, Jeyaratnam and Lu 1990, doi 10.1080/00949659008811240, for a difference of
    mean squares; with nothing known of the level below, that level is part of the component.
    """
    if above.df <= 0:
        return UNKNOWN
    if below.df <= 0:
        return _alone(_Mean(above.squares * scale, above.df), alpha)
    a, b = scale * above.square, scale * share * below.square
    estimate = max(a - b, 0.0)
    g1, h1 = 1 - above.df / special.chdtri(above.df, alpha), above.df / special.chdtri(above.df, 1 - alpha) - 1
    g2, h2 = 1 - below.df / special.chdtri(below.df, alpha), below.df / special.chdtri(below.df, 1 - alpha) - 1
    f_high = _quantile(above.df, below.df, 1 - alpha)
    f_low = _quantile(above.df, below.df, alpha)
    cross_low = ((f_high - 1) ** 2 - (g1 * f_high) ** 2 - h2**2) / f_high
    cross_high = ((1 - f_low) ** 2 - (h1 * f_low) ** 2 - g2**2) / f_low
    low = a - b - np.sqrt(max((g1 * a) ** 2 + (h2 * b) ** 2 + cross_low * a * b, 0.0))
    high = a - b + np.sqrt(max((h1 * a) ** 2 + (g2 * b) ** 2 + cross_high * a * b, 0.0))
    if estimate == 0:  # nothing is seen of it: how large it may be rests on the uncertainty of both mean squares
        high = max(high, (1 + h1) * a - (1 - g2) * b)
    parts = a**2 / above.df + b**2 / below.df
    df = (a - b) ** 2 / parts if a > b and parts > 0 else 0.0
    return Component(estimate, max(float(low), 0.0), max(float(high), 0.0), max(float(df), min(above.df, 1.0)))


def _quantile(one: float, other: float, p: float) -> float:
    """Return the quantile p of Snedecor's F."""
    return float(special.fdtri(one, other, p))
