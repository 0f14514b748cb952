"""Alerts on labelled series of real benchmarks, as their points come in: what is found, how soon, what is false.

    python benchmarks/alert_real.py DIRECTORY     (series.csv, and labels.json with `clear` and `optional` places)

Every series is judged after every point by the code that `kvmperf detect` runs, without a database: a step becomes an
alert when it is clear by itself. A clear label is found by an alert within three points of it; an alert is false that
is near no label at all.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from alerts.evidence import is_clear
from alerts.judge import judge
from alerts.rules import MARGIN
from alerts.steps import from_tables
from db.detection import Place
from db.values import SeriesRow
from report.series_csv import read_csv
from stats.changepoints import compiled

NEAR = 3
SOON = 3  # revisions after the first changed one
FIRST = 10  # points before the first look
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def alerts_of(name: str, values: np.ndarray, families: int) -> dict[int, int]:
    """The places at which the series was alerted on, and how many points there were then."""
    about = SeriesRow(1, name, "real/series", 1, {}, "time", "s", "lower")
    places = {i: Place("", i, NOW, str(i)) for i in range(values.size)}
    table = np.column_stack([np.arange(values.size), values, -np.ones((values.size, 1)), *np.ones((2, values.size))])
    found: dict[int, int] = {}
    for n in range(FIRST, values.size + 1):
        (steps,) = judge([table[:n]], places, lambda _a, _b: False)
        for step in from_tables({1: steps}, {1: about}, places).get(1, []):
            known = any(abs(step.head - at) <= NEAR for at in found)
            if step.is_shown and abs(step.row.effect) >= MARGIN and is_clear([step], families) and not known:
                found[step.head] = n
    return found


def is_large(values: np.ndarray, at: int, labels: Sequence[int]) -> bool:
    """Whether a labelled change is at least 5 % and three standard deviations, by the ten points on either side."""
    edges = [0, *(one for one in sorted(labels) if one != at), values.size]
    first = max([one for one in edges if one < at][-1], at - 10)
    last = min(next(one for one in edges if one > at), at + 10)
    before, after = np.log(values[first:at]), np.log(values[at:last])
    step = abs(float(np.median(after) - np.median(before)))
    noise = float(np.median(np.abs(np.concatenate((before - np.median(before), after - np.median(after)))))) * 1.4826
    return step >= np.log(1.05) and step >= 3 * noise and after.size >= 3


def score(
    found: Mapping[str, Mapping[int, int]], labels: Mapping[str, Mapping[str, Any]], values: Mapping[str, np.ndarray]
) -> None:
    clear = hit = false = large = large_hit = soon = 0
    delays: list[int] = []
    for name, mine in found.items():
        places: Sequence[int] = labels[name]["clear"]
        anything = [*places, *labels[name]["optional"]]
        clear += len(places)
        near = [[n - at for head, n in mine.items() if abs(head - at) <= NEAR] for at in places]
        hit += sum(bool(one) for one in near)
        big = [is_large(values[name], at, anything) for at in places]
        large += sum(big)
        large_hit += sum(bool(one) for one, yes in zip(near, big, strict=True) if yes)
        soon += sum(bool(one) and min(one) <= 1 + SOON for one, yes in zip(near, big, strict=True) if yes)
        delays += [min(one) for one in near if one]
        false += sum(all(abs(head - at) > NEAR for at in anything) for head in mine)
    points = sum(int(one["n"]) for one in labels.values())
    print(f"{len(found)} series, {points} points, {clear} clear changes")
    print(f"alerted {hit} ({hit / max(clear, 1):.0%}), median {np.median(delays):.0f} points there by then")
    print(f"of {large} that are at least 5 % and 3 sd: alerted {large_hit}, within {SOON} revisions {soon}")
    print(f"false {false}: {1000 * false / points:.2f} in 1000 points")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("directory", type=Path)
    given = parser.parse_args()
    if not (given.directory / "labels.json").is_file():
        print(f"{given.directory}: no labelled series here, nothing judged")
        return
    compiled.prepare()
    labels = json.loads((given.directory / "labels.json").read_text())
    series = [one for one in read_csv(given.directory / "series.csv") if one.name in labels]
    found = {one.name: alerts_of(one.name, one.values, len(series)) for one in series}
    score(found, labels, {one.name: one.values for one in series})


if __name__ == "__main__":
    main()
