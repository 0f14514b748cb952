"""Change points of trends: where the level of a time series stepped, for pages. Detection itself is `stats`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from report.trend import Line, Point
from stats.changepoints import Change, State, compiled, detect

LEAST = 4  # points of a history that can have a change
_WORSE = {"lower": 1.0, "higher": -1.0}


@dataclass(frozen=True, slots=True)
class Step:
    """A change of one time series at a point of its line. `meaning` is a word: worse, better, or changed.

    `state` says how far it can be trusted; `host_changed` that the host's state changed just there.
    """

    series_id: int
    point: Point
    effect: float
    meaning: str
    state: str
    why: str
    host_changed: bool


def prepare() -> None:
    """Make the machine code of detection, in a thread of a process that stays: a few seconds when it is new."""
    compiled.prepare()


def steps(lines: Sequence[Line]) -> tuple[Step, ...]:
    """The changes of each line, in the order of lines and revisions. Patch series are no part of the history."""
    return tuple(step for line in lines for step in _of_line(line))


def _of_line(line: Line) -> list[Step]:
    history = [point for point in line.points if not point.revision.series]
    if len(history) < LEAST:
        return []
    values = np.array([point.level.value for point in history])
    host = np.cumsum([bool(point.host_changed) for point in history])
    found = detect(values, host_states=host)
    return [_step(line, history[one.index], one) for one in found.changes if one.state is not State.NOISY]


def _step(line: Line, point: Point, change: Change) -> Step:
    side = _WORSE.get(line.series.better, 0.0) * change.effect
    meaning = "worse" if side > 0 else "better" if side < 0 else "changed"
    return Step(
        line.series.id, point, change.effect, meaning, change.state.value, change.why, host_changed=change.host_changed
    )
