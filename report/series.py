"""Answers "which patch did it?": what was measured of each version of a patch series, attributed patch by patch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Connection

from db import queries
from db.errors import UserError
from db.hoststate import Severity
from db.queries import Filters
from db.series import PatchRow, PatchSeriesRow, VersionRow, find, known_series
from db.values import IntArray, RevisionRow, SampleTable, SeriesRow
from report import comparability
from report.comparability import Comparability
from report.following import Fate, Followed, follow
from report.pairs import base_of, is_commit
from stats.attribution import Attribution, StateSamples, attribute_many
from stats.policy import Policy


@dataclass(frozen=True, slots=True)
class SeriesRequest:
    """Which series to show, and of what; `version` 0 means all. `vary` names host-state fields (globs)."""

    series: str
    version: int = 0
    filters: Filters = field(default_factory=Filters)
    vary: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class Result:
    """One metric of one test case on one host, over the states of a version."""

    series: SeriesRow
    attribution: Attribution
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """What was measured on a host: runs and boots by state (0 the base, k after patch k)."""

    host: str
    runs: Mapping[int, int]
    boots: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class MeasuredVersion:
    """A version with what was measured of it.

    `patches` are 1 … M, by their numbers alone where no mail is known. `base` names the revision that stands for the
    base where none was measured as such. `followed` is the range-diff against the version before, `same_as` the
    first place of each patch that was carried over unchanged, by its number here.
    """

    version: VersionRow
    patches: tuple[PatchRow, ...]
    base: str
    followed: tuple[Followed, ...]
    same_as: Mapping[int, str]
    places: tuple[Place, ...]
    results: tuple[Result, ...]

    @property
    def gaps(self) -> dict[str, tuple[int, ...]]:
        """The states without a run, by host; under an empty name those without one anywhere."""
        states = range(len(self.patches) + 1)
        found = {place.host: tuple(k for k in states if not place.runs.get(k)) for place in self.places}
        found = found or {"": tuple(states)}
        return {host: missing for host, missing in found.items() if missing}


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """A patch series, version by version."""

    series: PatchSeriesRow
    versions: tuple[MeasuredVersion, ...]
    request: SeriesRequest


def build(connection: Connection, request: SeriesRequest) -> SeriesReport:
    """Attribute what was measured of a series. Raises UserError for a series or version that nobody registered."""
    series = find(request.series, known_series(connection, diffs=True))
    wanted = [v for v in series.versions if request.version in (0, v.version)]
    if not wanted:
        has = ", ".join(f"v{v.version}" for v in series.versions)
        raise UserError(f"{series.name} has no v{request.version}", f"it has {has or 'no version yet'}")
    revisions = queries.revisions(connection)
    lines = [s for s in queries.series(connection, request.filters) if s.better != "none"]
    boots = {b.id for b in queries.boots(connection, request.filters.boot)} if request.filters.boot else None
    versions = []
    for version in wanted:
        states, base = states_of(series, version, revisions)
        table = queries.samples(connection, [s.id for s in lines], list(states), boots)
        known = queries.host_states(connection, {int(i) for i in np.unique(table.state) if i >= 0})
        versions.append(_measured(series, version, _Measured(table, states, base, lines, known), request))
    return SeriesReport(series, tuple(versions), request)


def states_of(
    series: PatchSeriesRow, version: VersionRow, revisions: Sequence[RevisionRow]
) -> tuple[dict[int, int], str]:
    """The state that each measured revision is (0: the base), and the name of a base borrowed from elsewhere.

    A commit that stands in two versions is one state of both. Where the base was not measured as such, the same base
    commit measured for another version or alone stands for it.
    """
    mine = [r for r in revisions if r.series == series.name and r.version == version.version]
    last = max([len(version.patches), *(r.patch or 0 for r in mine)])
    states = _shared(series, version, revisions) | {r.id: last if r.patch is None else r.patch for r in mine}
    if 0 in states.values():
        return states, ""
    borrowed = base_of(series, version, version.version, revisions)
    return states | {r.id: 0 for r in borrowed}, borrowed[0].name if borrowed else ""


def _shared(series: PatchSeriesRow, version: VersionRow, revisions: Sequence[RevisionRow]) -> dict[int, int]:
    """The states of other versions that are states of this one: the same commit after the same patches."""
    others = {v.version: v for v in series.versions if v.version != version.version}
    found: dict[int, int] = {}
    for revision in revisions:
        k, other = revision.patch or 0, others.get(revision.version or 0)
        if revision.series == series.name and other and 0 < k <= min(len(version.patches), len(other.patches)):
            known = version.patches[k - 1].commit
            if known and is_commit(revision, known) and _patch_ids(other, k) == _patch_ids(version, k):
                found[revision.id] = k
    return found


def _patch_ids(version: VersionRow, k: int) -> list[str]:
    return [patch.patch_id for patch in version.patches[:k]]


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """The raw material of a version: measurements, the state of each revision, the time series, the host states.

    `judged` remembers what pairs of sets of host states mean: a few, asked for every metric and patch.
    """

    table: SampleTable
    states: Mapping[int, int]
    base: str
    lines: Sequence[SeriesRow]
    hosts: Mapping[int, Mapping[str, str]]
    judged: dict[tuple[frozenset[int], frozenset[int]], Comparability] = field(default_factory=dict)


def _measured(
    series: PatchSeriesRow, version: VersionRow, measured: _Measured, request: SeriesRequest
) -> MeasuredVersion:
    last = max([len(version.patches), *measured.states.values()], default=0)
    patches = version.patches or tuple(PatchRow(0, k, "", "", "", "") for k in range(1, last + 1))
    before = [v for v in series.versions if v.version < version.version]
    return MeasuredVersion(
        version=version,
        patches=patches,
        base=measured.base,
        followed=follow(before[-1].patches, version.patches) if before and before[-1].patches else (),
        same_as=_same_as(before, version),
        places=_places(measured),
        results=_results(measured, len(patches) + 1, request) if patches else (),
    )


def _same_as(before: Sequence[VersionRow], version: VersionRow) -> dict[int, str]:
    """Where each patch first stood as it stands here, by its number."""
    found: dict[int, str] = {}
    for earlier in before:
        for row in follow(earlier.patches, version.patches):
            if row.fate in (Fate.SAME, Fate.MOVED) and row.old and row.new:
                found.setdefault(row.new.k, f"v{earlier.version}/{row.old.k}")
    return found


def _places(measured: _Measured) -> tuple[Place, ...]:
    table, hosts = measured.table, {s.id: s.host for s in measured.lines}
    seen: dict[str, set[tuple[int, int, int]]] = {}
    for one, run, revision, boot in zip(
        table.series.tolist(), table.run.tolist(), table.revision.tolist(), table.boot.tolist(), strict=True
    ):
        seen.setdefault(hosts[one], set()).add((measured.states[revision], run, boot))
    return tuple(
        Place(
            host,
            {k: len({run for state, run, _ in rows if state == k}) for k in {row[0] for row in rows}},
            {k: len({boot for state, _, boot in rows if state == k} - {-1}) for k in {row[0] for row in rows}},
        )
        for host, rows in sorted(seen.items())
    )


def _results(measured: _Measured, states: int, request: SeriesRequest) -> tuple[Result, ...]:
    """All metrics with two states or more, judged as one family."""
    chosen: list[tuple[SeriesRow, StateSamples, tuple[str, ...]]] = []
    state = np.array([measured.states[r] for r in measured.table.revision.tolist()], dtype=np.int64)
    for line in measured.lines:
        first, last = np.searchsorted(measured.table.series, [line.id, line.id + 1])
        rows, warnings = _comparable(measured, np.arange(first, last), state, request)
        if np.unique(state[rows]).size > 1:
            chosen.append((line, _samples(measured.table, rows, state), warnings))
    if not chosen:
        return ()
    answers = attribute_many([samples for _, samples, _ in chosen], states=states, policy=request.policy)
    return tuple(
        Result(line, answer, (*warnings, *answer.warnings))
        for (line, _, warnings), answer in zip(chosen, answers, strict=True)
    )


def _comparable(
    measured: _Measured, rows: IntArray, state: IntArray, request: SeriesRequest
) -> tuple[IntArray, tuple[str, ...]]:
    """The rows of states that were measured on a host like the first state's, and a word on those that were not."""
    present = np.unique(state[rows])
    if present.size < 2:
        return rows, ()
    first = rows[state[rows] == present[0]]
    kept, warnings = [first], []
    for k in present[1:].tolist():
        own = rows[state[rows] == k]
        shared = np.intersect1d(measured.table.boot[first], measured.table.boot[own])
        shared = shared[shared >= 0]
        sides = [side[np.isin(measured.table.boot[side], shared)] if shared.size else side for side in (first, own)]
        ids = [frozenset(np.unique(measured.table.state[side]).tolist()) for side in sides]
        if (ids[0], ids[1]) not in measured.judged:
            measured.judged[ids[0], ids[1]] = comparability.judge(ids[0], ids[1], measured.hosts, request.vary)
        found = measured.judged[ids[0], ids[1]]
        if found.severity in (Severity.BLOCK, Severity.DOWNGRADE):
            warnings.append(f"patch {k} left out: {found.why}")
        else:
            kept.append(own)
    return np.concatenate(kept), tuple(warnings)


def _samples(table: SampleTable, rows: IntArray, state: IntArray) -> StateSamples:
    counts = table.counts[rows]
    offsets = np.cumsum(table.counts) - table.counts
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return StateSamples(
        state=np.repeat(state[rows], counts),
        boot=np.repeat(table.boot[rows], counts),
        run=np.repeat(table.run[rows], counts),
        value=table.values[np.repeat(offsets[rows], counts) + within],
        start=np.repeat(table.started[rows], counts),
    )
