"""Answers "is the system well?": what comes in, what was quarantined, how much is stored, who may send."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, Engine

from db import operation_queries, queries, tokens
from db.engine import HEAD, schema_version
from db.operation_queries import Act, Sizes, UploadRow
from db.tokens import TokenRow
from db.values import Quarantined
from report.words import held_because


@dataclass(frozen=True, slots=True)
class OperationReport:
    """The state of the database. `amounts` are rows by kind; tokens carry names and scopes, never a secret."""

    uploads: tuple[UploadRow, ...]
    quarantined: tuple[Quarantined, ...]
    amounts: dict[str, int]
    sizes: Sizes
    schema: str
    newest_schema: str
    tokens: tuple[TokenRow, ...]
    acts: tuple[Act, ...]

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why outputs could not be read, the most frequent first; a reason is told without the file it names."""
        return Counter(held_because(one.reason, one.source) for one in self.quarantined).most_common()


def build(engine: Engine, connection: Connection) -> OperationReport:
    """Everything at once."""
    return OperationReport(
        uploads=operation_queries.uploads(connection),
        quarantined=queries.quarantine(connection),
        amounts=operation_queries.amounts(connection),
        sizes=operation_queries.sizes(connection),
        schema=schema_version(engine),
        newest_schema=HEAD,
        tokens=tokens.listed(connection),
        acts=operation_queries.acts(connection),
    )


def by_day(uploads: Sequence[UploadRow]) -> dict[date, tuple[int, int]]:
    """Uploads and captures a day (UTC), the newest day first."""
    found: dict[date, tuple[int, int]] = {}
    for one in uploads:
        day = one.received_at.astimezone(UTC).date()
        count, captures = found.get(day, (0, 0))
        found[day] = (count + 1, captures + one.captures)
    return dict(sorted(found.items(), reverse=True))


def token_states(found: Sequence[TokenRow], now: datetime) -> list[str]:
    """What each token is at this moment: active, expired or revoked."""
    return [one.state(now) for one in found]
