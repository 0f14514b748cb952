"""What a drawn level carries: its place, the numbers behind hover and click, its revision in words."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from dashboard.parts.plain import plotly_text
from report.trend import Point

HOVER = (
    "%{y:.5g} %{meta}, 95%% interval [%{customdata[0]:.5g}, %{customdata[1]:.5g}]"
    "<br>%{customdata[2]} boots, %{customdata[3]} runs, %{customdata[4]} values"
).replace("%%", "%")
_EXACT = 1 << 24  # whole numbers up to here are exact in single precision


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
    """The level of a point, then what hover and click know of it; at the end its time series and revision."""
    if point is None:
        return [float("nan")] * 8
    level = point.level
    bounds = [float("nan") if bound is None else bound / factor for bound in (level.low, level.high)]
    counts = (level.boots, level.runs, level.values)
    return [level.value / factor, *bounds, *counts, series, point.revision.id]


def packed(rows: Sequence[Sequence[float]]) -> tuple[NDArray[np.float64], NDArray[np.floating]]:
    """Levels, and what hover and click know of them, of rows of `numbers`.

    A browser reads all of it several times: what is only printed or looked up goes in single precision, unless a number
    is too large for it. Levels stay as they are, as somebody may look at the last of their digits.
    """
    table = np.array(rows)
    known = table[:, 1:]
    return table[:, 0], known.astype(np.float32) if np.nanmax(np.abs(known)) <= _EXACT else known


def told(point: Point) -> str:
    """The revision of a level in words."""
    revision = point.revision
    when = f"{revision.committed_at or revision.first_seen_at:%Y-%m-%d}"
    words = [t for t in (revision.commit[:12], revision.kernel, revision.subject, when) if t]
    return plotly_text(", ".join(words), 140) + (f" ({plotly_text(point.level.scope)})" if point.level.scope else "")
