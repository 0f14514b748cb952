"""Why an alert was raised, or closed, or why nothing was: one sentence from one place for every door. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from alerts.decide import Closed
from alerts.evidence import lone
from alerts.rules import Terms
from alerts.steps import Step
from db.alert_queries import STEPS, Group, Member
from db.words import AlertKind, Evidence, Triage
from report.words import bounds, counted, percent

_LISTS = {
    AlertKind.MISSING_DATA.value: "nothing has come from",
    AlertKind.FAILING_TEST.value: "passed before and does not pass now:",
    AlertKind.NEWLY_SKIPPED.value: "passed before and is skipped now:",
}


def why(group: Group, now: datetime) -> str:
    """One sentence: what was seen, how surely, where; and what became of it."""
    seen = _seen(group) if group.kind in STEPS else _noticed(group)
    became = _became(group, now)
    return f"{seen}; {became}" if became else seen


def item_words(one: Mapping[str, str]) -> str:
    """`bm7: silent since 2026-02-25`, `mmu_stress_test on bm7: fail at v6.13`."""
    what = " of ".join(one[name] for name in ("metric", "case") if one.get(name))
    told = [one.get("status") or "silent"] + ([f"since {one['since']}"] if one.get("since") else [])
    told += [f"at {one['at']}"] if one.get("at") else []
    return f"{what} on {one['host']}: {' '.join(told)}" if what else f"{one['host']}: {' '.join(told)}"


def listed(group: Group) -> str:
    """The first thing that a notice lists and how many more there are; empty where it lists nothing."""
    items = group.detail.get("items", ())
    more = f" (+{len(items) - 1})" if len(items) > 1 else ""
    return f"{item_words(items[0])}{more}" if items else ""


def why_not(steps: Sequence[Step], points: int, terms: Terms, families: int, now: datetime) -> str:
    """One sentence on a time series without an open alert: what was looked at, and what kept it from being one."""
    if points < 4:
        return f"{counted(points, 'revision')} measured: no change can be told from noise before the fourth"
    if not steps:
        return f"no step in {points} revisions that its noise does not explain"
    last = steps[-1]
    seen = f"the last of {counted(len(steps), 'step')} in {points} revisions is {percent(last.row.effect)}"
    return f"{seen} over {int(last.row.points)}: {_reason(last, terms, families, now)}"


def _reason(step: Step, terms: Terms, families: int, now: datetime) -> str:
    row = step.row
    reasons = (
        (bool(row.at_host), "exactly where the host state changes"),
        (step.evidence is Evidence.TRANSIENT, "it came back"),
        (step.evidence is Evidence.NOISY, "this series does that by itself"),
        (abs(row.effect) < terms.margin, f"smaller than the margin of {terms.margin:.1%}"),
        (row.boots < terms.min_boots, f"{counted(row.boots, 'boot')}, and its rule asks for {terms.min_boots}"),
        (terms.is_muted(now), f"muted by a rule: {terms.reason}"),
        (step.evidence is Evidence.CANDIDATE, "too few revisions so far"),
        (row.z < lone(families), f"{row.z:.1f} standard errors, and alone it needs {lone(families):.1f}"),
    )
    return next((text for holds, text in reasons if holds), "enough for an alert, alone or with its group")


def part_of(groups: Sequence[Group], most: int = 4) -> str:
    """The alerts that a time series is a member of, with their states: `part of alert 7, closed (recovered)`."""
    listed = [f"alert {one.id}, {state(one)}{', not announced' * (one.announced_at is None)}" for one in groups[:most]]
    more = [f"{len(groups) - most} more"] if len(groups) > most else []
    return f"part of {' and '.join([*listed, *more])}"


def state(group: Group) -> str:
    """Where an alert stands: its triage, or why it is closed."""
    because = group.triage if group.closed_because == Closed.BY_HAND else group.closed_because
    return group.triage if group.is_open else f"closed ({because})"


def _seen(group: Group) -> str:
    members = group.live or group.members
    if not members:
        return "its time series are gone"
    first = members[0]
    word = "worse" if first.worse else "better"
    step = f"{first.series.metric} on {first.series.host} is {percent(first.effect)} {bounds((first.low, first.high))}"
    between = f" between {group.base.name} and {group.head.name}" if group.base and group.head else ""
    clear = f"{first.z:.1f} standard errors, noise {first.noise:.2%}, {counted(first.points, 'revision')} since"
    return f"{step} {word}{between}, {clear}{_company(members)}"


def _company(members: Sequence[Member]) -> str:
    if len(members) == 1:
        return ""
    worse = sum(one.worse for one in members)
    hosts = len({one.series.host for one in members})
    told = f"{worse} worse and {len(members) - worse} better" if 0 < worse < len(members) else "all alike"
    return f"; with it moved {len(members) - 1} more series on {counted(hosts, 'host')} ({told})"


def _noticed(group: Group) -> str:
    items = group.detail.get("items", ())
    first = items[0] if items else {}
    named = " ".join(str(first[key]) for key in ("case", "metric") if first.get(key))
    host = f"{'on' if named else 'host'} {first.get('host', '')}"
    since = f" since {first['since']}" if first.get("since") else ""
    more = f" and {len(items) - 1} more" if len(items) > 1 else ""
    return f"{_LISTS.get(group.kind, group.kind)} {named + ' ' if named else ''}{host}{since}{more}"


def _became(group: Group, now: datetime) -> str:
    """What happened to it since, as far as it matters most."""
    by = f" (alert {group.reverted_by[-1]})" if group.reverted_by else ""
    closed = {
        Closed.RECOVERED: f"it has recovered{by}" if group.kind != AlertKind.IMPROVEMENT else f"it is lost again{by}",
        Closed.REVERT: f"it takes back alert {group.reverts_id}",
        Closed.WITHDRAWN: _withdrawn(group),
        Closed.MERGED: "later data moved it to another alert's revisions, which has it now",
        Closed.HISTORY: "it was old when detection first saw it",
        Closed.BY_HAND: _by_hand(group),
    }
    if group.closed_because in tuple(Closed):
        return closed[Closed(group.closed_because)]
    if group.is_muted(now) and group.muted_until is not None:
        return f"muted until {group.muted_until:%Y-%m-%d}: {group.mute_reason}"
    return "not announced: too little to disturb anyone" if group.announced_at is None else ""


def _by_hand(group: Group) -> str:
    note = f": {group.note}" if group.note else ""
    return f"closed as {Triage(group.triage).value}{note}"


def _withdrawn(group: Group) -> str:
    if group.evidence == Evidence.TRANSIENT:
        return "withdrawn: it came back before it was confirmed"
    if group.evidence == Evidence.NOISY:
        return "withdrawn: these series do that by themselves"
    return "withdrawn: later data do not show it"
