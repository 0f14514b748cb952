"""Series in CSV files: what is read, in which order, and what is refused with its line."""

import json

import numpy as np
import pytest

from db.errors import UserError
from report import series_csv


@pytest.fixture
def write(tmp_path):
    def write(text, name="series.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


def read(path):
    return [(one.name, one.x, one.values.tolist()) for one in series_csv.read_csv(path)]


def test_repetitions_become_their_median(write):
    path = write("series,x,rep,value\na,0,0,1\na,0,1,5\na,0,2,2\na,1,0,4\na,1,1,6\n")

    assert read(path) == [("a", ("0", "1"), [2.0, 5.0])]


def test_series_keep_their_order_and_may_be_mixed(write):
    path = write("x,value,series\n0,1,b\n0,2,a\n1,3,b\n1,4,a\n")

    assert read(path) == [("b", ("0", "1"), [1.0, 3.0]), ("a", ("0", "1"), [2.0, 4.0])]


def test_numbers_on_the_x_axis_are_sorted(write):
    path = write("series,x,value\na,10,3\na,9,2\na,-1.5,1\na,9.0,4\n")

    assert read(path) == [("a", ("-1.5", "9", "10"), [1.0, 3.0, 3.0])]


def test_commits_on_the_x_axis_keep_their_order(write):
    path = write("series,x,value\na,f00,3\na,bad,2\na,1e5,1\nb,bad,7\nb,f00,8\n")

    assert read(path) == [("a", ("f00", "bad", "1e5"), [3.0, 2.0, 1.0]), ("b", ("f00", "bad"), [8.0, 7.0])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "", "\n\n"])
def test_line_ends_do_not_matter(write, end):
    path = write("series,x,value" + (end[:2] or "\n") + "a,0,1\na,1,2" + end)

    assert read(path) == [("a", ("0", "1"), [1.0, 2.0])]


def test_quotes_and_a_byte_order_mark_are_read(write):
    path = write('\ufeffseries,x,value\n"a,b",0,1\n"a ""c""",0,2\n')

    assert [name for name, _, _ in read(path)] == ["a,b", 'a "c"']


def test_empty_lines_are_left_out(write):
    assert read(write("series,x,value\na,0,1\n\na,1,2\n")) == [("a", ("0", "1"), [1.0, 2.0])]


def test_other_columns_are_ignored(write):
    assert read(write("note,series,x,value\nhot,a,0,1\ncold,a,1,2\n")) == [("a", ("0", "1"), [1.0, 2.0])]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("series,x\na,0\n", r":1: no column value in the header"),
        ("", r":1: no column series, x, value in the header"),
        ("series,x,value\n", r": no rows after the header"),
        ("series,x,value\na,0,1\na,1\n", r":3: 2 fields, the header has 3"),
        ("series,x,value\na,0,1,9\na,1\n", r":2: 4 fields, the header has 3"),
        ("series,x,value\na,0,1\n\na,1,fast\n", r":4: value is 'fast', not a number"),
        ("series,x,value\na,0,1\na,1,\n", r":3: value is '', not a number"),
        ("series,x,value\na,0,1\na,1,nan\n", r":3: value is 'nan', not a finite number"),
        ("series,x,value\na,0,-inf\n", r":2: value is '-inf', not a finite number"),
        ("series,x,value\na,0,1e200\n", r":2: value is '1e200', not a finite number"),
        ('series,x,value\n"a,0,1\n', r":\d: cannot be read as CSV: unexpected end of data"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(write, text, message):
    with pytest.raises(UserError, match=message) as refused:
        series_csv.read_csv(write(text))

    assert refused.value.hint


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        series_csv.read_csv(tmp_path / "none.csv")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "bytes.csv"
    path.write_bytes(b"series,x,value\n\xff\xfe,0,1\n")

    with pytest.raises(UserError, match="cannot be read as CSV"):
        series_csv.read_csv(path)


@pytest.fixture
def stepped(write):
    values = 100 * np.exp(0.01 * np.random.default_rng(1).normal(size=(2, 60)))
    values[0, 40:] *= 1.1
    values[1, 20:24] *= 1.2
    rows = [f"{name},v{x},{float(values[s, x])}" for s, name in enumerate(("slow", "burst")) for x in range(60)]
    return write("series,x,value\n" + "\n".join(rows) + "\n")


def test_only_what_should_be_alarmed_is_a_change(stepped):
    slow, burst = (series_csv.as_json(*one) for one in series_csv.detect_csv(stepped))

    (change,) = slow["changes"]
    assert (slow["series"], slow["points"], slow["set_aside"]) == ("slow", 60, [])
    assert (change["index"], change["x"], change["state"]) == (40, "v40", "confirmed")
    assert change["effect"] == pytest.approx(change["after"] / change["before"] - 1)
    assert burst["changes"] == []
    assert [(run["index"], run["points"], run["state"]) for run in burst["set_aside"]] == [(20, 4, "transient")]
    json.dumps([slow, burst], allow_nan=False)


def test_the_table_names_series_place_and_reason(stepped):
    lines = series_csv.as_text(series_csv.detect_csv(stepped)).splitlines()

    assert lines[0].split() == ["series", "at", "effect", "state", "why"]
    assert lines[1].split()[:2] == ["slow", "v40"]
    assert "standard errors" in lines[1]
    assert lines[2] == "1 change in 2 series; 1 short-lived or noisy run set aside"


def test_a_table_without_changes_says_what_was_looked_at(write):
    text = series_csv.as_text(series_csv.detect_csv(write("series,x,value\na,0,1\n")))

    assert text == "0 changes in 1 series; 0 short-lived or noisy runs set aside\n"
