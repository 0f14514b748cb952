"""The audit trail: what was done to stored things by hand, and by whom. Only ever added to."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, insert

from db.models import Audit


def add(connection: Connection, actor: str, action: str, subject: str, detail: Mapping[str, object]) -> None:
    """Write down one act, in the transaction that does it."""
    row = {"at": datetime.now(UTC), "actor": actor[:200], "action": action, "subject": subject, "detail": dict(detail)}
    connection.execute(insert(Audit).values(row))
