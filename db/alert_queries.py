"""Questions about alerts: groups with their members and history. Frozen values out; callers own the connection."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from db import queries
from db.alert_models import AlertEvent, AlertGroup, AlertMember
from db.models import Benchmark, Host, Metric, TestCase, TimeSeries
from db.values import RevisionRow, SeriesRow
from db.words import AlertKind, Evidence, Triage

STEPS = (AlertKind.REGRESSION.value, AlertKind.IMPROVEMENT.value)
_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Member:
    """The step of one time series in a group. Effects are ratios minus one; `low` and `high` bound them at 95 %."""

    series: SeriesRow
    base_id: int
    head_id: int
    before: float
    after: float
    effect: float
    low: float
    high: float
    z: float
    noise: float
    points: int
    boots: int
    worse: bool
    recovered: bool
    evidence: str

    @property
    def is_live(self) -> bool:
        """Whether the data still show it."""
        return self.evidence in (Evidence.CANDIDATE, Evidence.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Group:
    """One alert: a change of the world, or a notice about something missing or failing.

    `reverts_id` is the group that this one takes back, `reverted_by` those that take this one back. Members: those
    that the data still show first, worse before better, the clearest first.
    """

    id: int
    kind: str
    evidence: str
    line: str
    subject: str
    base: RevisionRow | None
    head: RevisionRow | None
    detail: Mapping[str, Any]  # Any: JSON
    opened_at: datetime
    announced_at: datetime | None
    closed_at: datetime | None
    closed_because: str
    reverts_id: int | None
    reverted_by: tuple[int, ...]
    triage: str
    owner: str
    note: str
    link: str
    muted_until: datetime | None
    mute_reason: str
    members: tuple[Member, ...]

    @property
    def is_open(self) -> bool:
        """Whether it still needs someone."""
        return self.closed_at is None

    @property
    def live(self) -> tuple[Member, ...]:
        """The members that the data still show."""
        return tuple(one for one in self.members if one.is_live)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of its members, by name; those that a notice lists, where it has no members."""
        listed = (str(item.get("host", "")) for item in self.detail.get("items", ()))
        return tuple(sorted({one.series.host for one in self.members} | {name for name in listed if name}))

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """The benchmarks of its members, by name; those that a notice lists, where it has no members."""
        listed = (str(item.get("benchmark", "")) for item in self.detail.get("items", ()))
        return tuple(sorted({one.series.benchmark for one in self.members} | {name for name in listed if name}))

    def is_muted(self, now: datetime) -> bool:
        """Whether nobody wants to hear of it now."""
        return self.muted_until is not None and now < self.muted_until


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a group's history."""

    id: int
    group_id: int
    at: datetime
    actor: str
    action: str
    detail: Mapping[str, Any]  # Any: JSON


@dataclass(frozen=True, slots=True)
class GroupFilters:
    """Which groups are asked for; empty: all. `is_open` None: open and closed ones. Names are shell globs.

    Without `thin`, groups whose evidence never sufficed to announce them are left out, and notes about hosts.
    """

    is_open: bool | None = True
    kinds: tuple[str, ...] = ()
    triage: tuple[str, ...] = ()
    owner: str = ""
    benchmark: str = ""
    host: str = ""
    thin: bool = False
    before_id: int = 0  # only groups with smaller ids: the next page


def groups(connection: Connection, filters: GroupFilters = GroupFilters(), limit: int = 0) -> tuple[Group, ...]:
    """The groups that pass, newest first; at most `limit` of them (0: all)."""
    wanted = select(AlertGroup.__table__).order_by(AlertGroup.id.desc())
    if filters.is_open is not None:
        wanted = wanted.where(AlertGroup.closed_at.is_(None) if filters.is_open else AlertGroup.closed_at.is_not(None))
    if filters.kinds:
        wanted = wanted.where(AlertGroup.kind.in_(filters.kinds))
    if filters.triage:
        wanted = wanted.where(AlertGroup.triage.in_(filters.triage))
    if filters.before_id:
        wanted = wanted.where(AlertGroup.id < filters.before_id)
    if filters.owner:
        wanted = wanted.where(AlertGroup.owner == filters.owner)
    if not filters.thin:
        wanted = wanted.where(AlertGroup.announced_at.is_not(None))
    if limit and not (filters.benchmark or filters.host):
        wanted = wanted.limit(limit)
    found = _groups(connection, connection.execute(wanted).all())
    kept = [one for one in found if _named(one.benchmarks, filters.benchmark) and _named(one.hosts, filters.host)]
    return tuple(kept[:limit] if limit else kept)


