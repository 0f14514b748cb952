"""Uploads that came as bundles: one row a digest, with the receipt that its sender was given."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from db.models import Capture, Upload


def receipt(connection: Connection, digest: str) -> Mapping[str, object]:
    """What the sender of this bundle was told; empty where it is not stored."""
    return connection.execute(select(Upload.receipt).where(Upload.digest == digest)).scalar() or {}


def begin(connection: Connection, digest: str, origin: str, token: str = "") -> int:
    """The id of a new upload, or of one that was interrupted before it had a receipt; 0 where the bundle is stored.

    Another transaction that is storing it is waited for.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"received_at": datetime.now(UTC), "origin": origin, "digest": digest, "token": token}
    added = connection.execute(dialect.insert(Upload).values(row).on_conflict_do_nothing().returning(Upload.id))
    new: int | None = added.scalar()
    return new or _unfinished(connection, digest)


def identities(connection: Connection, upload_id: int) -> set[str]:
    """The captures that an upload has stored, as far as it came."""
    return set(connection.execute(select(Capture.identity).where(Capture.upload_id == upload_id)).scalars())


def finish(connection: Connection, upload_id: int, told: Mapping[str, object]) -> None:
    """Keep the receipt with the upload."""
    connection.execute(update(Upload).where(Upload.id == upload_id).values(receipt=dict(told)))


def _unfinished(connection: Connection, digest: str) -> int:
    """The id of an upload without a receipt, held until the transaction ends; 0 where it has one."""
    wanted = select(Upload.id, Upload.receipt).where(Upload.digest == digest).with_for_update()
    row = connection.execute(wanted).one()
    return 0 if row.receipt else int(row.id)
