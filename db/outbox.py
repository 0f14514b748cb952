"""The outbox: what is to be told, written in the transaction that decides it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from db.alert_models import Notification
from db.bulk import table_of


def enqueue(
    connection: Connection,
    key: str,
    kind: str,
    payload: Mapping[str, Any],
    *,
    at: datetime,
    group_id: int | None = None,
) -> bool:
    """Put one piece of news into the outbox, for no sink yet; false where news with this key is there already."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {
        "key": key,
        "kind": kind,
        "group_id": group_id,
        "payload": json.dumps(payload, sort_keys=True, allow_nan=False),
        "created": at,
        "next_attempt": at,
        **dict.fromkeys(("sink", "last_error", "message_id"), ""),
        "state": "pending",
        "attempts": 0,
    }
    done = connection.execute(dialect.insert(table_of(Notification)).values(row).on_conflict_do_nothing())
    return bool(done.rowcount)
