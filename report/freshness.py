"""Whether something new is stored: a token that changes with every upload, re-parse and deletion, for caches."""

from sqlalchemy import Connection, func, select

from db.models import Capture, Run, Upload


def token(connection: Connection) -> str:
    """A short text, equal as long as nothing was stored, re-parsed or deleted. Cheap."""
    newest = [connection.execute(select(func.max(kind.id))).scalar() or 0 for kind in (Upload, Capture, Run)]
    deleted = connection.execute(
        select(func.count(), func.max(Capture.deleted_at)).where(Capture.deleted_at.is_not(None))
    ).one()
    return "-".join(str(part) for part in (*newest, deleted[0], deleted[1] or ""))
