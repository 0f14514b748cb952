"""Trends as plain text: a line of levels per revision, with a bar to look at."""

import math
import textwrap
from collections.abc import Sequence

import numpy as np

from report.text import WIDTH, ascii_only, case_line
from report.trend import Line, Point
from stats.effects import relative
from stats.units import scaled

_BAR = 22


def render(lines: Sequence[Line]) -> str:
    """Each line as a small table: revision, median, 95 % interval, change against the first revision, bar."""
    return "\n".join("\n".join(_table(line)) + "\n" for line in lines)


def _table(line: Line) -> list[str]:
    series, points = line.series, line.points
    numbers = [v for p in points for v in (p.level.value, p.level.low, p.level.high) if v is not None]
    texts, unit = scaled(numbers, series.unit)
    cells = iter(texts)
    told = ascii_only(f"{series.host}: {case_line(series.benchmark, sorted(series.params.items()))}")
    head = ascii_only(f"{series.metric} [{unit}], {series.better} is better")
    rows = [*textwrap.wrap(told, WIDTH, subsequent_indent="  ", break_on_hyphens=False), head]
    width = max(len("revision"), *(len(ascii_only(p.revision.name)) for p in points))
    rows.append(f"  {'revision':<{width}}  {'median':>8} {'[95% interval]':<20} {'vs first':>8}")
    levels = np.array([p.level.value for p in points])
    top = levels.max()
    for point, change in zip(points, relative(levels[:1], levels).tolist(), strict=True):
        value = next(cells)
        low, high = (next(cells) if v is not None else None for v in (point.level.low, point.level.high))
        interval = f"[{low}, {high}]" if low and high else ""
        bar = "#" * max(1, round(_BAR * point.level.value / top)) if top > 0 else ""
        name = ascii_only(point.revision.name)
        moved = f"{100 * change:+.1f}%" if math.isfinite(change) else "-"
        rows.append(f"  {name:<{width}}  {value:>8} {interval:<20} {moved:>8}  {bar}{_mark(point)}".rstrip())
    return rows


def _mark(point: Point) -> str:
    fields = ", ".join(one.field for one in point.host_changed)
    return f"  <- host changed: {ascii_only(fields)}" if fields else ""
