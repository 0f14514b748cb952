"""Makes the stored groups what the decisions say, with a line of history for each change and news in the outbox.

One transaction, begun and ended by the caller: what was decided and the news of it are stored together or not at all.
Nothing is sent from here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from alerts.decide import Closed, Context, Wanted, decide
from alerts.notices.notice import Kind
from alerts.steps import Step, from_tables
from db import alert_queries, alert_writes, detection, outbox
from db.alert_queries import Group, GroupFilters, Member
from db.values import SeriesRow
from db.words import Evidence, Triage

ACTOR = "detect"
_EVERYTHING = GroupFilters(is_open=None, kinds=alert_queries.STEPS, thin=True)
_QUIET = (Triage.EXPECTED.value, Triage.INVALID.value)


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one group: a line of history, and whether it is news."""

    action: str
    news: Kind | None = None
    detail: Mapping[str, Any] | None = None  # Any: JSON


def settle(connection: Connection, context: Context) -> list[tuple[int, str]]:
    """Bring every group of steps to what the stored steps say; the groups that changed, with what happened."""
    steps, series = stored_steps(connection, context)
    stored = alert_queries.groups(connection, _EVERYTHING)
    series |= {one.series.id: one.series for group in stored for one in group.members}
    wanted = decide(stored, steps, series, context)
    ids = [_placed(connection, one, context.now) for one in wanted]
    done: list[tuple[int, str]] = []
    for number, one in zip(ids, wanted, strict=True):
        reverts = ids[one.reverts] if one.reverts is not None else None
        quiet_as = _is_told_by_its_cause(one, wanted)
        for change in _apply(connection, number, one, (reverts, context.now)):
            event = alert_writes.add_event(
                connection, number, context.now, (ACTOR, change.action), dict(change.detail or {})
            )
            done.append((number, change.action))
            is_told = change.news is not None and not (quiet_as and change.news is Kind.OPENED)
            if is_told and change.news is not None and _wants_news(one, context.now):
                key = f"{change.news}:{number}:{event}"
                outbox.enqueue(connection, key, change.news.value, {}, at=context.now, group_id=number)
    return done


def stored_steps(connection: Connection, context: Context) -> tuple[dict[int, list[Step]], dict[int, SeriesRow]]:
    """The steps of every time series that has some, and these time series in words."""
    tables = detection.all_steps(connection)
    series = alert_queries.series_rows(connection, tables.keys())
    return from_tables(tables, series, context.places), series


def _placed(connection: Connection, one: Wanted, now: datetime) -> int:
    """The id of a group; a new one is stored, bare."""
    if one.group is not None:
        return one.group.id
    columns = {
        "kind": one.kind.value,
        "evidence": Evidence.CANDIDATE.value,
        "line": one.line,
        "opened_at": now,
        "owner": ", ".join(one.terms.owners)[:200],
        "muted_until": one.terms.muted_until,
        "mute_reason": one.terms.reason,
    }
    return alert_writes.add_group(connection, columns)


def _apply(connection: Connection, number: int, one: Wanted, links: tuple[int | None, datetime]) -> list[Change]:
    reverts, now = links
    group = one.group
    if group is None or _told(one.members) != _told(group.members):
        alert_writes.set_members(connection, number, [_columns(member) for member in one.members])
    wanted: dict[str, Any] = {  # Any: column values
        "kind": one.kind.value,
        "evidence": one.evidence.value,
        "base_revision_id": one.base or None,
        "head_revision_id": one.head or None,
        "reverts_id": reverts,
        "closed_because": one.closed_because,
    }
    if one.is_announced and (group is None or group.announced_at is None):
        wanted["announced_at"] = now
    if bool(one.closed_because) == (group is None or group.is_open):
        wanted["closed_at"] = now if one.closed_because else None
    changed = {name: value for name, value in wanted.items() if group is None or value != _stored(group, name)}
    if changed:
        alert_writes.change_group(connection, number, changed)
    return _changes(one, changed)


def _stored(group: Group, name: str) -> object:
    if name == "base_revision_id":
        return group.base.id if group.base else None
    if name == "head_revision_id":
        return group.head.id if group.head else None
    return getattr(group, name)


def _changes(one: Wanted, changed: Mapping[str, Any]) -> list[Change]:
    """The lines of history for what changed; members that come and go inside a group are none."""
    group = one.group
    found = [Change("opened")] if group is None else []
    if "announced_at" in changed:
        found.append(Change("announced", Kind.OPENED))
    if group is not None and "closed_at" in changed and changed["closed_at"] is None:
        found.append(Change("reopened", Kind.REOPENED, {"was": group.closed_because}))
    if group is not None and "head_revision_id" in changed and not one.closed_because:
        detail = {"from": group.head.name if group.head else "", "to_id": one.head}
        found.append(Change("moved", Kind.CHANGED if group.announced_at else None, detail))
    if group is not None and changed.get("evidence") == Evidence.CONFIRMED and "announced_at" not in changed:
        found.append(Change("confirmed", Kind.CHANGED if group.announced_at and not one.closed_because else None))
    if changed.get("closed_because"):
        found.append(_closing(one))
    if group is not None and changed.get("reverts_id"):
        found.append(Change("linked", None, {"reverts": changed["reverts_id"]}))
    return found


def _closing(one: Wanted) -> Change:
    was_told = one.group is not None and one.group.announced_at is not None and one.group.is_open
    news = {Closed.RECOVERED.value: Kind.RECOVERED, Closed.WITHDRAWN.value: Kind.WITHDRAWN}.get(one.closed_because)
    detail = {"evidence": one.evidence.value} if one.closed_because == Closed.WITHDRAWN else None
    return Change(one.closed_because, news if was_told else None, detail)


def _is_told_by_its_cause(one: Wanted, wanted: Sequence[Wanted]) -> bool:
    """Whether the news that its cause has recovered says it all."""
    cause = wanted[one.reverts] if one.reverts is not None else None
    was_told = cause is not None and cause.group is not None and cause.group.announced_at is not None
    return was_told and one.closed_because == Closed.REVERT


def _wants_news(one: Wanted, now: datetime) -> bool:
    group = one.group
    if group is None:
        return one.terms.muted_until is None or not one.terms.is_muted(now)
    return not group.is_muted(now) and group.triage not in _QUIET


def _told(members: Sequence[Member]) -> dict[int, Mapping[str, Any]]:  # Any: column values
    return {one.series.id: _columns(one) for one in members}


def _columns(member: Member) -> dict[str, Any]:  # Any: column values
    same = [name for name in Member.__slots__ if name not in ("series", "base_id", "head_id")]
    return {
        **{name: getattr(member, name) for name in same},
        "time_series_id": member.series.id,
        "base_revision_id": member.base_id,
        "head_revision_id": member.head_id,
    }
