"""Raw bytes into the database: content-addressed, compressed, each once."""

import gzip
from collections.abc import Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from db.bulk import table_of
from db.listed import is_one_digest_of
from db.models import Artifact

_GZIP_LEVEL = 6
_CHUNK = 500  # digests in one IN list


def store(connection: Connection, contents: Mapping[str, bytes]) -> dict[str, int]:
    """The ids of raw bytes by their SHA-256, the keys; what is new is stored compressed, all at once."""
    found = _known(connection, list(contents))
    new = [sha256 for sha256 in contents if sha256 not in found]
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    add = dialect.insert(table_of(Artifact)).on_conflict_do_nothing()
    rows = [
        {
            "sha256": sha256,
            "size": len(contents[sha256]),
            "content": gzip.compress(contents[sha256], _GZIP_LEVEL, mtime=0),
        }
        for sha256 in new
    ]
    if rows:
        connection.execute(add, rows)
    return found | _known(connection, new)


def _known(connection: Connection, digests: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(digests), _CHUNK):
        wanted = select(Artifact.sha256, Artifact.id).where(
            is_one_digest_of(Artifact.sha256, digests[start : start + _CHUNK])
        )
        found.update((row.sha256, row.id) for row in connection.execute(wanted))
    return found
