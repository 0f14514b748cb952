"""A year of alerts, simulated: what is announced, how soon, how often for nothing.

    python benchmarks/alert_year.py [--days 365] [--seed 1] [--keep FILE]

200 time series (5 hosts, 5 test cases, 8 metrics) are measured at one revision a day, stored through the real writer
into a real database, and judged by the real `detect` every night. Planted: 30 changes of 2 to 30 % of a metric, a test
case, a host's worth or everything, some of them reverted; hosts that are set up anew and move by 3 to 10 %; outages;
bursts of a day or two. Labelled series of real benchmarks: alert_real.py.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from alerts.sweep import sweep
from db import alert_queries
from db.alert_queries import Group, GroupFilters
from db.dimensions import Dimensions
from db.engine import connect, reading, writing
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from db.writes import Writer
from stats.changepoints import compiled

START = datetime(2025, 1, 1, tzinfo=UTC)
HOSTS, CASES, METRICS, RUN_VALUES = 5, 5, 8, 3
NOISE = (0.003, 0.005, 0.007, 0.01, 0.01, 0.015, 0.02, 0.025)  # standard deviation from revision to revision
CHANGES, REVERTS, SETUPS, OUTAGES, BURSTS = 30, 8, 4, 3, 24
NEAR = 3  # days around a planted change in which a group is its own
SOON = 3  # revisions after the first changed one
Array = np.ndarray


@dataclass(frozen=True)
class Planted:
    """A change: `mask` [host, case, metric] says what moves, `size` is a ratio minus one, `reverts` another change."""

    day: int
    size: float
    mask: Array
    reverts: int | None = None

    @property
    def clearness(self) -> float:
        """Its size in standard deviations of the least noisy metric that it moves."""
        return abs(np.log1p(self.size)) / min(NOISE[m] for m in np.flatnonzero(self.mask.any(axis=(0, 1))))


@dataclass(frozen=True)
class Year:
    """Levels [day, host, case, metric] with everything in them; NaN where a host was silent."""

    values: Array
    planted: Sequence[Planted]
    setups: Sequence[tuple[int, int]]  # day, host


def scope(rng: np.random.Generator) -> Array:
    """What a change of the code moves: everything, a test case, a metric, one metric of a test case, one series."""
    mask = np.zeros((HOSTS, CASES, METRICS), dtype=bool)
    host, case, metric = (int(rng.integers(n)) for n in mask.shape)
    kind = rng.choice(["all", "case", "metric", "one metric", "one series"], p=[0.1, 0.3, 0.2, 0.2, 0.2])
    places = {
        "all": np.s_[:],
        "case": np.s_[:, case, :4],
        "metric": np.s_[:, :, metric],
        "one metric": np.s_[:, case, metric],
        "one series": np.s_[host, case, metric],
    }
    mask[places[str(kind)]] = True
    return mask


def plant(rng: np.random.Generator, days: int) -> list[Planted]:
    """Changes and reverts on days that lie at least five apart, oldest first."""
    count = CHANGES + REVERTS
    spare = np.sort(rng.integers(0, days - 30 - 5 * count, count))
    found: list[Planted] = []
    waiting: list[tuple[int, int]] = []  # first day of the revert, change
    reverted = set(rng.choice(CHANGES - 4, REVERTS, replace=False).tolist())
    changes = 0
    for day in (20 + spare + 5 * np.arange(count)).tolist():
        due = next((one for one in waiting if one[0] <= day), None)
        if due or changes == CHANGES:
            cause = waiting.pop(waiting.index(due) if due else 0)[1]
            found.append(Planted(day, 1 / (1 + found[cause].size) - 1, found[cause].mask, cause))
            continue
        size = float(np.exp(rng.uniform(np.log(0.02), np.log(0.30))))
        found.append(Planted(day, size if rng.random() < 0.7 else 1 / (1 + size) - 1, scope(rng)))
        if changes in reverted:
            waiting.append((day + int(rng.integers(8, 30)), len(found) - 1))
        changes += 1
    return found


def draw(seed: int, days: int) -> Year:
    """A year."""
    rng = np.random.default_rng(seed)
    shape = (days, HOSTS, CASES, METRICS)
    noise = rng.standard_t(6, size=shape) * np.sqrt(4 / 6) * np.array(NOISE)
    level = np.log(rng.uniform(1, 1000, shape[1:])) + noise
    planted = plant(rng, days)
    for one in planted:
        level[one.day :, one.mask] += np.log1p(one.size)
    setups = [(int(rng.integers(30, days - 10)), int(rng.integers(HOSTS))) for _ in range(SETUPS)]
    for day, host in setups:
        level[day:, host] += rng.choice([-1, 1]) * rng.uniform(0.03, 0.10) * rng.uniform(0.5, 1.5, (CASES, METRICS))
    for _ in range(BURSTS):
        day, length = int(rng.integers(10, days)), int(rng.integers(1, 3))
        where = np.s_[day : day + length, int(rng.integers(HOSTS))]
        if rng.random() < 0.5:
            where = (*where, int(rng.integers(CASES)))
        level[where] += rng.uniform(0.05, 0.25)
    for _ in range(OUTAGES):
        day = int(rng.integers(30, days - 20))
        level[day : day + int(rng.integers(6, 10)), int(rng.integers(HOSTS))] = np.nan
    return Year(np.exp(level), planted, setups)


def captures(year: Year, day: int, rng: np.random.Generator) -> Iterator[tuple[CaptureContext, NewCapture]]:
    """What the hosts upload on a day."""
    when = START + timedelta(days=day)
    facts = RevisionFacts(
        kernel="6.14", commit=f"{day:08x}" + "0" * 32, subject=f"Merge of day {day}", committed_at=when
    )
    for host in range(HOSTS):
        if np.isnan(year.values[day, host]).any():
            continue
        setup = sum(day >= at and host == which for at, which in year.setups)
        state = {"cpu.model": "Made Up CPU", "microcode": f"0x{setup}"}
        context = CaptureContext(host=f"bm{host}", revision=facts, state=state, boot_id=f"bm{host}-{day}")
        for case in range(CASES):
            measured = tuple(
                NewMeasurement(
                    f"metric{m}", "s" if m % 2 else "ops/s", "lower" if m % 2 else "higher",
                    year.values[day, host, case, m] * np.exp(rng.normal(0, 0.0005, RUN_VALUES)),
                )
                for m in range(METRICS)
            )  # fmt: skip
            run = NewRun(f"suite/program{case}", {"vcpus": case + 1}, "pass", "simulated", 1, measured)
            text = f"{day} {host} {case}".encode()
            yield context, NewCapture(f"{case}.out", {"stdout": text}, started_at=when, runs=(run,))


def live(year: Year, url: str, days: int) -> float:
    """Upload and detect, day by day; the seconds that detection took in all."""
    compiled.prepare()
    rng = np.random.default_rng(0)
    engine = connect(url, create=True)
    spent = 0.0
    known: Dimensions | None = None
    for day in range(days):
        now = START + timedelta(days=day, hours=20)
        with writing(engine) as connection:
            writer = Writer(connection, now=now)
            if known is not None:  # ids that were committed yesterday: asking for them again is not what is measured
                known._connection, writer._dimensions = connection, known  # noqa: SLF001
            list(writer.store_all(captures(year, day, rng)))
            known = writer._dimensions  # noqa: SLF001
        began = time.perf_counter()
        sweep(engine, now=now)
        spent += time.perf_counter() - began
    engine.dispose()
    return spent


def day_of(commit: str) -> int:
    return int(commit[:8], 16)


def score(year: Year, groups: Sequence[Group]) -> dict[str, Any]:
    """What was announced against what was planted."""
    told = [g for g in groups if g.announced_at is not None and g.kind in alert_queries.STEPS and g.head]
    owner = {g.id: _nearest(year, g) for g in told}
    delays: dict[int, int] = {}
    for group in told:
        which = owner[group.id]
        if which is not None and group.announced_at:
            delay = (group.announced_at - START).days - year.planted[which].day
            delays[which] = min(delay, delays.get(which, delay))
    must = [i for i, one in enumerate(year.planted) if abs(one.size) >= 0.05 * 0.95 and one.clearness >= 3]
    reverts = [i for i, one in enumerate(year.planted) if one.reverts is not None]
    both = [i for i in reverts if i in delays and year.planted[i].reverts in delays]
    linked = [i for i in both if _is_linked(i, year, told, owner)]
    false = [g for g in told if owner[g.id] is None]
    return {
        "announced groups": len(told),
        "planted": len(year.planted), "found of all": len(delays),
        "large and clear": len(must), "found soon": sum(delays.get(i, 99) <= SOON for i in must),
        "found at all": sum(i in delays for i in must),
        "false": len(false), "false at a host's setup": sum(_is_at_setup(year, g) for g in false),
        "reverts of announced changes": len(both), "linked": len(linked),
        "median delay": float(np.median([delays[i] for i in must if i in delays])),
        "missed": [_told(year.planted[i], delays.get(i)) for i in must if delays.get(i, 99) > SOON],
        "false ones": [_named(g) for g in false],
        "not linked": [_told(year.planted[i], delays.get(i)) for i in both if i not in linked],
    }  # fmt: skip


def _told(one: Planted, delay: int | None) -> str:
    return f"day {one.day}: {one.size:+.1%} of {int(one.mask.sum())} series, {one.clearness:.1f} sd, delay {delay}"


def _named(group: Group) -> str:
    day = day_of(group.head.commit) if group.head else -1
    clearest = max((m.z for m in group.members), default=0.0)
    return f"day {day}: {len(group.members)} series, z {clearest:.1f}, {group.closed_because or 'open'}"


def _nearest(year: Year, group: Group) -> int | None:
    day = day_of(group.head.commit) if group.head else -99
    moved = {(int(m.series.host[2:]), m.series.test_case_id, int(m.series.metric[6:])) for m in group.members}
    for i, one in sorted(enumerate(year.planted), key=lambda pair: abs(pair[1].day - day)):
        hit = any(one.mask[h, :, m].any() for h, _, m in moved)
        if abs(one.day - day) <= NEAR and hit:
            return i
    return None


def _is_linked(revert: int, year: Year, told: Sequence[Group], owner: dict[int, int | None]) -> bool:
    cause = year.planted[revert].reverts
    return any(owner[g.id] == revert and g.reverts_id is not None and owner.get(g.reverts_id) == cause for g in told)


def _is_at_setup(year: Year, group: Group) -> bool:
    day = day_of(group.head.commit) if group.head else -99
    live = {one.series.host for one in group.live or group.members}
    return any(abs(at - day) <= NEAR and live == {f"bm{host}"} for at, host in year.setups)


def simulate(seed: int, days: int, keep: Path | None) -> dict[str, Any]:
    """One year from the first upload to the score."""
    year = draw(seed, days)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{keep or Path(folder) / 'year.db'}"
        spent = live(year, url, days)
        engine = connect(url)
        with reading(engine) as connection:
            groups = alert_queries.groups(connection, GroupFilters(is_open=None, thin=True))
        engine.dispose()
    notices = [g for g in groups if g.kind == "missing data"]
    return {
        "seed": seed,
        **score(year, groups),
        "notices of silence": len(notices),
        "detect, s a day": round(spent / days, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, nargs="*", default=[1])
    parser.add_argument("--keep", type=Path, help="keep the database in this file")
    given = parser.parse_args()
    for seed in given.seed:
        told = simulate(seed, given.days, given.keep)
        for name, value in told.items():
            print(f"{name:32} {json.dumps(value) if isinstance(value, list) else value}")
        print(f"load {os.getloadavg()[0]:.1f}; {conclusion(told)}", flush=True)


def conclusion(told: dict[str, Any]) -> str:
    """Whether the goals were reached."""
    goals = (
        ("90 % of large and clear changes soon", told["found soon"] >= 0.9 * told["large and clear"]),
        ("at most two false groups", told["false"] <= 2),
        ("every revert linked", told["linked"] == told["reverts of announced changes"]),
        ("no alert for a host's setup", told["false at a host's setup"] == 0),
    )
    return "; ".join(f"{name}: {'met' if met else 'MISSED'}" for name, met in goals)


if __name__ == "__main__":
    main()
