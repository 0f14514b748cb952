"""Answers "can I trust this machine?": which states a host went through, what changed, and when it last spoke."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from db import host_queries, queries
from db.host_queries import HostRow, InState
from db.hoststate import Difference, differences
from db.queries import Filters
from db.values import SeriesRow
from report import noise
from report.noise import NoiseReport, NoiseRow
from report.noise_text import percent, sentences
from report.selection import Chosen
from stats.policy import Policy
from stats.variance import Component

SILENT = timedelta(days=5)  # without an upload, before a host counts as silent
BOOTS, RUNS = 4, 3  # a side of the comparison that the noise is told for
MOST = 300  # metrics whose noise is told at once


@dataclass(frozen=True, slots=True)
class HostReport:
    """A host with the state of its newest run; empty where nothing is known of it."""

    host: HostRow
    state: Mapping[str, str]

    def silent(self, now: datetime) -> timedelta:
        """How long ago the last upload came."""
        return now - self.host.received if self.host.received else timedelta(0)

    def is_silent(self, now: datetime) -> bool:
        """Whether that is too long ago."""
        return self.silent(now) > SILENT


@dataclass(frozen=True, slots=True)
class Stretch:
    """Runs in one state that follow each other, over any number of boots; `changed` is against the stretch before."""

    state: Mapping[str, str]
    changed: tuple[Difference, ...]
    boots: tuple[str, ...]
    runs: int
    first: datetime | None
    last: datetime | None


def hosts(connection: Connection) -> tuple[HostReport, ...]:
    """Every host by name."""
    rows = host_queries.hosts(connection)
    states = queries.host_states(connection, {row.state_id for row in rows if row.state_id is not None})
    return tuple(HostReport(row, states.get(row.state_id or 0, {})) for row in rows)


def history(connection: Connection, host_id: int) -> tuple[Stretch, ...]:
    """The stretches of a host, oldest first. Runs of an unknown state end no stretch and are none."""
    rows = [row for row in host_queries.in_states(connection, host_id) if row.state_id is not None]
    states = queries.host_states(connection, {row.state_id for row in rows if row.state_id is not None})
    stretches: list[Stretch] = []
    for together in _together(rows):
        state = states.get(together[0].state_id or 0, {})
        changed = differences(stretches[-1].state, state) if stretches else ()
        stretches.append(_stretch(together, state, changed))
    return tuple(stretches)


def boots(connection: Connection, host_id: int) -> tuple[InState, ...]:
    """The boots of a host with the states they were in, in order."""
    return host_queries.in_states(connection, host_id)


def _together(rows: Sequence[InState]) -> list[list[InState]]:
    found: list[list[InState]] = []
    for row in rows:
        if found and found[-1][0].state_id == row.state_id:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def _stretch(rows: Sequence[InState], state: Mapping[str, str], changed: tuple[Difference, ...]) -> Stretch:
    starts = [row.first for row in rows if row.first]
    ends = [row.last for row in rows if row.last]
    return Stretch(
        state=state,
        changed=changed,
        boots=tuple(dict.fromkeys(row.boot or "unknown" for row in rows)),
        runs=sum(row.runs for row in rows),
        first=min(starts, default=None),
        last=max(ends, default=None),
    )


def meaning(report: NoiseReport) -> str:
    """What the noise of a host means for a comparison on it."""
    return " ".join(sentences(report))


def noise_of(connection: Connection, series: Sequence[SeriesRow]) -> NoiseReport:
    """The noise of the first `MOST` of these time series. Raises UserError where nothing was measured."""
    chosen: Filters = Chosen(ids=frozenset(one.id for one in series[:MOST]))
    return noise.build(connection, chosen, boots=BOOTS, runs=RUNS, policy=Policy())


@dataclass(frozen=True, slots=True)
class NoiseLine:
    """The noise of one metric in words: one standard deviation each, `-` where unknown; n: boots, runs, values.

    `smallest` is the change that the design of the report shows.
    """

    series: SeriesRow
    within_run: str
    between_runs: str
    between_boots: str
    smallest: str
    n: tuple[int, int, int]


def noise_rows(report: NoiseReport) -> list[NoiseLine]:
    """The noise as lines for a page."""
    return [_noise_line(row) for row in report.rows]


Bounds = tuple[float | None, float | None, float | None]


def levels(row: NoiseRow) -> tuple[Bounds, Bounds, Bounds] | tuple[()]:
    """Within a run, between runs, between boots: relative standard deviation and its 90 % interval; () if unknown."""
    found = row.spreads
    return (
        () if found is None else (_bounds(found.within_run), _bounds(found.between_runs), _bounds(found.between_boots))
    )


def _bounds(one: Component) -> Bounds:
    low, high = (None if bound is None else bound**0.5 for bound in (one.low, one.high))
    return one.spread, low, high


def _noise_line(row: NoiseRow) -> NoiseLine:
    found = row.spreads
    if found is None:
        return NoiseLine(row.series, "-", "-", "-", "-", (0, 0, 0))
    boots = found.between_boots
    bounds = [percent(bound**0.5) for bound in (boots.low, boots.high) if bound is not None]
    return NoiseLine(
        series=row.series,
        within_run=percent(found.within_run.spread),
        between_runs=percent(found.between_runs.spread),
        between_boots=f"{percent(boots.spread)} [{', '.join(bounds)}]" if bounds else percent(boots.spread),
        smallest=percent(row.smallest),
        n=(found.boots, found.runs, found.values),
    )
