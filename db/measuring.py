"""Rows of measurements: the values of each metric beside their summary, computed for many of them at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from db.bulk import Row
from db.dimensions import Dimensions
from db.types import Floats
from db.values import NewMeasurement, NewRun

Placed = tuple[int, int, int | None, NewRun]  # id of the run, of its test case, of its host


def rows(dimensions: Dimensions, runs: Iterable[Placed]) -> list[Row]:
    """One row per metric and run, ready to be inserted."""
    keys: list[tuple[int, int]] = []
    measured: list[NewMeasurement] = []
    for run_id, case_id, host_id, run in runs:
        for one in run.measurements:
            keys.append((dimensions.time_series(case_id, host_id, run.benchmark, one), run_id))
            measured.append(one)
    summaries = summarised(measured)
    return [
        {"time_series_id": series_id, "run_id": run_id, **summary}
        for (series_id, run_id), summary in zip(keys, summaries, strict=True)
    ]


def summarised(measured: Sequence[NewMeasurement]) -> list[dict[str, object]]:
    """The columns of each measurement; warm-up is left out of the summary unless there is nothing else.

    Those of one shape go through NumPy together: five calls for a thousand of them, where five calls each would cost
    more than storing them.
    """
    found: list[dict[str, object]] = [{}] * len(measured)
    shapes: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for index, one in enumerate(measured):
        shapes[one.values.size, one.warmup].append(index)
    for (size, warmup), indices in shapes.items():
        values = np.concatenate([measured[index].values for index in indices]).reshape(len(indices), size)
        judged = values[:, warmup:] if warmup < size else values
        for index, summary in zip(indices, _summaries(judged), strict=True):
            mean, median, minimum, maximum, deviation = summary
            found[index] = {
                "n": size,
                "warmup": warmup,
                "mean": mean,
                "median": median,
                "minimum": minimum,
                "maximum": maximum,
                "deviation": deviation,
                "values": measured[index].values,
            }
    return found


def _summaries(judged: Floats) -> Iterable[tuple[float, float, float, float, float | None]]:
    columns = (judged.mean(axis=1), np.median(judged, axis=1), judged.min(axis=1), judged.max(axis=1))
    count, size = judged.shape
    spread: list[float] | list[None] = judged.std(axis=1, ddof=1).tolist() if size > 1 else [None] * count
    return zip(*(column.tolist() for column in columns), spread, strict=True)
