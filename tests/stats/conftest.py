"""Factories of two-sample data."""

from collections.abc import Callable

import numpy as np
import pytest

from stats.compare import Comparison, Policy, Samples, compare
from stats.policy import FloatArray


def build(logs: FloatArray, *, shared_boots: bool = False, known_boots: bool = True) -> Samples:
    """Samples of logs[metric, side, boot, run, iteration]."""
    metric, side, boot, run, _ = np.indices(logs.shape).reshape(5, -1)
    boots, runs = logs.shape[2:4]
    unique = side * boots + boot
    code = boot if shared_boots else unique
    return Samples(
        metric, side, code if known_boots else np.full_like(code, -1), unique * runs + run, np.exp(logs).ravel()
    )


def noisy(seed: int, shape: tuple[int, ...], levels: tuple[float, float, float] = (0.01, 0.01, 0.01)) -> FloatArray:
    """Logs with normal noise between boots, runs and iterations."""
    rng = np.random.default_rng(seed)
    metrics, sides, boots, runs, _ = shape
    scale = np.exp(rng.normal(0, 0.4, (metrics, 1, 1, 1, 1)))
    boot = rng.normal(0, levels[0], (metrics, sides, boots, 1, 1))
    run = rng.normal(0, levels[1], (metrics, sides, boots, runs, 1))
    return rng.normal(0, 2, (metrics, 1, 1, 1, 1)) + scale * (boot + run + rng.normal(0, levels[2], shape))


def answer(
    base: list[list[float]], head: list[list[float]], policy: Policy | None = None, better: int = -1
) -> Comparison:
    """One metric from values[boot][run], one value a run, boots of their own."""
    rows = [(s, b, v) for s, side in enumerate((base, head)) for b, boot in enumerate(side) for v in boot]
    side = np.array([row[0] for row in rows], dtype=np.int64)
    boot = side * 1000 + np.array([row[1] for row in rows], dtype=np.int64)
    value = np.array([row[2] for row in rows], dtype=np.float64)
    samples = Samples(np.zeros_like(side), side, boot, np.arange(side.size), value)
    return compare(samples, metrics=1, better=np.array([better]), policy=policy or Policy())[0]


@pytest.fixture(scope="session")
def make_samples() -> Callable[..., Samples]:
    return build


@pytest.fixture(scope="session")
def make_noise() -> Callable[..., FloatArray]:
    return noisy


@pytest.fixture(scope="session")
def judge_one() -> Callable[..., Comparison]:
    return answer
