"""Alerts as entries of a feed."""

from datetime import datetime

from sqlalchemy import Connection

from alerts.notices import text
from alerts.notices.feed import Entry
from alerts.notices.notice import Kind
from alerts.notices.telling import happened, notice
from alerts.why import why
from db import alert_queries
from db.alert_queries import Group, GroupFilters

MOST = 50


def entries(connection: Connection, authority: str, dashboard: str, now: datetime) -> tuple[Entry, ...]:
    """The newest alerts, open or not, newest first. `authority` is the host that the ids belong to."""
    groups = alert_queries.groups(connection, GroupFilters(is_open=None), MOST)
    return tuple(_entry(connection, one, authority, dashboard, now) for one in groups)


def _entry(connection: Connection, group: Group, authority: str, dashboard: str, now: datetime) -> Entry:
    published = group.announced_at or group.opened_at
    said = notice(connection, group, Kind.OPENED, published, dashboard, why(group, now))
    state = group.triage if group.is_open else f"{group.triage}, closed: {group.closed_because}"
    return Entry(
        id=f"tag:{authority},2026:alert/{group.id}",
        title=said.title,
        published=published,
        updated=happened(alert_queries.events(connection, group.id)) or published,
        summary=f"{said.why} ({state})",
        text=text.body(said),
        link=said.link,
        words=tuple(dict.fromkeys((group.kind, "open" if group.is_open else "closed", group.triage))),
    )
