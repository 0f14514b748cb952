"""Answers "is head slower than base?": samples from the database, judged by `stats`, as one value."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import pairwise

import numpy as np
from sqlalchemy import Connection

from db import queries
from db.errors import UserError
from db.hoststate import Difference, Severity
from db.queries import Filters
from db.samples import without_collection
from db.series import Builds, find, harnesses, known_series
from db.values import IntArray, RevisionRow, RunCount, SampleTable, SeriesRow
from report import comparability, history, versions
from report import pairs as pairing
from report.comparability import Comparability
from report.names import resolve
from report.pairs import Kind, Pair
from report.words import counted
from stats.compare import Comparison, Policy, RunSamples, Verdict, compare
from stats.effects import GeometricMean, geometric_mean
from stats.samples import History
from stats.variance import Spreads

_DIRECTION = {"lower": -1, "higher": 1}
_UNTOLD: Builds = (frozenset(), frozenset())
_SPECIAL = {"failed": ("fail", "timeout", "killed"), "skipped": ("skip",)}


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be compared. `vary` names host-state fields that are themselves under comparison (globs)."""

    base: str
    heads: tuple[str, ...]
    filters: Filters = field(default_factory=Filters)
    vary: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of one test case on one host: base against one head. `pair` is what a table calls the two."""

    head: str
    series: SeriesRow
    result: Comparison
    comparability: Comparability
    base: str = ""
    pair: str = ""
    kind: Kind = Kind.HEAD

    @property
    def is_judged(self) -> bool:
        """Whether a test stands behind the verdict, and nothing about the hosts against it."""
        return self.result.p is not None and not self.comparability.why


@dataclass(frozen=True, slots=True)
class Absent:
    """A test case that one side lacks, or that did not pass there. `what` is a word: missing, new, failed, skipped."""

    head: str
    what: str
    host: str
    benchmark: str
    params: Mapping[str, str | int | float | bool]
    side: str
    runs: int


@dataclass(frozen=True, slots=True)
class Report:
    """A finished comparison: rows ordered by host, benchmark, test case, metric and pair.

    `base` is the first pair's: the versions of a series have one each. `told` are sentences about the comparison.
    """

    base: RevisionRow
    heads: tuple[RevisionRow, ...]
    rows: tuple[Row, ...]
    absent: tuple[Absent, ...]
    hosts: Mapping[str, Mapping[str, str]]
    differences: tuple[Difference, ...]
    geomeans: Mapping[str, GeometricMean]
    request: Request
    pairs: tuple[Pair, ...] = ()
    told: tuple[str, ...] = ()

    def count(self, verdict: Verdict, head: str = "") -> int:
        """How many rows have this verdict (for one head, or for all)."""
        return sum(row.result.verdict is verdict and head in ("", row.head) for row in self.rows)


@without_collection()
def build(connection: Connection, request: Request) -> Report:
    """Compare each head with base, or the versions of one series each with its own base and the version before.

    Raises UserError where a name is unknown or nothing is common to the two sides.
    """
    known = queries.revisions(connection)
    pairs, told = _plan(connection, request, known)
    ids = {revision for pair in pairs for revision in pair.ids}
    wanted = [s for s in queries.series(connection, request.filters) if s.better != "none"]
    boots = {b.id for b in queries.boots(connection, request.filters.boot)} if request.filters.boot else None
    table = queries.samples(connection, [s.id for s in wanted], ids, boots)
    states = queries.host_states(connection, {int(i) for i in np.unique(table.state) if i >= 0})
    builds = harnesses(connection, ids)
    past = history.earlier(connection, table, known, [r for pair in pairs for r in (pair.base, pair.head)])
    rows = _judge(_Data(table, {s.id: s for s in wanted}, states, builds, past), pairs, request)
    counts = queries.run_counts(connection, ids, request.filters, boots)
    absent = _absent(counts, pairs)
    if not rows:
        raise UserError(_nothing_common(pairs, table), _hint_for_nothing(request, absent))
    return Report(
        base=pairs[0].base,
        heads=tuple({pair.head.id: pair.head for pair in pairs if pair.kind is not Kind.REBASE}.values()),
        rows=rows,
        absent=absent,
        hosts=_hosts(table, {s.id: s for s in wanted}, states),
        differences=_all_differences(rows),
        geomeans=_geomeans(rows),
        request=request,
        pairs=pairs,
        told=(*told, *versions.sentences(rows)),
    )


def _plan(
    connection: Connection, request: Request, known: Sequence[RevisionRow]
) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
    """Which revisions are compared with which, and what is to be said about that."""
    names = (request.base, *request.heads)
    chosen = [resolve(name, known) for name in names]
    _refuse_same(chosen[0], chosen[1:], request)
    if not pairing.is_versions(names, chosen):
        return pairing.against(chosen[0], chosen[1:]), ()
    series = find(chosen[0].series, known_series(connection))
    about = {version.version: version for version in series.versions}
    numbers = [revision.version or 0 for revision in chosen]
    found = {n: pairing.base_of(series, about.get(n), n, known) for n in numbers}
    bases = {number: candidates[0] for number, candidates in found.items() if candidates}
    return pairing.of_versions(chosen, bases), tuple(pairing.notes(series, chosen, bases))


def _refuse_same(base: RevisionRow, heads: Sequence[RevisionRow], request: Request) -> None:
    for name, head in zip(request.heads, heads, strict=True):
        if head.id == base.id:
            raise UserError(
                f"{request.base!r} and {name!r} are the same revision ({base.name})",
                "label the two sides when the code alone does not tell them apart: kvmperf upload … --label NAME",
            )


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """What was measured: samples, time series and host states by id, builds of the test programs, noise before."""

    table: SampleTable
    series: Mapping[int, SeriesRow]
    states: Mapping[int, Mapping[str, str]]
    builds: Mapping[tuple[int, int], Builds]
    past: Mapping[int, Spreads]


_Key = tuple[int, int, int]  # time series, revision of the base, revision of the head


def _judge(data: _Data, pairs: Sequence[Pair], request: Request) -> tuple[Row, ...]:
    """All pairs of all time series as one family; those on hosts that differ are judged apart from it."""
    sides = _sides(data.table, pairs)
    judge = cache(partial(comparability.judge, states=data.states, vary=request.vary))  # the same states in most rows
    found = {key: judge(*states) for key, states in _states(data.table, sides).items()}
    results: dict[_Key, Comparison] = {}
    for family in (
        [key for key in sides if found[key].severity not in (Severity.BLOCK, Severity.DOWNGRADE)],
        [key for key in sides if found[key].severity in (Severity.BLOCK, Severity.DOWNGRADE)],
    ):
        if family:
            series = [data.series[key[0]] for key in family]
            before = history.for_pairs(data.past, data.table, [(k[0], np.r_[sides[k]]) for k in family if data.past])
            judged = _compare(data.table, [sides[key] for key in family], series, request.policy, before)
            results |= dict(zip(family, judged, strict=True))
    by_ids = {pair.ids: pair for pair in pairs}
    order = {series_id: position for position, series_id in enumerate(data.series)}
    rank = {ids: position for position, ids in enumerate(by_ids)}
    return tuple(
        _row(data, key, by_ids[key[1:]], _weighed(results[key], found[key]), found[key])
        for key in sorted(sides, key=lambda key: (order[key[0]], rank[key[1:]]))
    )


def _row(data: _Data, key: _Key, pair: Pair, result: Comparison, hosts: Comparability) -> Row:
    series = data.series[key[0]]
    builds = [data.builds.get((revision.id, series.test_case_id), _UNTOLD) for revision in (pair.base, pair.head)]
    for was, now in zip(*builds, strict=True):
        if was and now and was != now:
            left, right = (", ".join(sorted(names)) for names in (was, now))
            text = f"the test program changed with the code ({left} -> {right}): the difference may be the program's"
            result = replace(result, warnings=(*result.warnings, text))
            break
    return Row(pair.head.name, series, result, hosts, pair.base.name, pair.name, pair.kind)


_Sides = tuple[slice, slice]  # rows of the sample table: base, head
_Place = tuple[frozenset[int], frozenset[int]]  # the host states that each side was measured in


def _sides(table: SampleTable, pairs: Sequence[Pair]) -> dict[_Key, _Sides]:
    if not table.series.size:
        return {}
    is_new = (table.series[1:] != table.series[:-1]) | (table.revision[1:] != table.revision[:-1])
    starts = np.flatnonzero(np.r_[True, is_new])
    own: dict[int, dict[int, slice]] = {}
    of = zip(table.series[starts].tolist(), table.revision[starts].tolist(), strict=True)
    for (series, revision), rows in zip(of, pairwise([*starts.tolist(), table.series.size]), strict=True):
        own.setdefault(series, {})[revision] = slice(*rows)
    ids = [pair.ids for pair in pairs]
    return {
        (series, base, head): (rows[base], rows[head])
        for series, rows in own.items()
        for base, head in ids
        if base in rows and head in rows
    }


def _states(table: SampleTable, sides: Mapping[_Key, _Sides]) -> dict[_Key, _Place]:
    """The host states that both sides of each pair were measured in; the metrics of one run share them."""
    seen: dict[tuple[bytes, ...], _Place] = {}
    found = {}
    for key, rows in sides.items():
        stored = tuple(column[side].tobytes() for side in rows for column in (table.boot, table.state))
        if stored not in seen:
            base, head = (frozenset(states.tolist()) for states in _compared(table, rows))
            seen[stored] = base, head
        found[key] = seen[stored]
    return found


def _compared(table: SampleTable, sides: _Sides) -> list[IntArray]:
    """The states a verdict rests on: where boots are shared, only theirs (the blocked design leaves out the rest)."""
    base, head = (table.boot[rows] for rows in sides)
    shared = [boot for boot in np.intersect1d(base, head).tolist() if boot >= 0]
    states = [table.state[rows] for rows in sides]
    return (
        [state[np.isin(boot, shared)] for state, boot in zip(states, (base, head), strict=True)] if shared else states
    )


def _compare(
    table: SampleTable, pairs: Sequence[_Sides], series: Sequence[SeriesRow], policy: Policy, before: History | None
) -> tuple[Comparison, ...]:
    sides = [side for pair in pairs for side in pair]
    starts, sizes = np.array([(side.start, side.stop - side.start) for side in sides]).T
    place = np.repeat(np.arange(len(sides)), sizes)
    rows = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(place.size)
    ends = np.r_[0, np.cumsum(table.counts)]
    value = np.concatenate([table.values[ends[side.start] : ends[side.stop]] for side in sides])
    kept = np.flatnonzero(table.counts[rows])  # a run whose values are all warm-up says nothing
    place, rows = place[kept], rows[kept]
    samples = RunSamples(
        metric=place // 2,
        side=place % 2,
        boot=table.boot[rows],
        counts=table.counts[rows],
        value=value,
        start=table.started[rows],
    )
    better = np.array([_DIRECTION[s.better] for s in series])
    _, host = np.unique([s.host for s in series], return_inverse=True)
    found = compare(samples, metrics=len(pairs), better=better, policy=policy, history=before, host=host)
    if before is None:
        return found
    used = [one.design == "nested" and df > 0 for one, df in zip(found, before.df.tolist(), strict=True)]
    return tuple(
        replace(one, warnings=(*one.warnings, history.WARNING)) if lent else one
        for one, lent in zip(found, used, strict=True)
    )


def _weighed(result: Comparison, hosts: Comparability) -> Comparison:
    """The verdict after a look at the hosts: never a claim across host states that differ gravely."""
    if hosts.severity is Severity.BLOCK:
        return replace(result, verdict=Verdict.NOT_COMPARABLE, why=hosts.why, boots_more=None)
    if hosts.severity is Severity.DOWNGRADE:
        return replace(result, verdict=Verdict.INCONCLUSIVE, why=hosts.why, boots_more=None)
    return result


def _absent(counts: Sequence[RunCount], pairs: Sequence[Pair]) -> tuple[Absent, ...]:
    """What one side lacks, and what did not pass: missing is never zero and never a pass."""
    cases: dict[tuple[str, int], dict[int, Counter[str]]] = {}
    about: dict[tuple[str, int], RunCount] = {}
    for count in counts:
        key = (count.host, count.test_case_id)
        cases.setdefault(key, {}).setdefault(count.revision_id, Counter())[count.status] += count.runs
        about[key] = count
    found: list[Absent] = []
    for key, by_revision in cases.items():
        case = about[key]
        for pair in pairs:
            if pair.kind is Kind.HEAD:
                for what, side, runs in _lacks(by_revision.get(pair.base.id), by_revision.get(pair.head.id)):
                    found.append(Absent(pair.head.name, what, case.host, case.benchmark, case.params, side, runs))
    return tuple(found)


def _lacks(base: Counter[str] | None, head: Counter[str] | None) -> list[tuple[str, str, int]]:
    if base is None and head is None:
        return []
    measured = [bool(counter and counter["pass"]) for counter in (base, head)]
    found = []
    if measured == [True, False] and head is None:
        found = [("missing", "head", 0)]
    elif measured == [False, True] and base is None:
        found = [("new", "head", (head or Counter())["pass"])]
    for side, counter in (("base", base), ("head", head)):
        for word, statuses in _SPECIAL.items():
            runs = sum(counter[status] for status in statuses) if counter else 0
            found += [(word, side, runs)] if runs else []
    return found


def _hosts(
    table: SampleTable, wanted: Mapping[int, SeriesRow], states: Mapping[int, Mapping[str, str]]
) -> dict[str, Mapping[str, str]]:
    pairs = np.stack([table.series, table.state])
    is_new = np.ones(table.series.size, dtype=np.bool_)  # most rows repeat the one before
    is_new[1:] = (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)
    found: dict[str, Mapping[str, str]] = {}
    for series_id, state in pairs[:, is_new].T.tolist():
        host = wanted[series_id].host
        if host not in found or not found[host]:
            found[host] = states.get(state, {})
    return dict(sorted(found.items()))


def _all_differences(rows: Sequence[Row]) -> tuple[Difference, ...]:
    return tuple(dict.fromkeys(one for row in rows for one in row.comparability.differences))


def _geomeans(rows: Sequence[Row]) -> dict[str, GeometricMean]:
    """The geometric mean of head/base per head, over the times that were judged; none of a single one."""
    ratios: dict[str, list[float]] = {}
    for row in rows:
        is_time = row.series.better == "lower" and row.series.unit == "s"
        ratio = 1 + row.result.effect if row.result.effect is not None else 0.0
        if row.is_judged and row.kind is Kind.HEAD and is_time and ratio > 0:
            ratios.setdefault(row.head, []).append(ratio)
    several = {head: values for head, values in ratios.items() if len(values) > 1}  # of one it is the row again
    return {head: geometric_mean(np.array(values)) for head, values in several.items()}


def _nothing_common(pairs: Sequence[Pair], table: SampleTable) -> str:
    revisions = list({r.id: r for pair in pairs for r in (pair.base, pair.head)}.values())
    empty = [r.name for r in revisions if not (table.revision == r.id).any()]
    if empty:
        return f"no measurements of {', '.join(empty)} pass the filters"
    base, *heads = revisions
    return f"{base.name} and {', '.join(h.name for h in heads)} have no test case on a common host"


def _hint_for_nothing(request: Request, absent: Sequence[Absent]) -> str:
    if request.filters != Filters():
        return "loosen --benchmark, --metric, --host or --boot"
    failed = sum(one.runs for one in absent if one.what == "failed")
    return (
        f"{counted(failed, 'run')} failed: `kvmperf parse` on an output says why"
        if failed
        else "upload the missing side"
    )
