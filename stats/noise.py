"""Variances that borrow strength across metrics (empirical Bayes), and the tests and intervals that follow."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from stats.policy import BoolArray, FloatArray

# A prior is learnt from the metrics beyond the first few, and never gets the whole weight: so many metrics' worth of
# "any variance is possible" stays mixed in, which is the plain t-test. Alone, a metric is judged by the t-test.
FIRST = 6
DOUBT = 10.0
# Metrics needed before the noise inside runs and boots is asked to predict the noise between units, and the ridge
# (in metrics) that draws its slopes to 0.
COVARIATE_METRICS = 15
RIDGE = 4.0
STEPS = 80  # of expectation-maximisation; more only sharpens the prior's points
NODES = 160
NEWTON = 4
EXACT = 1e-9  # a step of this share of the half width ends the search: the next one would be its square
NEGLIGIBLE = 1e-7  # of the prior; such nodes cost time and change nothing


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """What is believed about the standard error of each difference [metrics].

    A mixture: standard errors `nodes` [metrics, k] with `weights` [metrics, k] (normal tails), and with weight
    `flat` [metrics] Student's t with the metric's own `error` and `df`. Rows of unjudged metrics hold NaN.
    """

    nodes: FloatArray
    weights: FloatArray
    flat: FloatArray
    error: FloatArray
    df: FloatArray

    def p_value(self, delta: FloatArray) -> FloatArray:
        """Return the two-sided p-value of each difference [metrics]; 1 for no difference, NaN where unjudged."""
        with np.errstate(invalid="ignore", divide="ignore"):
            z = np.abs(delta)[:, None] / self.nodes
            normal = np.where(self.weights > 0, self.weights * special.ndtr(-z), 0.0).sum(axis=1)
            t = np.where(self.flat > 0, self.flat * special.stdtr(self.df, -np.abs(delta) / self.error), 0.0)
        return np.where(np.isnan(self.error), np.nan, np.minimum(2 * (normal + t), 1.0))

    def half_width(self, confidence: float) -> FloatArray:
        """Return half the width of the two-sided interval of each difference, at the confidence level."""
        target = (1 - confidence) / 2
        t = -special.stdtrit(self.df, target) * self.error
        normal = np.sqrt((self.weights * self.nodes**2).sum(axis=1) / np.maximum(1 - self.flat, 1e-12))
        x = self.flat * t + (1 - self.flat) * -special.ndtri(target) * normal
        return self._refine(x, target)

    def _refine(self, x: FloatArray, target: float) -> FloatArray:
        """Return the half width at which the upper tail is `target`: Newton's method on the logarithm of the tail."""
        for _ in range(NEWTON):
            z = x[:, None] / self.nodes
            ratio = x / self.error
            tail = (self.weights * special.ndtr(-z)).sum(axis=1) + self.flat * special.stdtr(self.df, -ratio)
            slope = (self.weights * np.exp(-0.5 * z * z) / self.nodes).sum(axis=1) / np.sqrt(2 * np.pi)
            slope += self.flat * _t_density(ratio, self.df) / self.error
            with np.errstate(invalid="ignore", divide="ignore"):
                step = np.log(tail / target) * tail / slope
            step = np.clip(step, -0.5 * x, x)
            x = x + step
            if not (np.abs(step) > EXACT * x).any():
                break
        return x


def moderate(spread: FloatArray, df: FloatArray, factor: FloatArray, below: FloatArray) -> Noise:
    """Return the noise of metrics [metrics] whose unit variance was estimated as `spread` with `df`.

    `factor` makes a unit variance the variance of the difference. `below` [metrics, k] holds variances of lower
    levels (inside runs, inside boots; NaN unknown), which predict the spread between units where they can.

    The prior of the variance (over its prediction) is estimated over the metrics by nonparametric maximum likelihood
    on a grid, so that metrics of several kinds (quiet, bimodal) keep priors of their own, and the p-value is the
    posterior mean of the normal p-value: Ignatiadis and Sen 2023, "Empirical partially Bayes multiple testing and
    compound chi-square decisions", doi 10.48550/arXiv.2303.02887. With a single inverse-gamma prior this is Smyth 2004,
    doi 10.2202/1544-6115.1027; with a flat prior the t-test, which is mixed in.
    """
    known = (df > 0) & (spread > 0)
    trust = trust_in(int(known.sum()))
    if trust == 0:
        return plain(spread, df, factor)
    expected = np.zeros(spread.size)
    expected[known] = _predict(np.log(spread[known]), df[known], below[known])
    logs = np.log(spread, where=known, out=np.zeros(spread.size)) - expected
    likelihood, grid = _likelihood(logs[known], df[known])
    prior, width = _prior(likelihood), float(grid[-1] - grid[0])
    kept = prior > NEGLIGIBLE
    likelihood, prior, grid = likelihood[:, kept], prior[kept], grid[kept]
    weights = np.zeros((spread.size, grid.size))
    weights[known], flat = _posterior(likelihood, prior, trust, df[known], width)
    share = np.ones(spread.size)
    share[known] = flat
    nodes = np.exp((grid[None] + expected[:, None]) / 2) * np.sqrt(factor)[:, None]
    base = plain(spread, df, factor)
    return Noise(nodes, weights, share, base.error, base.df)


