"""Many simulated years of alerts, without a database: the figures of alert_year.py over as many seeds as wanted.

    python benchmarks/alert_years.py 1 2 3 4 5 6 7 8 9 10 [--causes]

The years of alert_year.py, judged and decided night by night by the same pure functions; only the storing is left out.
`--causes` lists what was false, late or not linked.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import numpy as np
from alert_year import CASES, HOSTS, METRICS, RUN_VALUES, START, Year, draw, score

from alerts.decide import Context, Wanted, decide
from alerts.judge import judge
from alerts.rules import Rules
from alerts.steps import from_tables
from db.alert_queries import Group
from db.detection import Place
from db.types import Floats
from db.values import SeriesRow
from stats.changepoints import compiled

_CAUSES = ("false ones", "missed", "not linked")


@dataclass(frozen=True)
class Told:
    """What scoring asks of a revision."""

    id: int
    commit: str
    name: str


def all_series() -> dict[int, SeriesRow]:
    """The time series of a year by id, in the order in which the writer would store them."""
    found = {}
    for host, case, metric in np.ndindex(HOSTS, CASES, METRICS):
        number = 1 + (host * CASES + case) * METRICS + metric
        better = "lower" if metric % 2 else "higher"
        about = (f"suite/program{case}", case + 1, {"vcpus": case + 1}, f"metric{metric}", "s", better)
        found[number] = SeriesRow(number, f"bm{host}", *about)
    return found


def points(year: Year) -> dict[int, Floats]:
    """The table of `PointRow` of each time series: what levels would be made of the uploads."""
    rng = np.random.default_rng(0)
    rows: dict[int, list[tuple[float, ...]]] = {number: [] for number in all_series()}
    for day, host in np.ndindex(len(year.values), HOSTS):
        if np.isnan(year.values[day, host]).any():
            continue
        state = 100 * host + sum(day >= at and host == which for at, which in year.setups)
        for case, metric in np.ndindex(CASES, METRICS):
            value = year.values[day, host, case, metric] * np.median(np.exp(rng.normal(0, 0.0005, RUN_VALUES)))
            rows[1 + (host * CASES + case) * METRICS + metric].append((day + 1, value, state, 1, 1))
    return {number: np.array(table) for number, table in rows.items()}


def nights(year: Year, places: Mapping[int, Place]) -> Iterator[dict[int, Floats]]:
    """The tables of steps after each day."""
    tables, known = points(year), dict[int, Floats]()
    for day in range(len(year.values)):
        new = [number for number, table in tables.items() if (table[:, 0] == day + 1).any()]
        so_far = [tables[number][tables[number][:, 0] <= day + 1] for number in new]
        known |= dict(zip(new, judge(so_far, places, lambda one, other: one != other), strict=True))
        yield known


def play(year: Year) -> list[Group]:
    """The groups at the end of the year."""
    places = {day + 1: Place("", day, START + timedelta(days=day), str(day)) for day in range(len(year.values))}
    series, groups = all_series(), dict[int, Group]()
    for day, tables in enumerate(nights(year, places)):
        now = START + timedelta(days=day, hours=20)
        seen = {number: place for number, place in places.items() if place.position <= day}
        context = Context(now, Rules(), seen, len(series))
        stored = [groups[i] for i in sorted(groups, reverse=True)]
        wanted = decide(stored, from_tables(tables, series, seen), series, context)
        new = count(max(groups, default=0) + 1)
        ids = [one.group.id if one.group else next(new) for one in wanted]
        groups |= {i: _stored(i, one, ids, context) for i, one in zip(ids, wanted, strict=True)}
    return list(groups.values())


def _stored(number: int, one: Wanted, ids: Sequence[int], context: Context) -> Group:
    """A group as the database would give it back."""
    old, now = one.group, context.now
    announced = old.announced_at if old else None
    return Group(
        id=number,
        kind=one.kind.value,
        evidence=one.evidence.value,
        line=one.line,
        subject="",
        base=_revision(one.base),
        head=_revision(one.head),
        detail={},
        opened_at=old.opened_at if old else now,
        announced_at=announced or (now if one.is_announced else None),
        closed_at=((old.closed_at if old else None) or now) if one.closed_because else None,
        closed_because=one.closed_because,
        reverts_id=ids[one.reverts] if one.reverts is not None else None,
        reverted_by=(),
        triage="new",
        owner="",
        note="",
        link="",
        muted_until=None,
        mute_reason="",
        members=tuple(sorted(one.members, key=lambda each: (not each.is_live, not each.worse, -each.z))),
    )


def _revision(number: int) -> Any:  # Any: as much of a RevisionRow as is read
    return Told(number, f"{number - 1:08x}" + "0" * 32, str(number - 1)) if number else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--causes", action="store_true")
    given = parser.parse_args()
    compiled.prepare()
    rows = []
    for seed in given.seeds:
        year = draw(seed, given.days)
        told = score(year, play(year))
        names = ("false", "found soon", "large and clear", "linked", "reverts of announced changes")
        rows.append([told[name] for name in names])
        print(f"seed {seed}: " + ", ".join(f"{name} {told[name]}" for name in names), flush=True)
        for name in _CAUSES if given.causes else ():
            for one in told[name]:
                print(f"  {name}: {one}")
    false, soon, large, linked, reverts = np.array(rows).T
    print(f"{len(rows)} years: false {false.mean():.1f} a year, at most {false.max()}; ", end="")
    print(f"two or fewer in {(false <= 2).sum()} years")
    print(f"large and clear found soon {soon.sum()} of {large.sum()} ({soon.sum() / large.sum():.1%}); ", end="")
    print(f"reverts linked {linked.sum()} of {reverts.sum()}, all of them in {(linked == reverts).sum()} years")


if __name__ == "__main__":
    main()
