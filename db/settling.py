"""Revisions that a registration explains: each gets its place and its whole commit, and equal ones become one."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from db import audit
from db.keys import revision_key
from db.models import Base, Revision
from db.values import RevisionFacts

_TABLES = Base.metadata.sorted_tables
_LEAST_COMMIT = 7  # digits of an abbreviated commit


def is_commit(given: str, known: str) -> bool:
    """Whether two commits, perhaps abbreviated, can be the same."""
    shorter = min(len(given), len(known))
    return shorter >= _LEAST_COMMIT and given[:shorter] == known[:shorter]


def settle(connection: Connection, version_id: int, commits: Mapping[int, str]) -> int:
    """Give revisions of these patches (commit by number) their place; how many belong to the version now.

    What was measured by commit alone and by number are the same code: their runs come to one revision, and the audit
    says so. A revision that was told another commit for its number stays what it is.
    """
    ours = Revision.series_version_id == version_id
    free = Revision.series_version_id.is_(None) & (Revision.label == "") & (Revision.commit != "")
    for row in connection.execute(select(*_COLUMNS).where(or_(ours, free)).order_by(Revision.id)).all():
        found = _Found(*row)
        k = found.patch_k if found.is_placed else _number(found.commit, commits)
        known = commits.get(k or 0, "")
        if k is None or (known and found.commit and not is_commit(found.commit, known)):
            continue
        _settle(connection, found, version_id, k, known or found.commit)
    return connection.execute(select(func.count()).select_from(Revision).where(ours)).scalar_one()


_COLUMNS = (
    Revision.id,
    Revision.key,
    Revision.kernel,
    Revision.commit,
    Revision.label,
    Revision.config_hash,
    Revision.dirty,
    Revision.patch_k,
    Revision.series_version_id.is_not(None),
)


@dataclass(frozen=True, slots=True)
class _Found:
    id: int
    key: str
    kernel: str
    commit: str
    label: str
    config_hash: str
    dirty: bool
    patch_k: int | None
    is_placed: bool


def _number(commit: str, commits: Mapping[int, str]) -> int | None:
    return next((k for k, known in commits.items() if is_commit(commit, known)), None)


def _settle(connection: Connection, found: _Found, version_id: int, k: int, commit: str) -> None:
    facts = RevisionFacts(
        kernel=found.kernel,
        commit=commit,
        label=found.label,
        config_hash=found.config_hash,
        dirty=found.dirty,
        patch=k,
    )
    key = revision_key(facts, version_id)
    if key == found.key:
        return
    there = connection.execute(select(Revision.id).where(Revision.key == key)).scalar()
    if there is None:
        place = {"key": key, "commit": commit, "series_version_id": version_id, "patch_k": k}
        connection.execute(update(Revision).where(Revision.id == found.id).values(place))
    else:
        _unite(connection, found, int(there))


def _unite(connection: Connection, found: _Found, there: int) -> None:
    """Bring everything that hangs on a revision to another of the same code; both stay where that is impossible."""
    try:
        with connection.begin_nested():
            for table in _TABLES:
                for key in table.foreign_keys:
                    if key.column is Revision.__table__.c.id:
                        connection.execute(update(table).where(key.parent == found.id).values({key.parent.name: there}))
            connection.execute(delete(Revision).where(Revision.id == found.id))
    except IntegrityError:
        return
    audit.add(
        connection, "kvmperf series add", "unite", f"revision {found.id}", {"into": there, "commit": found.commit}
    )
