"""Where between two commits a metric changed: the stored runs of the commits in between, as a noisy bisection."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from sqlalchemy import Connection

from db import queries
from db.errors import UserError
from db.queries import Filters
from db.values import SampleTable, SeriesRow
from report.noise import replicates
from report.words import case_line
from stats.bisection import DECIDED, Bisection, BootNoise, Change, Observation
from stats.variance import Component, components

LEAST_RUNS = 3  # at each end, before anything is decided: the noise is learnt from them
_SHOWN = 6  # metrics that an error names
MOST_PLACES = 48  # the cost of choosing the next place grows with their square
NOTHING = 0.1  # prior that the two ends do not differ at all
LEAST_SPREAD = 1e-8  # variance of logs, about 0.01 %: runs that agree better are not that certain


@dataclass(frozen=True, slots=True)
class Question:
    """Which metric is looked at. `params` narrow the test case down: names with their values as texts."""

    metric: str
    benchmark: str = ""
    host: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spot:
    """A commit of the range, by its place 0 (good) … last (bad), with its runs and the chance that it is bad."""

    place: int
    commit: str
    runs: int
    median: float | None
    bad: float | None


@dataclass(frozen=True, slots=True)
class Search:
    """What is known so far. `first` and `last` bound the first bad commit (places first + 1 … last) at `posterior`.

    `next_place` is where a run tells most. `is_decided` says that no commit inside the bounds can be told from the
    others any more, or that good and bad do not differ (then `differs` is false).
    """

    series: SeriesRow | None
    spots: tuple[Spot, ...]
    next_place: int
    first: int = 0
    last: int = 0
    posterior: float = 0.0
    effect: float | None = None
    is_decided: bool = False
    differs: bool = True

    @property
    def runs(self) -> int:
        """How many runs of these commits are stored."""
        return sum(spot.runs for spot in self.spots)

    def bad(self, place: int) -> float | None:
        """The chance that this place is bad, as far as it is known."""
        return next((spot.bad for spot in self.spots if spot.place == place), None)


def search(connection: Connection, question: Question, commits: Sequence[str], skipped: Collection[str]) -> Search:
    """What the stored runs of these commits (good, …, bad) tell; commits in `skipped` cannot be tested.

    Raises UserError where the question fits several time series.
    """
    last = len(commits) - 1
    states = _states(connection, commits)
    lines = [s for s in queries.series(connection, _filters(question)) if _is_asked(s, question)]
    table = queries.samples(connection, [s.id for s in lines], list(states))
    measured = [s for s in lines if (table.series == s.id).any()]
    if not measured:
        return Search(None, (), last)
    if len(measured) > 1:
        raise UserError(f"{question.metric!r} fits {len(measured)} metrics", _choices(measured))
    runs = _runs(table, states, measured[0])
    spots = [i for i in range(last + 1) if commits[i] not in skipped or i in (0, last)]
    return _judged(measured[0], runs, spots, commits, _noise(table, measured[0].id))


def came_out(connection: Connection, question: Question, commit: str) -> str:
    """What the runs of a commit have where they have no value of what is asked: one line, what is closest first."""
    states = _states(connection, [commit])
    lines = [s for s in queries.series(connection) if s.better != "none"]
    table = queries.samples(connection, [s.id for s in lines], list(states))
    measured = [s for s in lines if (table.series == s.id).any()]
    fitting = {s.id for s in queries.series(connection, Filters(metric=question.metric))}
    if others := [s for s in measured if s.id in fitting]:
        return f"--benchmark, --param or --host leave out {_listed(others)}"
    names = sorted({s.metric for s in measured})
    if not names:
        return "`kvmperf parse` shows what is understood"
    near = difflib.get_close_matches(question.metric, names, _SHOWN, 0.4)
    first = [*near, *(name for name in names if name not in near)]
    more = f" and {len(first) - _SHOWN} more" if len(first) > _SHOWN else ""
    return f"what came out: {', '.join(first[:_SHOWN])}{more}"


def _filters(question: Question) -> Filters:
    return Filters(benchmark=question.benchmark, metric=question.metric, host=question.host)


def _is_asked(series: SeriesRow, question: Question) -> bool:
    return series.better != "none" and all(
        str(series.params.get(name, "")) == value for name, value in question.params.items()
    )


def _choices(series: Sequence[SeriesRow]) -> str:
    return f"narrow --metric, --benchmark, --param or --host: {_listed(series)}"


def _listed(series: Sequence[SeriesRow]) -> str:
    return "; ".join(
        f"{s.metric} of {case_line(s.benchmark, sorted(s.params.items()))} on {s.host}" for s in series[:4]
    )


def _states(connection: Connection, commits: Sequence[str]) -> dict[int, int]:
    """The place of each stored revision that is one of the commits."""
    found: dict[int, int] = {}
    places = {commit: place for place, commit in enumerate(commits)}
    for revision in queries.revisions(connection):
        if revision.label or len(revision.commit) < 7:
            continue
        exact = places.get(revision.commit)
        near = [exact] if exact is not None else [p for c, p in places.items() if c.startswith(revision.commit)]
        if len(near) == 1 and near[0] is not None:
            found[revision.id] = near[0]
    return found


def _runs(table: SampleTable, states: Mapping[int, int], series: SeriesRow) -> tuple[Observation, ...]:
    ends = np.cumsum(table.counts)
    found = []
    for one, revision, boot, count, end in zip(
        table.series.tolist(), table.revision.tolist(), table.boot.tolist(), table.counts.tolist(), ends, strict=True
    ):
        if one == series.id and count:
            value = float(np.median(table.values[end - count : end]))
            if value <= 0:
                raise UserError(f"{series.metric} is {value}: a bisection needs positive values", "choose a time")
            found.append(Observation(states[revision], boot, value))
    return tuple(found)


def _noise(table: SampleTable, series: int) -> BootNoise | None:
    """The noise of one run; None while no commit has two runs in one boot or two boots."""
    found = components(replicates(table, series))
    iterations = max(found.values_a_run, 1.0)
    within = _known(found.between_runs) + _known(found.within_run) / iterations
    between = _known(found.between_boots)
    df = max(found.between_runs.df, found.between_boots.df if found.between_runs.variance is None else 0.0)
    if df <= 0:
        return None
    return BootNoise(between, max(within, LEAST_SPREAD), df)


def _known(component: Component) -> float:
    return component.variance or 0.0


def _judged(
    series: SeriesRow,
    runs: Sequence[Observation],
    spots: Sequence[int],
    commits: Sequence[str],
    noise: BootNoise | None,
) -> Search:
    last = len(commits) - 1
    counts = [sum(one.revision == end for one in runs) for end in (last, 0)]
    scarce = [end for end, count in zip((last, 0), counts, strict=True) if count < LEAST_RUNS]
    if scarce or noise is None:
        return Search(series, _spots(runs, commits, {}), scarce[0] if scarce else last, last=last)
    places = chosen_places(last, spots, runs, noise)
    bisection = _bisection(places, runs, noise)
    posterior = bisection.posterior()
    best = int(posterior[1:].argmax()) + 1
    inside = [i for i in spots if places[best - 1] < i < places[best]]
    differs = bool(posterior[0] < DECIDED)
    done = not differs or (bool(posterior[best] >= DECIDED) and not inside)
    latest = runs[-1].boot
    bad = {place: float(posterior[1 : k + 1].sum()) for k, place in enumerate(places)}
    return Search(
        series=series,
        spots=_spots(runs, commits, bad),
        next_place=places[bisection.next_revision(latest)],
        first=places[best - 1],
        last=places[best],
        posterior=float(posterior[best] if differs else posterior[0]),
        effect=_effect(runs, places[best]),
        is_decided=done,
        differs=differs,
    )


def chosen_places(last: int, spots: Sequence[int], runs: Sequence[Observation], noise: BootNoise) -> tuple[int, ...]:
    """The places that the bisection tells apart: the measured ones, and likely intervals divided further.

    In a range of thousands of commits a place stands for the commits since the one before it.
    """
    places = sorted({0, last, *(one.revision for one in runs)})
    if len(spots) <= MOST_PLACES:
        return tuple(sorted({*places, *spots}))
    mass = _bisection(places, runs, noise).posterior()[1:]
    share = {b: m for (_, b), m in zip(pairwise(places), mass.tolist(), strict=True)}
    while len(places) < MOST_PLACES:
        wide = [(share[b], a, b) for a, b in pairwise(places) if any(a < i < b for i in spots)]
        if not wide:
            break
        weight, a, b = max(wide)
        middle = min((i for i in spots if a < i < b), key=lambda i: abs(i - (a + b) / 2))
        share[middle], share[b] = weight * (middle - a) / (b - a), weight * (b - middle) / (b - a)
        places = sorted([*places, middle])
    return tuple(places)


def _bisection(places: Sequence[int], runs: Sequence[Observation], noise: BootNoise) -> Bisection:
    """The bisection over these places; a first bad place among many commits is so much more likely."""
    prior = tuple(float(b - a) for a, b in pairwise(places))
    order = {place: k for k, place in enumerate(places)}
    observations = tuple(Observation(order[one.revision], one.boot, one.value) for one in runs)
    return Bisection(prior, noise, Change(), NOTHING, observations)


def _spots(runs: Sequence[Observation], commits: Sequence[str], bad: Mapping[int, float]) -> tuple[Spot, ...]:
    values: dict[int, list[float]] = {}
    for one in runs:
        values.setdefault(one.revision, []).append(one.value)
    return tuple(
        Spot(place, commits[place], len(own), float(np.median(own)) if own else None, bad.get(place))
        for place in sorted({*values, *bad})
        for own in [values.get(place, [])]
    )


def _effect(runs: Sequence[Observation], first_bad: int) -> float | None:
    """The ratio of the medians from the first bad commit on and before it, less one."""
    sides = [[one.value for one in runs if (one.revision >= first_bad) is bad] for bad in (False, True)]
    return float(np.median(sides[1]) / np.median(sides[0]) - 1) if all(sides) else None
