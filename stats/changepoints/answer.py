"""What the detector says: changes with a state and a sentence, as frozen values."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How far a change can be trusted."""

    CANDIDATE = "candidate"  # clear, but so far seen on very few points
    CONFIRMED = "confirmed"
    TRANSIENT = "transient"  # came back soon; nothing like it nearby
    NOISY = "noisy"  # this series does that by itself: shown, never alerted


@dataclass(frozen=True, slots=True)
class Change:
    """A step between two levels of a series: `index` is the first point after it, `end` the first past its level.

    `effect` is after / before - 1 for positive series; where values are zero or negative it is the difference in units
    of the median magnitude. `z` is the step in standard errors under autocorrelated noise, `p` its two-sided
    probability at this very place. `noise` is the standard deviation of the noise, on the scale of the effect.
    """

    index: int
    end: int
    before: float
    after: float
    effect: float
    p: float
    z: float
    state: State
    noise: float = 0.0
    expected: float = 0.0  # runs like this one that the noise nearby makes by itself
    host_changed: bool = False

    @property
    def points(self) -> int:
        """How many points the level after the change has."""
        return self.end - self.index

    @property
    def why(self) -> str:
        """One sentence: what was seen, and why it counts or does not."""
        seen = f"{self.effect:+.1%} ({self.before:.6g} to {self.after:.6g})"
        points = f"{self.points} point{'s' if self.points != 1 else ''}"
        if self.host_changed:
            return f"{seen}, exactly where the host state changes: not a change of the code by itself"
        if self.state is State.NOISY:
            return f"{seen} for {points}: this series makes about {self.expected:.1f} such runs by itself"
        if self.state is State.TRANSIENT:
            return f"{seen} for {points}, then back"
        clear = f"{seen}, {self.z:.1f} standard errors, noise {self.noise:.2%}"
        return f"{clear}; {points} so far" if self.state is State.CANDIDATE else f"{clear}; {points} at the new level"


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The changes of a series of `n` points, oldest first; `set_aside` holds transient and noisy runs."""

    n: int
    changes: tuple[Change, ...] = ()
    set_aside: tuple[Change, ...] = ()