def trust_in(metrics: int) -> float:
    """Return how far so many metrics are believed in what they say together, 0 to 1."""
    return max(0.0, metrics - FIRST) / (metrics + DOUBT)


def plain(spread: FloatArray, df: FloatArray, factor: FloatArray) -> Noise:
    """Return the noise that each metric alone shows: Student's t."""
    judged = (df > 0) & np.isfinite(spread)
    error = np.where(judged, np.sqrt(np.maximum(spread * factor, 0)), np.nan)
    empty = np.ones((spread.size, 1))
    return Noise(empty, 0 * empty, np.ones(spread.size), error, np.where(judged, df, 1.0))


def _predict(logs: FloatArray, df: FloatArray, below: FloatArray) -> FloatArray:
    """Return the log variance that the lower levels predict: robust ridge regression over the metrics.

    A benchmark that is noisy inside its runs tends to be noisy between boots; where that is not so the slopes are
    near 0 and only the common level is left. Unknown lower levels count as average.
    """
    centre = logs - special.digamma(df / 2) + np.log(df / 2)
    if logs.size < COVARIATE_METRICS:
        return np.full(logs.size, np.median(centre))
    columns = [np.ones(logs.size)]
    for column in below.T:
        usable = np.isfinite(column) & (column > 0)
        if usable.sum() >= COVARIATE_METRICS:
            known = np.log(column, where=usable, out=np.zeros(column.size))
            columns.append(np.where(usable, known - np.median(known[usable]), 0.0))
            if not usable.all():
                columns.append(np.where(usable, 0.0, 1.0))
    x = np.stack(columns, axis=1)
    ridge = np.diag([0.0] + [RIDGE] * (x.shape[1] - 1))
    weight = np.ones(logs.size)
    slopes: FloatArray = np.zeros(x.shape[1])
    for _ in range(12):  # Huber's weights: bimodal metrics must not bend the line of the others
        normal = (x.T * weight) @ x + ridge
        slopes = np.asarray(np.linalg.solve(normal, (x.T * weight) @ centre), dtype=np.float64)
        residual = np.abs(centre - x @ slopes)
        weight = 1 / np.maximum(1, residual / max(1.5 * 1.4826 * float(np.median(residual)), 1e-9))
    predicted: FloatArray = x @ slopes
    return predicted


def _likelihood(logs: FloatArray, df: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the likelihood [metrics, nodes] of each estimated log variance at each node of a grid of true ones."""
    gap = 0.3 * np.sqrt(2 / max(float(np.median(df)), 1.0))
    low, high = logs.min() - 1, logs.max() + 1
    grid = np.linspace(low, high, int(np.clip((high - low) / gap, 8, NODES)))
    half = df[:, None] / 2
    over = logs[:, None] - grid
    # Without the constant: exp(-half) at the best node, as `_posterior` expects it.
    return np.exp(half * (over - np.exp(np.minimum(over, 500)) + 1)), grid


def _prior(likelihood: FloatArray) -> FloatArray:
    """Return the weights of the grid's nodes that make the estimated variances most likely."""
    weights = np.full(likelihood.shape[1], 1 / likelihood.shape[1])
    count = likelihood.shape[0]
    for _ in range(STEPS):
        marginal = likelihood @ weights
        weights = weights * (likelihood.T @ (1 / np.maximum(marginal, 1e-300))) / count
    return weights


def _posterior(
    likelihood: FloatArray, prior: FloatArray, trust: float, df: FloatArray, width: float
) -> tuple[FloatArray, FloatArray]:
    """Return each metric's weights of the nodes and of the flat prior (as wide as the grid, in closed form)."""
    half = df / 2
    flat = np.exp(special.gammaln(half) - half * np.log(half) + half) / width
    joint = trust * prior * likelihood
    total = joint.sum(axis=1) + (1 - trust) * flat
    return joint / total[:, None], (1 - trust) * flat / total


def _t_density(x: FloatArray, df: FloatArray) -> FloatArray:
    constant = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - 0.5 * np.log(df * np.pi)
    density: FloatArray = np.exp(constant - (df + 1) / 2 * np.log1p(x * x / df))
    return density


def judgeable(noise: Noise) -> BoolArray:
    """Return which metrics have a standard error at all."""
    known: BoolArray = np.isfinite(noise.error)
    return known