def group(connection: Connection, group_id: int) -> tuple[Group, ...]:
    """The group with this id, or nothing."""
    if group_id >= 1 << 63:  # more than a database can look up
        return ()
    rows = connection.execute(select(AlertGroup.__table__).where(AlertGroup.id == group_id)).all()
    return tuple(_groups(connection, rows))


def groups_of(connection: Connection, series_id: int) -> tuple[Group, ...]:
    """All groups, open or not, that a time series is a member of, newest first."""
    mine = select(AlertMember.group_id).where(AlertMember.time_series_id == series_id)
    wanted = select(AlertGroup.__table__).where(AlertGroup.id.in_(mine)).order_by(AlertGroup.id.desc())
    return tuple(_groups(connection, connection.execute(wanted).all()))


def events(connection: Connection, group_id: int) -> tuple[Event, ...]:
    """The history of a group, oldest first."""
    wanted = select(AlertEvent.__table__).where(AlertEvent.group_id == group_id).order_by(AlertEvent.id)
    return tuple(Event(**row._mapping) for row in connection.execute(wanted))  # noqa: SLF001 (its public name)


def series_rows(connection: Connection, ids: Collection[int]) -> dict[int, SeriesRow]:
    """Time series in words, by id."""
    cases = {
        row.id: (row.name, row.params)
        for row in connection.execute(select(TestCase.id, Benchmark.name, TestCase.params).join(Benchmark))
    }
    wanted = (
        select(TimeSeries.id, Host.name, TimeSeries.test_case_id, Metric.name, Metric.unit, Metric.better)
        .join(Host, TimeSeries.host_id == Host.id)
        .join(Metric, TimeSeries.metric_id == Metric.id)
    )
    found: dict[int, SeriesRow] = {}
    for part in _chunks(sorted(ids)):
        for number, host, case, metric, unit, better in connection.execute(
            wanted.where(TimeSeries.id.in_(_listed(part)))
        ):
            found[number] = SeriesRow(number, host, *_case(cases, case), metric, unit, better)
    return found


def _case(cases: Mapping[int, tuple[str, Any]], case: int) -> tuple[str, int, Any]:  # Any: parameters
    name, params = cases[case]
    return name, case, params


def _groups(connection: Connection, rows: Sequence[Row[Any]]) -> list[Group]:  # Any: the columns of the table
    ids = [row.id for row in rows]
    members = _members(connection, ids)
    known = {one.id: one for one in queries.revisions(connection)} if rows else {}
    reverted: dict[int, list[int]] = {}
    for number, cause in connection.execute(
        select(AlertGroup.id, AlertGroup.reverts_id).where(AlertGroup.reverts_id.is_not(None)).order_by(AlertGroup.id)
    ):
        reverted.setdefault(cause or 0, []).append(number)
    same = [name for name in Group.__slots__ if name not in ("base", "head", "reverted_by", "members")]
    return [
        Group(
            **{name: getattr(row, name) for name in same},
            base=known.get(row.base_revision_id),
            head=known.get(row.head_revision_id),
            reverted_by=tuple(reverted.get(row.id, ())),
            members=tuple(members.get(row.id, ())),
        )
        for row in rows
    ]


def _members(connection: Connection, group_ids: Sequence[int]) -> dict[int, list[Member]]:
    rows: list[Row[Any]] = []  # Any: the columns of the table
    for part in _chunks(group_ids):
        wanted = select(AlertMember.__table__).where(AlertMember.group_id.in_(_listed(part)))
        rows += connection.execute(wanted.order_by(AlertMember.group_id, AlertMember.time_series_id)).all()
    named = series_rows(connection, {row.time_series_id for row in rows}) if rows else {}
    same = [name for name in Member.__slots__ if name not in ("series", "base_id", "head_id")]
    found: dict[int, list[Member]] = {}
    for row in rows:
        one = Member(
            **{name: getattr(row, name) for name in same},
            series=named[row.time_series_id],
            base_id=row.base_revision_id,
            head_id=row.head_revision_id,
        )
        found.setdefault(row.group_id, []).append(one)
    for listed in found.values():
        listed.sort(key=lambda one: (not one.is_live, not one.worse, -one.z, one.series.id))
    return found


def _named(names: Iterable[str], glob: str) -> bool:
    return not glob or any(fnmatchcase(part, glob) for name in names for part in (name, name.rsplit("/", 1)[-1]))


def _listed(ids: Sequence[int]) -> Any:  # Any: a bound list has no short name
    return bindparam(None, [int(one) for one in ids], expanding=True, literal_execute=True)


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[i : i + _CHUNK] for i in range(0, len(ids), _CHUNK))


CLOSED_BY_HAND = (Triage.EXPECTED.value, Triage.FIXED.value, Triage.INVALID.value)
