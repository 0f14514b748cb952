"""From all steps and the stored groups to what each group should be. Pure: no database, no clock of its own."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.evidence import is_clear, lone
from alerts.grouping import SLACK, Anchor, Bundle, bundle
from alerts.rules import Rules, Terms
from alerts.steps import Step
from alerts.triage import BY_HAND
from alerts.witness import vouched
from db.alert_queries import Group, Member
from db.detection import Place
from db.values import SeriesRow
from db.words import AlertKind, Evidence

OLD = timedelta(days=60)  # before the newest revision of its line: what is found there is history, no news …
OLD_POINTS = 30  # … where so many points follow it
BACK = 0.3  # of a step that its reversal may leave
AWHILE = 60  # revisions: so much later a reversal counts half


class Closed(StrEnum):
    """Why a group is closed."""

    RECOVERED = "recovered"
    REVERT = "revert"  # an improvement that only takes back a known regression
    WITHDRAWN = "withdrawn"
    MERGED = "merged"  # later data moved it to the place of another group, which has its steps now
    HISTORY = "history"  # it was old when it was first seen
    BY_HAND = BY_HAND


@dataclass(frozen=True, slots=True)
class Context:
    """What decisions depend on besides the data. `since`: older changes are history; `families`: time series judged."""

    now: datetime
    rules: Rules
    places: Mapping[int, Place]
    families: int
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a group should be. `group` is the stored one, None for a new one; `reverts` an index of another `Wanted`."""

    group: Group | None
    kind: AlertKind
    evidence: Evidence
    line: str
    base: int
    head: int
    members: tuple[Member, ...]
    is_announced: bool
    closed_because: str = ""
    reverts: int | None = None
    terms: Terms = field(default=Terms())


def decide(
    stored: Sequence[Group], steps: Mapping[int, Sequence[Step]], series: Mapping[int, SeriesRow], context: Context
) -> list[Wanted]:
    """Every group as it should be: the stored ones by id, then new ones by position."""
    terms = {number: context.rules.terms(row) for number, row in series.items()}
    steps = vouched(steps)
    counted = {number: [one for one in found if _counts(one, terms[number])] for number, found in steps.items()}
    bundles = bundle(counted, _anchors(stored, context.places))
    known = {group.id: group for group in stored}
    live = {one.group for one in bundles if one.group is not None}
    gone = [Bundled(known[number], ()) for number in sorted(known.keys() - live)]
    all_of = [*(Bundled(known.get(one.group or 0), tuple(one.steps), one) for one in bundles), *gone]
    all_of.sort(key=lambda one: (one.group is None, one.group.id if one.group else 0))
    placed = {(step.series.id, step.head) for one in all_of for step in one.steps}
    states = [_wanted(one, steps, terms, context) for one in all_of]
    states = [_merged(one, placed, context.places) for one in states]
    return _recovered(states, [one.steps for one in all_of], counted)


@dataclass(frozen=True, slots=True)
class Bundled:
    """A stored group, or none yet, with the steps that are its own now."""

    group: Group | None
    steps: tuple[Step, ...]
    bundle: Bundle | None = None


def _counts(step: Step, terms: Terms) -> bool:
    """Whether a step is large enough and seen often enough for its rules."""
    return step.is_shown and abs(step.row.effect) >= terms.margin and step.row.boots >= terms.min_boots


def _anchors(stored: Sequence[Group], places: Mapping[int, Place]) -> list[Anchor]:
    return [
        Anchor(group.id, one.series.id, group.line, places[one.head_id].position, one.effect > 0, one.is_live)
        for group in stored
        for one in group.members
        if one.head_id in places
    ]


def _wanted(one: Bundled, steps: Mapping[int, Sequence[Step]], terms: Mapping[int, Terms], context: Context) -> Wanted:
    if one.bundle is None:
        return _gone(one, steps, context.places)
    first = one.bundle.strongest
    clear = is_clear(one.steps, context.families)
    was_announced = one.group is not None and one.group.announced_at is not None
    mine = [terms[step.series.id] for step in one.steps]
    state = Wanted(
        group=one.group,
        kind=_kind(one.steps, lone(context.families)),
        evidence=Evidence.CONFIRMED if clear and _has_points(one.steps) else Evidence.CANDIDATE,
        line=first.line,
        base=int(first.row.base),
        head=int(first.row.head),
        members=(*map(_member, one.steps), *_lost(one, steps, context.places)),
        is_announced=was_announced or clear,
        closed_because=_still_closed(one.group),
        terms=_common(mine, terms[first.series.id], context.now),
    )
    if one.group is None and _is_old(first, context):
        return replace(state, is_announced=False, closed_because=Closed.HISTORY.value)
    if not was_announced and (state.closed_because or all(each.is_muted(context.now) for each in mine)):
        return replace(state, is_announced=False)
    return state


