"""Steps that belong together: one change of the world is one group, whatever it moved on whichever host. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alerts.steps import Step
from alerts.witness import agree

CLEAR = 5.0  # standard errors
STRAY = 10  # positions that a burst or an outage may move a step which other hosts place surely
KIN = 2  # hosts that say so
SLACK = 3  # positions that later data may move a step and leave it the same step


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a stored group's member said when it was last looked at."""

    group: int
    series: int
    line: str
    head: int
    rises: bool
    is_live: bool = True  # the data still showed it


class Bundle:
    """Steps of one group; `group` is None for a new one. At most one step of a time series."""

    def __init__(self, group: int | None, first: Step) -> None:
        self.group = group
        self.steps = [first]
        self.strongest = first  # the step that says best where the change is
        self.series = {first.series.id}
        self._best = {first.head: first}
        self._weight = {first.head: first.row.z}
        self.latest, self.earliest = first.reach  # the last beginning and the first end of its steps' reaches

    def add(self, step: Step) -> None:
        """Take one more step. The change moves to where more speaks for it, within the reach of all its steps."""
        if _overlap(step.reach, self.strongest.reach):  # others came from further off, as `misses` says
            self.latest, self.earliest = max(self.latest, step.reach[0]), min(self.earliest, step.reach[1])
        self.steps.append(step)
        self.series.add(step.series.id)
        self._weight[step.head] = self._weight.get(step.head, 0.0) + step.row.z
        best = self._best[step.head] = max(self._best.get(step.head, step), step, key=_precision)
        if best.reach[0] <= self.earliest and self.latest <= best.reach[1]:
            self.strongest = max(self.strongest, best, key=self._says)

    def _says(self, step: Step) -> tuple[bool, int, float, float, int, int]:
        """How much speaks for the place of a step: as `_precision`, with all that are at the same revision."""
        clear, width, z, place, series = _precision(step)
        return clear, width, self._weight[step.head], z, place, series

    def takes(self, step: Step) -> bool:
        """Whether a step may be of the same change."""
        mine = self.strongest
        return mine.line == step.line and _overlap(step.reach, mine.reach) and step.series.id not in self.series

    def misses(self, step: Step) -> bool:
        """Whether a step further off is this change, dated badly: the same moved as much on other hosts, not here."""
        if self.strongest.line != step.line or step.series.id in self.series or self.distance(step) > STRAY:
            return False
        return len({one.series.host for one in self.steps if agree(one, step)}) >= KIN

    def is_with(self, other: "Bundle") -> bool:
        """Whether another bundle is of the same change: at the same revision, of other time series."""
        first, last = self.strongest.reach
        near = self.strongest.line == other.strongest.line and other.latest <= last and first <= other.earliest
        return (self.strongest.head == other.strongest.head or near) and not self.series & other.series

    def distance(self, step: Step) -> int:
        """Positions between a step and the change."""
        return abs(self.strongest.head - step.head)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def bundle(steps: Mapping[int, Sequence[Step]], anchors: Sequence[Anchor]) -> list[Bundle]:
    """Every shown step in one bundle: that of the group it was in, else one it fits, else a new one.

    Groups whose steps had gone have no claim on one that fits a living group. `steps` are those of each time series.
    Old bundles come first, by id; new ones follow by position. Equal input, equal answer: ties are broken by the ids of
    time series.
    """
    shown = [step for ofseries in steps.values() for step in ofseries if step.is_shown]
    bundles: dict[int, Bundle] = {}
    left = _matched(shown, [one for one in anchors if one.is_live], bundles)
    by_line: dict[str, list[Bundle]] = {}
    for old in _merged([bundles[number] for number in sorted(bundles)]):
        by_line.setdefault(old.strongest.line, []).append(old)
    left = _fitted(left, by_line)
    again: dict[int, Bundle] = {}
    rest = _matched(left, [one for one in anchors if not one.is_live and one.group not in bundles], again)
    for back in again.values():
        by_line.setdefault(back.strongest.line, []).append(back)
    _found(rest, by_line)
    known = [one for near in by_line.values() for one in near]
    return _merged(sorted(known, key=_place))


def _place(one: Bundle) -> tuple[bool, int, str, int, int]:
    """Old groups first, by id; new ones by position."""
    first = one.strongest
    return one.group is None, one.group or 0, first.line, first.head, first.series.id


def _fitted(left: Sequence[Step], by_line: Mapping[str, Sequence[Bundle]]) -> list[Step]:
    """Put steps into the bundle that they fit best; those that fit none."""
    return [step for step in sorted(left, key=_precision, reverse=True) if not _fits(step, by_line.get(step.line, ()))]


def _fits(step: Step, near: Sequence[Bundle]) -> bool:
    """Put a step into the bundle that it fits best, if it fits one."""
    fitting = [one for one in near if one.takes(step)] or [one for one in near if one.misses(step)]
    if fitting:
        min(fitting, key=lambda one: one.distance(step)).add(step)
    return bool(fitting)


def _found(rest: Sequence[Step], by_line: dict[str, list[Bundle]]) -> None:
    """Make new bundles of what fits no old one."""
    for step in sorted(rest, key=_precision, reverse=True):
        near = by_line.setdefault(step.line, [])
        if not _fits(step, near):
            near.append(Bundle(None, step))


def _precision(step: Step) -> tuple[bool, int, float, int, int]:
    """How well a step says where the change is: between neighbours first, not across weeks of silence; then clearly."""
    return step.row.z >= CLEAR, step.base - step.head, step.row.z, -step.head, -step.series.id


def _matched(shown: Sequence[Step], anchors: Sequence[Anchor], bundles: dict[int, Bundle]) -> list[Step]:
    """Put steps into the bundles of the groups they were in, the nearest first; those that were in none."""
    by_series: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        by_series.setdefault(anchor.series, []).append(anchor)
    pairs = sorted(
        (
            (abs(anchor.head - step.head), place, anchor.group)
            for place, step in enumerate(shown)
            for anchor in by_series.get(step.series.id, ())
            if _is_same(anchor, step)
        ),
    )
    taken: set[int] = set()
    used: set[tuple[int, int]] = set()
    for _, place, group in pairs:
        step = shown[place]
        if place in taken or (group, step.series.id) in used:
            continue
        taken.add(place)
        used.add((group, step.series.id))
        if group in bundles:
            bundles[group].add(step)
        else:
            bundles[group] = Bundle(group, step)
    return [step for place, step in enumerate(shown) if place not in taken]


def _merged(bundles: Sequence[Bundle]) -> list[Bundle]:
    """Put together what is at the same change now, the earlier one stays: until nothing is left to put together.

    Steps that join move a bundle; to do only half of it tonight would change alerts tomorrow without new data.
    """
    kept: list[Bundle] = []
    for mine in bundles:
        into = next((one for one in kept if one.strongest.line == mine.strongest.line and one.is_with(mine)), None)
        if into is None:
            kept.append(mine)
        else:
            for step in mine.steps:
                into.add(step)
    return kept if len(kept) == len(bundles) else _merged(kept)


def _is_same(anchor: Anchor, step: Step) -> bool:
    near = abs(anchor.head - step.head) <= SLACK
    return near and anchor.line == step.line and anchor.rises == (step.row.effect > 0)
