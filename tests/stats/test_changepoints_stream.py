"""Series that grow: point by point has the changes of the whole."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stats.changepoints import Detector, Limits, Progress, compiled, detect, follow, stream


def grown(values, states=None, detector=None):
    detector = detector or Detector()
    state = Progress()
    for k, value in enumerate(values):
        state = detector.append(state, value, None if states is None else int(states[k]))
    return state


@pytest.fixture
def _small_windows(monkeypatch):
    """Windows of 128 points, in plain code: what is compiled has its constants inside."""
    for module in (stream, sys.modules["stats.changepoints.detect"]):
        monkeypatch.setattr(module, "runner", lambda name, _points: compiled.PLAIN[name])
    for module in (follow, stream, sys.modules["stats.changepoints.detect"]):
        monkeypatch.setattr(module, "WINDOW", 128)


@st.composite
def stairs(draw):
    pieces = draw(st.lists(st.tuples(st.integers(1, 50), st.floats(-0.2, 0.2)), min_size=1, max_size=6))
    levels = np.concatenate([np.full(length, level) for length, level in pieces])
    return np.exp(levels + 0.01 * np.random.default_rng(draw(st.integers(0, 99))).normal(size=levels.size))


@given(values=stairs())
@settings(max_examples=15)
def test_growing_gives_the_changes_of_the_whole(values):
    assert Detector().changes(grown(values)) == detect(values)


@pytest.mark.usefixtures("_small_windows")
def test_growing_over_windows_gives_the_changes_of_the_whole():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        steps = 0.05 * (rng.random(300) < 0.02) * rng.choice([-1, 1], size=300)
        values = np.exp(steps.cumsum() + 0.01 * rng.normal(size=300))

        state = grown(values)

        assert Detector().changes(state) == detect(values)
        assert len(state.window) <= 128


@pytest.mark.usefixtures("_small_windows")
def test_growing_over_host_states_gives_the_changes_of_the_whole():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        states = np.repeat(np.arange(8), rng.integers(1, 90, size=8))
        values = np.exp(rng.normal(scale=0.1, size=8)[states] + 0.01 * rng.normal(size=states.size))

        assert Detector().changes(grown(values, states)) == detect(values, host_states=states)


@pytest.mark.usefixtures("_small_windows")
def test_the_state_survives_storage():
    rng = np.random.default_rng(1)
    values = np.exp(0.01 * rng.normal(size=150) + 0.1 * (np.arange(150) > 70))
    states = np.repeat([1, 2], [110, 40])
    detector = Detector()
    state = grown(values[:120], states[:120])

    stored = json.loads(json.dumps(state.to_dict(), allow_nan=False))
    restored = Progress.from_dict(stored)
    for k in range(120, 150):
        restored = detector.append(restored, values[k], int(states[k]))

    assert detector.changes(restored) == detect(values, host_states=states)


def test_an_empty_state_survives_storage():
    restored = Progress.from_dict(json.loads(json.dumps(Progress().to_dict())))

    assert Detector().changes(Detector().append(restored, 1.0)).n == 1


def test_appending_leaves_the_old_state_alone():
    state = grown([1.0, 1.1, 0.9, 1.0])

    Detector().append(state, 5.0)

    assert (state.n, state.window.tolist()) == (4, [1.0, 1.1, 0.9, 1.0])


def test_a_value_that_is_none_is_refused():
    with pytest.raises(ValueError, match="missing and infinite"):
        Detector().append(Progress(), float("nan"))


def test_limits_reach_the_growing_series():
    values = 100 * np.exp(0.01 * np.random.default_rng(1).normal(size=60))
    values[30:] *= 1.1
    detector = Detector(Limits(min_effect=0.5))

    assert detector.changes(grown(values, detector=detector)).changes == ()


def test_a_step_is_seen_after_few_points():
    rng = np.random.default_rng(7)
    values = np.exp(0.01 * rng.normal(size=70))
    values[60:] *= np.exp(0.1)
    detector = Detector()
    state = grown(values[:60])

    seen = []
    for value in values[60:]:
        state = detector.append(state, value)
        seen.append([change.index for change in detector.changes(state).changes])

    assert seen[0] == []
    assert seen[2] == [60]
    assert seen[-1] == [60]
