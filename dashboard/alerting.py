"""Alerts as the Inbox reads them, and the only way in which pages write: what people say about them."""

from datetime import UTC, datetime

from alerts.triage import Action, Said, triage
from dashboard import loaders
from db import alert_queries, detection, outbox
from db.alert_queries import Event, Group, GroupFilters
from db.engine import reading, writing
from db.outbox import QueuedRow

MOST = 200  # alerts of one list


def groups(url: str, filters: GroupFilters) -> tuple[Group, ...]:
    """The alerts that pass, newest first. Never cached: somebody may have said something a moment ago."""
    with reading(loaders.engine(url)) as connection:
        return alert_queries.groups(connection, filters, MOST)


def group(url: str, number: str) -> tuple[Group, tuple[Event, ...]] | tuple[()]:
    """One alert with its history; nothing where there is none of this number."""
    if not number.isdecimal() or len(number) > 18:
        return ()
    with reading(loaders.engine(url)) as connection:
        found = alert_queries.group(connection, int(number))
        return (found[0], alert_queries.events(connection, int(number))) if found else ()


def followed(url: str, revision: int) -> list[int]:
    """The revisions of the line (tree and branch) that this one is on, in their order in time; none of a series."""
    with reading(loaders.engine(url)) as connection:
        places = detection.places(connection)
    line = places[revision].line if revision in places else None
    return [number for number, place in places.items() if place.line == line]


def judged(url: str) -> int:
    """How many time series `kvmperf detect` has judged."""
    with reading(loaders.engine(url)) as connection:
        return detection.judged_so_far(connection)


def unsent(url: str, most: int) -> tuple[dict[tuple[str, str], int], tuple[QueuedRow, ...]]:
    """How many messages there are per sink and state, and those that have not arrived, dead letters first."""
    with reading(loaders.engine(url)) as connection:
        return outbox.counts(connection), outbox.unsent(connection, most=most)


def say(url: str, number: int, action: Action, who: str, said: Said) -> Group:
    """Do one act to an alert, signed with the name of whoever is looking. UserError where it makes no sense."""
    with writing(loaders.engine(url)) as connection:
        return triage(connection, number, action, who, said, at=datetime.now(UTC))