def _kind(steps: Sequence[Step], bar: float) -> AlertKind:
    """A regression where anything clearly got worse, whatever else got better."""
    clearest = max(one.row.z for one in steps)
    worse = max((one.row.z for one in steps if one.worse), default=0.0)
    return AlertKind.REGRESSION if worse >= min(bar, clearest) else AlertKind.IMPROVEMENT


def _has_points(steps: Sequence[Step]) -> bool:
    return any(one.evidence is Evidence.CONFIRMED for one in steps)


def _still_closed(group: Group | None) -> str:
    """A withdrawn group whose step is there again is open; whether a recovery still holds is looked at later."""
    return "" if group is None or group.closed_because in _BY_DATA else group.closed_because


_GONE = ("", Closed.WITHDRAWN.value, Closed.MERGED.value)
_BY_DATA = (Closed.WITHDRAWN.value, Closed.MERGED.value, Closed.RECOVERED.value, Closed.REVERT.value)


def _common(mine: Sequence[Terms], first: Terms, now: datetime) -> Terms:
    """The terms of the clearest member; muted only where all are."""
    return first if all(one.is_muted(now) for one in mine) else replace(first, muted_until=None, reason="")


def _is_old(step: Step, context: Context) -> bool:
    when = context.places[int(step.row.head)].when
    if context.since is not None:
        return when < context.since
    newest = max(one.when for one in context.places.values() if one.line == step.line)
    return newest - when > OLD and step.row.points > OLD_POINTS


def _member(step: Step) -> Member:
    row = step.row
    return Member(
        series=step.series,
        base_id=int(row.base),
        head_id=int(row.head),
        before=row.before,
        after=row.after,
        effect=row.effect,
        low=row.low,
        high=row.high,
        z=row.z,
        noise=row.noise,
        points=int(row.points),
        boots=int(row.boots),
        worse=step.worse,
        recovered=False,
        evidence=step.evidence.value,
    )


def _lost(one: Bundled, steps: Mapping[int, Sequence[Step]], places: Mapping[int, Place]) -> list[Member]:
    """Members that the data do not show any more, with what became of them."""
    if one.group is None:
        return []
    mine = {step.series.id for step in one.steps}
    return [
        replace(member, evidence=_fate(member, steps.get(member.series.id, ()), places).value, recovered=False)
        for member in one.group.members
        if member.series.id not in mine
    ]


def _fate(member: Member, steps: Sequence[Step], places: Mapping[int, Place]) -> Evidence:
    """What change detection says now where a member had its step."""
    place = places.get(member.head_id)
    near = [
        step
        for step in steps
        if place and step.line == place.line and abs(step.head - place.position) <= 2 and not step.row.at_host
    ]
    for word in (Evidence.TRANSIENT, Evidence.NOISY):
        if any(step.evidence is word for step in near):
            return word
    return Evidence.WITHDRAWN


def _gone(one: Bundled, steps: Mapping[int, Sequence[Step]], places: Mapping[int, Place]) -> Wanted:
    """A stored group none of whose steps are left."""
    group = one.group
    assert group is not None  # noqa: S101 (groups without steps are stored ones)
    members = tuple(_lost(one, steps, places))
    fates = {member.evidence for member in members}
    evidence = next((word for word in (Evidence.TRANSIENT, Evidence.NOISY) if word in fates), Evidence.WITHDRAWN)
    return Wanted(
        group=group,
        kind=AlertKind(group.kind),
        evidence=evidence,
        line=group.line,
        base=group.base.id if group.base else 0,
        head=group.head.id if group.head else 0,
        members=members,
        is_announced=group.announced_at is not None,
        closed_because=group.closed_because if group.closed_because not in _GONE else Closed.WITHDRAWN.value,
    )


