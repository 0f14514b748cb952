"""Samples from CSV files: what is read, what is refused and how, and the JSON objects of a comparison."""

import json

import pytest

from db.errors import UserError
from report.samples_csv import compare_csv, read_csv
from stats.compare import Policy

HEADER = "metric,side,boot,run,iteration,value"


def write(tmp_path, *lines):
    path = tmp_path / "samples.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def sides(metric, base, head, extra=""):
    return [
        f"{metric},{side},{side}-{boot},0,0,{value}{extra}"
        for side, values in (("base", base), ("head", head))
        for boot, value in enumerate(values)
    ]


def test_runs_are_numbered_anew_in_every_boot_and_side(tmp_path):
    path = write(tmp_path, HEADER, "a,base,x,1,1,1.5", "a,base,x,1,2,1.6", "a,base,y,1,1,1.7", "a,head,x,1,1,1.8")

    samples = read_csv(path).samples

    assert len(set(samples.run.tolist())) == 3
    assert samples.run[0] == samples.run[1]
    assert samples.boot[0] == samples.boot[3] != samples.boot[2]


def test_boots_and_runs_may_be_unknown(tmp_path):
    samples = read_csv(write(tmp_path, "metric,side,value", "a,base,1", "a,head,2", "", "a,head,3")).samples

    assert samples.boot.tolist() == [-1, -1, -1]
    assert len(set(samples.run.tolist())) == 3


def test_an_empty_boot_cell_is_an_unknown_boot(tmp_path):
    samples = read_csv(write(tmp_path, HEADER, "a,base,,1,1,1", "a,head,x,1,1,1")).samples

    assert (samples.boot[0], samples.boot[1] >= 0) == (-1, True)


def test_answers_are_json_objects_in_order_of_appearance(tmp_path):
    lines = sides("slow", [1.0, 1.01, 0.99], [1.5, 1.51, 1.49], ",lower,s")
    lines += sides("fast", [1.0, 1.01, 0.99], [1.5, 1.51, 1.49], ",higher,ops/s")
    lines += sides("seen", [1.0, 1.01, 0.99], [1.5, 1.51, 1.49], ",none,count")

    found = compare_csv(write(tmp_path, HEADER + ",better,unit", *lines), Policy())

    assert [one["metric"] for one in found] == ["slow", "fast", "seen"]
    assert [one["verdict"] for one in found] == ["regression", "improvement", "not comparable"]
    assert [one["unit"] for one in found] == ["s", "ops/s", "count"]
    assert {"metric", "verdict", "effect", "ci", "p", "q", "n", "why"} <= found[0].keys()
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["metric,side,time", "a,base,1"], "samples.csv:1: no column value in the header line"),
        ([""], "samples.csv:1: no column metric, side, value"),
        ([HEADER], "no rows after the header line"),
        ([HEADER, "a,base,x,1,1,1", "a,head,x,1,1"], "samples.csv:3: 5 fields, the header has 6"),
        ([HEADER, "a,base,x,1,1,1", "", "a,left,x,1,1,1"], "samples.csv:4: side is 'left', not base or head"),
        ([HEADER, "a,base,x,1,1,fast"], "samples.csv:2: value is 'fast', not a number"),
        ([HEADER, "a,base,x,1,1,1", "a,base,x,1,2,nan"], "samples.csv:3: value is 'nan', not a finite number"),
        ([HEADER + ",better", "a,base,x,1,1,1,up"], "samples.csv:2: better is 'up'"),
    ],
)
def test_what_cannot_be_read_names_the_line(tmp_path, lines, message):
    with pytest.raises(UserError, match=r"samples\.csv") as refused:
        read_csv(write(tmp_path, *lines))

    assert message in str(refused.value)
    assert refused.value.hint


def test_a_file_that_is_not_there_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        read_csv(tmp_path / "none.csv")
