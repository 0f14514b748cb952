"""What a drawn level carries: its place, the numbers behind hover and click, its revision in words."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from dashboard.parts.plain import plotly_text
from report.trend import Point

HOVER = (
    "%{customdata[0]:.5g} %{meta}, 95%% interval [%{customdata[1]:.5g}, %{customdata[2]:.5g}]"
    "<br>%{customdata[3]} boots, %{customdata[4]} runs, %{customdata[5]} values"
).replace("%%", "%")


def stretches(points: Sequence[Point]) -> list[list[Point]]:
    """Points that follow each other: a patch series is no part of the history before or after it."""
    return [list(same) for _, same in groupby(points, key=lambda p: (p.revision.series, p.revision.version))]


def places(points: Sequence[Point | None], names: Mapping[int, str]) -> list[str]:
    """Names on the axis; a gap (None) stands where the point before it stands."""
    found: list[str] = []
    for point in points:
        found.append(names[point.revision.id] if point else found[-1])
    return found


def numbers(point: Point | None, factor: float, series: int) -> list[float]:
    """What hover and click know of a point; at the end its time series and revision."""
    if point is None:
        return [float("nan")] * 8
    level = point.level
    bounds = [float("nan") if bound is None else bound / factor for bound in (level.low, level.high)]
    counts = (level.boots, level.runs, level.values)
    return [level.value / factor, *bounds, *counts, series, point.revision.id]


def told(point: Point) -> str:
    """The revision of a level in words."""
    revision = point.revision
    when = f"{revision.committed_at or revision.first_seen_at:%Y-%m-%d}"
    words = [t for t in (revision.commit[:12], revision.kernel, revision.subject, when) if t]
    return plotly_text(", ".join(words), 140) + (f" ({plotly_text(point.level.scope)})" if point.level.scope else "")