def _merged(one: Wanted, placed: Collection[tuple[int, int]], places: Mapping[int, Place]) -> Wanted:
    """A group without steps of its own whose steps stand in another one."""
    if one.closed_because != Closed.WITHDRAWN or one.group is None:
        return one
    heads = [(each.series.id, places[each.head_id].position) for each in one.members if each.head_id in places]
    near = (any((series, head + by) in placed for by in range(-SLACK, SLACK + 1)) for series, head in heads)
    return replace(one, closed_because=Closed.MERGED.value) if heads and all(near) else one


def _recovered(
    states: list[Wanted], steps: Sequence[Sequence[Step]], counted: Mapping[int, Sequence[Step]]
) -> list[Wanted]:
    """Close the groups whose members came back, and link what brought them back; each takes back one group at most."""
    owner = {(one.series.id, one.line, one.head): i for i, mine in enumerate(steps) for one in mine}
    backs = [{one.series.id: _back(one, counted.get(one.series.id, ()), owner) for one in mine} for mine in steps]
    taken: dict[int, int] = {}
    for i, by in _pairs(states, steps, backs):
        if by in taken or i in taken.values():
            continue
        taken[by] = i
        states[i] = replace(
            states[i],
            closed_because=states[i].closed_because or Closed.RECOVERED.value,
            members=tuple(replace(one, recovered=by in backs[i].get(one.series.id, ())) for one in states[i].members),
        )
    taken |= _remembered(states, steps, taken)
    return [_linked(one, taken.get(i)) for i, one in enumerate(states)]


def _remembered(states: Sequence[Wanted], steps: Sequence[Sequence[Step]], taken: Mapping[int, int]) -> dict[int, int]:
    """What was known to take back a group that recovered and whose own steps later data do not show any more."""
    ended = {
        one.group.id: i
        for i, one in enumerate(states)
        if one.group and not steps[i] and one.closed_because == Closed.RECOVERED and i not in taken.values()
    }
    links = ((j, one.group.reverts_id) for j, one in enumerate(states) if one.group and j not in taken)
    return {j: ended[cause] for j, cause in links if cause in ended}


def _pairs(
    states: Sequence[Wanted], steps: Sequence[Sequence[Step]], backs: Sequence[Mapping[int, set[int]]]
) -> list[tuple[int, int]]:
    """Groups of which at least half came back, each with a group that did it: the pairs that fit best first.

    A reversal moves what its cause moved, no less and no more, and comes soon: a change of everything takes back the
    last change of everything, not what one test case of it did yesterday, nor what has long been taken back.
    """
    found = []
    for i, mine in enumerate(backs):
        votes = Counter(j for back in mine.values() for j in back if _is_told(states[j]))
        for j, count in votes.items():
            if count * 2 >= len(mine):
                fit = count / (len(mine) + len(steps[j]) - count)
                distance = abs(_at(steps[j]) - _at(steps[i]))
                found.append((-round(fit / (1 + distance / AWHILE), 2), distance, -_at(steps[i]), i, j))
    return [(i, j) for *_, i, j in sorted(found)]


def _is_told(state: Wanted) -> bool:
    return state.is_announced or state.closed_because == Closed.HISTORY


def _linked(state: Wanted, reverts: int | None) -> Wanted:
    """A group with what it takes back; an improvement that does needs nobody."""
    closes = reverts is not None and state.kind is AlertKind.IMPROVEMENT and not state.closed_because
    return replace(state, reverts=reverts, closed_because=Closed.REVERT.value if closes else state.closed_because)


def _at(steps: Sequence[Step]) -> int:
    return max((one.head for one in steps), default=-1)


def _back(step: Step, ofseries: Sequence[Step], owner: Mapping[tuple[int, str, int], int]) -> set[int]:
    """The groups of the later steps that take a step back, alone or with those between."""
    found: set[int] = set()
    total = step.size
    for later in ofseries:
        if later.line != step.line or later.head <= step.head:
            continue
        total += later.size
        error = 2 * (step.error**2 + later.error**2) ** 0.5
        left = min(max(BACK * abs(step.size), error), 0.6 * abs(step.size))
        group = owner.get((later.series.id, later.line, later.head))
        opposite = (later.size > 0) != (step.size > 0)
        if group is not None and opposite and min(abs(total), abs(step.size + later.size)) <= left:
            found.add(group)
    return found
