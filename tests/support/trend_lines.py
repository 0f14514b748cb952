"""Lines of trends, made by hand: no database."""

from datetime import UTC, datetime, timedelta

from db.values import RevisionRow, SeriesRow
from report.trend import Line, Point
from stats.levels import Level

START = datetime(2026, 1, 1, tzinfo=UTC)


def line(values, *, number=1, better="lower", changed=None):
    """A line with a point a day; `changed` holds differences of the host's state by position."""
    points = tuple(
        Point(_revision(i), Level(float(value), value * 0.99, value * 1.01, 4, 12, 60), (changed or {}).get(i, ()))
        for i, value in enumerate(values, start=1)
    )
    return Line(SeriesRow(number, "bm3", "suite/b", 1, {"vcpus": 2}, "time", "s", better), points)


def _revision(number, series=""):
    when = START + timedelta(days=number)
    return RevisionRow(number, f"6.{number // 10}.0", "", f"r{number}", "", when, when, series, None, None)
