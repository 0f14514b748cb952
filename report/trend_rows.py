"""Trends as rows for programs and pages: one row a point, base units, full precision."""

import csv
import io
import json
from collections.abc import Iterator, Sequence

from report.trend import Line

COLUMNS = (
    "benchmark",
    "params",
    "host",
    "metric",
    "unit",
    "better",
    "revision",
    "commit",
    "kernel",
    "date",
    "value",
    "low",
    "high",
    "boots",
    "runs",
    "values",
    "scope",
    "host_changed",
)


def rows(lines: Sequence[Line]) -> Iterator[dict[str, object]]:
    """Every point with its time series and revision, under the names in `COLUMNS`; unknown bounds are None."""
    for line in lines:
        one = line.series
        for point in line.points:
            revision, level = point.revision, point.level
            yield {
                "benchmark": one.benchmark,
                "params": json.dumps(dict(one.params), sort_keys=True),
                "host": one.host,
                "metric": one.metric,
                "unit": one.unit,
                "better": one.better,
                "revision": revision.name,
                "commit": revision.commit,
                "kernel": revision.kernel,
                "date": (revision.committed_at or revision.first_seen_at).isoformat(),
                "value": level.value,
                "low": level.low,
                "high": level.high,
                "boots": level.boots,
                "runs": level.runs,
                "values": level.values,
                "scope": level.scope,
                "host_changed": ", ".join(f"{d.field}: {d.left} -> {d.right}" for d in point.host_changed),
            }


def to_csv(lines: Sequence[Line]) -> str:
    """All points as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(lines))
    return out.getvalue()
