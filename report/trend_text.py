"""Trends as plain text: a line of levels per revision, with a bar to look at."""

import textwrap
from collections.abc import Sequence

from report.text import WIDTH, ascii_only, case_line
from report.trend import Line, Point
from stats.units import scaled

_BAR = 22


def render(lines: Sequence[Line]) -> str:
    """Each line as a small table: revision, level, interval, change against the first revision, bar."""
    return "\n".join("\n".join(_table(line)) + "\n" for line in lines)


def _table(line: Line) -> list[str]:
    series, points = line.series, line.points
    numbers = [v for p in points for v in (p.level.value, p.level.low, p.level.high) if v is not None]
    texts, unit = scaled(numbers, series.unit)
    cells = iter(texts)
    told = ascii_only(f"{series.host}: {case_line(series.benchmark, sorted(series.params.items()))}")
    head = ascii_only(f"{series.metric} [{unit}], {series.better} is better")
    rows = [*textwrap.wrap(told, WIDTH, subsequent_indent="  ", break_on_hyphens=False), head]
    width = max(len(ascii_only(p.revision.name)) for p in points)
    top = max(p.level.value for p in points)
    for point in points:
        value = next(cells)
        low, high = (next(cells) if v is not None else None for v in (point.level.low, point.level.high))
        interval = f"[{low}, {high}]" if low and high else ""
        change = 100 * (point.level.value / points[0].level.value - 1) if points[0].level.value else 0.0
        bar = "#" * max(1, round(_BAR * point.level.value / top)) if top > 0 else ""
        name = ascii_only(point.revision.name)
        rows.append(f"  {name:<{width}}  {value:>8} {interval:<20} {change:+6.1f}%  {bar}{_mark(point)}".rstrip())
    return rows


def _mark(point: Point) -> str:
    fields = ", ".join(one.field for one in point.host_changed)
    return f"  <- host changed: {ascii_only(fields)}" if fields else ""
