import csv
import io
from datetime import UTC, datetime

from db.hoststate import Difference, Severity
from db.values import RevisionRow, SeriesRow
from report.scales import axis_scale, with_unit
from report.trend import Line, Point
from report.trend_rows import COLUMNS, to_csv
from stats.levels import Level

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_csv_has_every_point_in_base_units():
    revision = RevisionRow(1, "6.12", "c" * 40, "split,on", "", NOW, NOW)
    changed = (Difference("microcode", "0x1", "0x2", Severity.BLOCK),)
    point = Point(revision, Level(0.012345678901, None, 0.02, 1, 3, 9, "within one boot"), changed)
    line = Line(SeriesRow(1, "bm3", "suite/b", 1, {"vcpus": 2}, "time", "s", "lower"), (point,))

    (row,) = csv.DictReader(io.StringIO(to_csv([line])))

    assert tuple(row) == COLUMNS
    assert (row["value"], row["low"], row["unit"]) == ("0.012345678901", "", "s")
    assert row["revision"] == "split,on"
    assert row["host_changed"] == "microcode: 0x1 -> 0x2"


def test_values_are_told_in_the_scale_of_the_axis():
    factor, unit = axis_scale([0.0123, 0.002], "s")

    assert with_unit(0.0123, factor, unit) == "12.30 ms"
