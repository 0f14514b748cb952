"""Series that grow: append a value, get the changes, at a cost that does not depend on the length."""

import math
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from stats.changepoints.answer import Segmentation
from stats.changepoints.compiled import runner
from stats.changepoints.detect import assemble, checked
from stats.changepoints.excursions import EXCURSION
from stats.changepoints.follow import advance
from stats.changepoints.hosts import SIDE, compare_sides
from stats.changepoints.limits import DEFAULTS, WINDOW, FloatArray, Limits
from stats.changepoints.scan import CHANGE


def _nothing() -> FloatArray:
    return np.zeros(0)


def _no_changes() -> FloatArray:
    return np.zeros((0, CHANGE))


def _no_excursions() -> FloatArray:
    return np.zeros((0, EXCURSION))


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """A series so far: the values that are still looked at, and rows of what was found.

    `window` holds the values from index `start` on; changes up to `settled` will not be looked at again. `before` are
    the last values of the previous host state. Rows are as `scan` and `compare_sides` give them.
    """

    n: int = 0
    start: int = 0
    settled: int = 0
    host_state: int | None = None
    host_since: int = 0
    window: FloatArray = field(default_factory=_nothing)
    before: FloatArray = field(default_factory=_nothing)
    old_changes: FloatArray = field(default_factory=_no_changes)
    old_excursions: FloatArray = field(default_factory=_no_excursions)
    old_host_steps: FloatArray = field(default_factory=_no_changes)
    changes: FloatArray = field(default_factory=_no_changes)
    excursions: FloatArray = field(default_factory=_no_excursions)
    host_step: FloatArray = field(default_factory=_no_changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the state as numbers and lists, ready for JSON."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the state that `to_dict` gave."""
        empty = cls()
        fields: dict[str, Any] = {
            name: np.array(value, dtype=np.float64).reshape((-1, *getattr(empty, name).shape[1:]))
            if isinstance(value, list)
            else value
            for name, value in stored.items()
        }
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Detector:
    """Detects changes as values come in; whole series and grown series have the same changes."""

    limits: Limits = DEFAULTS

    def append(self, state: Progress, value: float, host_state: int | None = None) -> Progress:
        """Return the state after one more value, measured under `host_state`."""
        number = float(value)
        if not abs(number) < 1e140:  # also true of NaN
            checked([math.nan])
        if state.n and host_state != state.host_state:
            state = self._leave_host(state)
        if state.window.size >= WINDOW:  # more: stored when windows were longer
            state = self._move_on(state)
        window, changes, excursions = runner("extend", state.window.size)(
            state.window, number, (state.start, state.settled), self.limits.min_z, self.limits.min_effect
        )
        step = self._host_step(state, window, changes)
        return Progress(
            state.n + 1,
            state.start,
            state.settled,
            host_state,
            state.host_since,
            window,
            state.before,
            state.old_changes,
            state.old_excursions,
            state.old_host_steps,
            changes,
            excursions,
            step,
        )

    def changes(self, state: Progress) -> Segmentation:
        """Return the changes of the series so far."""
        return assemble(
            state.n,
            state.old_changes.tolist() + state.changes.tolist(),
            state.old_excursions.tolist() + state.excursions.tolist(),
            state.old_host_steps.tolist() + state.host_step.tolist(),
            self.limits,
        )

    def _move_on(self, state: Progress) -> Progress:
        """Settle the older part of a full window."""
        found, _ = runner("scan", WINDOW)(state.window, self.limits.min_z, self.limits.min_effect)
        found[:, 0] += state.start
        start, settled = advance(found, state.start, state.settled)
        return replace(
            state,
            start=start,
            settled=settled,
            window=state.window[start - state.start :],
            old_changes=np.concatenate((state.old_changes, state.changes[state.changes[:, 0] <= settled])),
            old_excursions=np.concatenate((state.old_excursions, state.excursions[state.excursions[:, 0] < settled])),
        )

    def _leave_host(self, state: Progress) -> Progress:
        """Settle everything: the next value was measured under another host state."""
        first = int(max(state.host_since, state.changes[:, 0].max(initial=0), state.n - SIDE, state.start))
        return Progress(
            n=state.n,
            start=state.n,
            settled=state.n,
            host_since=state.n,
            before=state.window[first - state.start :],
            old_changes=np.concatenate((state.old_changes, state.changes)),
            old_excursions=np.concatenate((state.old_excursions, state.excursions)),
            old_host_steps=np.concatenate((state.old_host_steps, state.host_step)),
        )

    def _host_step(self, state: Progress, window: FloatArray, changes: FloatArray) -> FloatArray:
        """Return the row of the step at the last host-state change, as long as it can still move."""
        if not state.before.size or state.n - state.host_since >= SIDE:
            return state.host_step
        final = int(changes[:, 0].min(initial=state.n + 1))
        rows = compare_sides(state.before, window[: final - state.start], self.limits)
        return np.array([[row[0] + state.host_since, *row[1:]] for row in rows]).reshape(-1, CHANGE)


def _plain(value: Any) -> Any:  # arrays become lists, numbers stay
    return value.tolist() if isinstance(value, np.ndarray) else value
