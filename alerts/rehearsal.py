"""What rules would have done to the stored history: every group that they would announce, decided from nothing."""

from datetime import UTC, datetime

from sqlalchemy import Connection

from alerts.decide import Context, Wanted, decide
from alerts.rules import Rules
from alerts.settle import stored_steps
from db import detection

_EVER = datetime.min.replace(tzinfo=UTC)


def rehearse(connection: Connection, rules: Rules, now: datetime) -> list[Wanted]:
    """The groups that would be alerts, oldest first, as all data show them today. Nothing is written."""
    places = detection.places(connection)
    families = int(detection.judged_series(connection).size)
    context = Context(now, rules, places, families, since=_EVER)
    steps, series = stored_steps(connection, context)
    return [one for one in decide((), steps, series, context) if one.is_announced]


def as_line(one: Wanted, names: dict[int, str]) -> str:
    """One line: the revision, the clearest step, how many time series."""
    first = max(one.members, key=lambda member: member.z)
    what = f"{first.effect:+.1%} {first.series.benchmark.rsplit('/', 1)[-1]}.{first.series.metric}"
    more = f" and {len(one.members) - 1} more" if len(one.members) > 1 else ""
    closed = f" ({one.closed_because})" if one.closed_because else ""
    return f"{names.get(one.head, one.head)}: {one.kind.value}, {what} on {first.series.host}{more}{closed}"
