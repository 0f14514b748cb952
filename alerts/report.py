"""Alerts as text, JSON and JUnit XML. Pure but for `why_series`, which looks up one time series."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from alerts.rules import Rules
from alerts.steps import from_tables
from alerts.why import item_words, listed, part_of, state, why, why_not
from db import alert_queries, detection
from db.alert_queries import STEPS, Event, Group, Member
from db.errors import UserError
from db.words import AlertKind, Triage
from report.junit import Case, Outcome, render
from report.words import bounds, case_line, percent
from stats.units import scaled

_GATED = (Triage.NEW.value, Triage.REOPENED.value)


def gated(groups: Sequence[Group], now: datetime) -> list[Group]:
    """The regressions that a gate closes on: announced, open, not muted, and nobody has said anything about them."""
    return [
        one
        for one in groups
        if one.kind == AlertKind.REGRESSION
        and one.is_open
        and one.announced_at is not None
        and one.triage in _GATED
        and not one.is_muted(now)
    ]


def as_line(group: Group, now: datetime) -> str:
    """One line of a list."""
    told = state(group)
    told += f" by {group.owner}" if group.owner and group.is_open else ""
    muted = " muted" if group.is_muted(now) else ""
    return f"{group.id:>5}  {group.kind:<13}  {told + muted:<22}  {_headline(group)}"


def as_text(group: Group, events: Sequence[Event], now: datetime, most: int = 40) -> str:
    """One alert in full: why, what moved, who did what."""
    lines = [f"alert {group.id}: {_headline(group)}", f"  why      {why(group, now)}"]
    said = (("state", _state(group, now)), ("owner", group.owner), ("note", group.note), ("link", group.link))
    lines += [f"  {name:<8} {text}" for name, text in said if text]
    if group.base and group.head:
        lines.append(f"  between  {group.base.name} and {group.head.name} {group.head.subject}".rstrip())
    lines += [f"  {_member(one)}" for one in group.members[:most]]
    lines += [f"  {item_words(item)}" for item in group.detail.get("items", ())[:most]]
    left = len(group.members) + len(group.detail.get("items", ())) - most
    if left > 0:
        lines.append(f"  and {left} more; --json lists all")
    lines += [f"  {_event(one)}" for one in events]
    return "\n".join(lines) + "\n"


def as_json(group: Group, now: datetime) -> dict[str, Any]:  # values of several JSON types
    """The public JSON fields of an alert."""
    plain = ("id", "kind", "evidence", "line", "subject", "reverts_id", "triage", "owner", "note", "link")
    times = ("opened_at", "announced_at", "closed_at", "muted_until")
    return {
        **{name: getattr(group, name) for name in plain},
        **{name: _iso(getattr(group, name)) for name in times},
        "closed_because": group.closed_because,
        "mute_reason": group.mute_reason,
        "reverted_by": list(group.reverted_by),
        "base": group.base.name if group.base else None,
        "head": group.head.name if group.head else None,
        "why": why(group, now),
        "members": [_member_json(one) for one in group.members],
        "items": list(group.detail.get("items", ())),
    }


def as_junit(groups: Sequence[Group], now: datetime) -> str:
    """What is open now as JUnit XML: regressions that a gate closes on fail, other alerts pass with their names."""
    failing = {one.id for one in gated(groups, now)}
    cases = [
        Case("alerts", f"{one.id}: {_headline(one)}", Outcome.FAILED, why(one, now), "\n".join(map(_member, one.live)))
        if one.id in failing
        else Case("alerts", f"{one.id}: {_headline(one)}", Outcome.PASSED)
        for one in groups
    ]
    return render("kvmperf detect", cases or [Case("alerts", "no open alert", Outcome.PASSED)])


def why_series(connection: Connection, series_id: int, rules: Rules, now: datetime) -> str:
    """One sentence on a time series: why it is part of an alert, or why it is of none.

    Raises UserError where there is no such time series.
    """
    rows = alert_queries.series_rows(connection, [series_id])
    if series_id not in rows:
        raise UserError(f"{series_id}: no time series of this number", "kvmperf alerts show ALERT --json names them")
    mine = alert_queries.groups_of(connection, series_id)
    for one in mine:
        if one.is_open and one.announced_at is not None and any(m.series.id == series_id for m in one.live):
            return f"alert {one.id}: {why(one, now)}"
    kept = detection.kept(connection, [series_id]).get(series_id)
    if kept is None:
        return "not judged yet: kvmperf detect"
    steps = from_tables({series_id: kept.steps}, rows, detection.places(connection)).get(series_id, [])
    families = int(detection.judged_series(connection).size)
    seen = why_not(steps, len(kept.points), rules.terms(rows[series_id]), families, now)
    return f"{seen}; {part_of(mine)}" if mine else seen


def _headline(group: Group) -> str:
    members = group.live or group.members
    if not members or group.kind not in STEPS:
        return group.subject or listed(group) or group.kind
    first = members[0]
    name = f"{first.series.benchmark.rsplit('/', 1)[-1]}.{first.series.metric}"
    more = f" (+{len(members) - 1})" if len(members) > 1 else ""
    at = f" at {group.head.name}" if group.head else ""
    return f"{percent(first.effect)} {name}{more} on {', '.join(group.hosts[:4])}{at}"


def _state(group: Group, now: datetime) -> str:
    muted = f", muted until {group.muted_until:%Y-%m-%d}" if group.is_muted(now) and group.muted_until else ""
    return f"{group.triage}, {'open' if group.is_open else 'closed'}, {group.evidence}{muted}"


def _member(one: Member) -> str:
    case = case_line(one.series.benchmark, sorted(one.series.params.items()))
    word = "worse" if one.worse else "better"
    what = f"{percent(one.effect):>8} {bounds((one.low, one.high)):<14} {word:<6}"
    gone = "" if one.is_live else f" ({one.evidence})"
    back = " (recovered)" if one.recovered else ""
    (before, after), unit = scaled((one.before, one.after), one.series.unit)
    levels = f"{before} -> {after} {unit}"
    return f"{what} {levels}  {case} {one.series.metric} {one.series.host}{gone}{back}"


def _event(one: Event) -> str:
    text = one.detail.get("text", "")
    return f"{one.at:%Y-%m-%d %H:%M} UTC  {one.actor}: {one.action}{f' ({text})' if text else ''}"


def _member_json(one: Member) -> dict[str, Any]:  # values of several JSON types
    names = ("before", "after", "effect", "z", "noise", "points", "boots", "worse", "recovered", "evidence")
    series = one.series
    return {
        "series": series.id,
        "benchmark": series.benchmark,
        "params": dict(series.params),
        "metric": series.metric,
        "unit": series.unit,
        "better": series.better,
        "host": series.host,
        "ci": [one.low, one.high],
        **{name: getattr(one, name) for name in names},
    }


def _iso(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
