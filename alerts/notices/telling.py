"""What a piece of news says: the alert as it stands now, in the words that every door uses."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import Connection

from alerts.notices.notice import Kind, Moved, Notice
from alerts.notices.planning import Tell
from alerts.why import item_words, listed
from db import alert_queries
from db.alert_queries import Event, Group, Member
from db.outbox import QueuedRow
from db.reproduce import command_of
from db.series import known_series
from db.values import RevisionRow
from db.words import AlertKind
from report.regression import LORE
from report.words import case_line

Why = Callable[[Group, datetime], str]
_OTHER = {
    AlertKind.MISSING_DATA.value: Kind.MISSING,
    AlertKind.FAILING_TEST.value: Kind.FAILING,
    AlertKind.NEWLY_SKIPPED.value: Kind.FAILING,
}
_MOST_ITEMS = 200


def teller(dashboard: str, why: Why, now: datetime) -> Tell:
    """The function that turns news into what it says; news of a muted alert, or of none, says nothing."""

    def tell(connection: Connection, row: QueuedRow) -> tuple[Notice, ...]:
        found = alert_queries.group(connection, row.group_id) if row.group_id is not None else ()
        if not found or found[0].is_muted(now):
            return ()
        return (notice(connection, found[0], _kind(row.kind, found[0]), row.created, dashboard, why(found[0], now)),)

    return tell


def notice(connection: Connection, group: Group, kind: Kind, at: datetime, dashboard: str, why: str) -> Notice:
    """What there is to say about a group."""
    members = group.live or group.members
    covers = _covers(connection, group.head)
    links = [LORE + one for one in covers] + ([group.link] if group.link else [])
    command = ""
    if members and group.head is not None:
        command = command_of(connection, members[0].head_id, members[0].series.test_case_id)
    return Notice(
        kind=kind,
        group=group.id,
        at=at,
        title=title(group),
        why=why,
        state=group.triage,
        owner=group.owner,
        base=group.base.name if group.base else "",
        head=group.head.name if group.head else "",
        base_full=described(group.base) if group.base else "",
        head_full=described(group.head) if group.head else "",
        moved=tuple(_moved(one) for one in members),
        details=details(group),
        hosts=group.hosts,
        command=command,
        link=f"{dashboard}/inbox?{urlencode({'alert': group.id})}" if dashboard else "",
        links=tuple(links),
        cover=covers[0] if covers else "",
    )


def title(group: Group) -> str:
    """One line: `39.2% regression of dirty_log_perf_test.clear_dirty_log_time on v6.13-rc1`."""
    members = group.live or group.members
    if not members:
        named = group.subject or listed(group)
        return f"{group.kind}: {named}" if named else group.kind
    first = members[0]
    word = group.kind if group.kind in (AlertKind.REGRESSION, AlertKind.IMPROVEMENT) else "change"
    name = f"{first.series.benchmark.rsplit('/', 1)[-1]}.{first.series.metric}"
    where = f" on {group.head.name}" if group.head else ""
    return f"{_size(first)} {word} of {name}{where}"


def details(group: Group) -> tuple[str, ...]:
    """The lines of a notice that lists things: silent hosts, failing tests."""
    return tuple(item_words(one) for one in group.detail.get("items", ())[:_MOST_ITEMS])


def described(revision: RevisionRow) -> str:
    """A revision in full: its name, what else names it, and its subject."""
    told = ", ".join(text for text in (revision.commit[:12], revision.kernel) if text and text != revision.name)
    subject = f' "{revision.subject}"' if revision.subject else ""
    return f"{revision.name}{f' ({told})' if told else ''}{subject}"


def happened(events: tuple[Event, ...]) -> datetime | None:
    """When something last happened to an alert."""
    return max((one.at for one in events), default=None)


def _size(member: Member) -> str:
    return f"{abs(member.effect):.1%}" if abs(member.effect) < 9 else f"{1 + member.effect:.3g}-fold"


def _kind(word: str, group: Group) -> Kind:
    """The kind of a piece of news; a word that is not known here is a change."""
    if word == Kind.OPENED or word not in tuple(Kind):
        return _OTHER.get(group.kind, Kind.OPENED if word == Kind.OPENED else Kind.CHANGED)
    return Kind(word)


def _moved(one: Member) -> Moved:
    series = one.series
    return Moved(
        benchmark=series.benchmark,
        case=case_line(series.benchmark, sorted(series.params.items())),
        metric=series.metric,
        unit=series.unit,
        better=series.better,
        host=series.host,
        before=one.before,
        after=one.after,
        effect=one.effect,
        ci=(one.low, one.high),
    )


def _covers(connection: Connection, head: RevisionRow | None) -> list[str]:
    """The Message-ID of the cover letter of the series that the revision belongs to, if any."""
    if head is None or not head.series:
        return []
    return [
        version.message_id
        for series in known_series(connection)
        for version in series.versions
        if (series.name, version.version) == (head.series, head.version) and version.message_id
    ]
