"""Printed tables and JSON exports, in the shapes that people post."""

import json

import pytest
from mmtests_tree import series

from ingest import parsers
from ingest.parsers import mmtests
from ingest.parsers.mmtests.printed import benchmark_name
from ingest.parsers.mmtests.rows import tables
from ingest.records import Better, FormatError, Output, Record, Unit

TABLE = """hackbench-process-pipes
                              6.18                   6.18
                              base                  patch
Amean     time-1      0.0379 (   0.00%)      0.0638 * -68.19%*
CoeffVar  time-1     32.9633 (   0.00%)     80.9738 (-145.65%)
"""


def parse(text: str) -> list[Record]:
    return parsers.parse(Output(text))


def test_each_column_is_a_reported_record_in_base_units() -> None:
    base, patch = parse(TABLE)

    assert patch.benchmark == "mmtests/hackbench-process-pipes"
    assert (patch.labels["mmtests.run"], patch.labels["base"]) == ("6.18 patch", "6.18 base")
    assert series(base) == {"time-1.Amean": [0.0379], "time-1.CoeffVar": [32.9633]}
    assert {one.metric: one.unit for one in patch.measurements[:1]} == {"time-1": Unit.SECOND}
    assert base.reported
    assert patch.reported


def test_percents_and_stars_are_claims_apart_from_the_numbers() -> None:
    _base, patch = parse(TABLE)

    assert patch.labels["percent Amean time-1"] == "-68.19*"
    assert patch.labels["percent CoeffVar time-1"] == "-145.65"


@pytest.mark.parametrize("prefix", ["> ", "> > > ", ">> "])
def test_quoting_changes_nothing(prefix: str) -> None:
    quoted = "\n".join(prefix + line for line in TABLE.split("\n"))

    assert [record.measurements for record in parse(quoted)] == [record.measurements for record in parse(TABLE)]
    assert parse(quoted)[1].labels == parse(TABLE)[1].labels


def test_soft_line_breaks_of_mails_are_undone() -> None:
    broken = TABLE.replace("0.0638 * -68", "0.0638 *=20\n".replace("=20\n", "=\n") + " -68") + "=20\n"

    assert series(parse(broken)[1])["time-1.Amean"] == [0.0638]


@pytest.mark.parametrize(
    ("stat", "percent", "better"),
    [("Hmean", "10.00", Better.HIGHER), ("Amean", "-10.00", Better.LOWER), ("Min", "10.00", Better.HIGHER)],
)
def test_a_table_of_an_unknown_benchmark_tells_its_direction(stat: str, percent: str, better: Better) -> None:
    (_base, head) = parse(f"{stat}     score-4      100.00 (   0.00%)      110.00 (  {percent}%)\n")

    assert head.benchmark == "mmtests/unnamed"
    assert [(one.better, one.unit) for one in head.measurements] == [(better, Unit.COUNT)]
    assert "units" in " ".join(head.warnings)


def test_a_table_that_contradicts_the_benchmark_is_not_taken_for_it() -> None:
    (_base, head) = parse(TABLE.replace("Amean", "Hmean"))

    assert (head.measurements[0].unit, head.measurements[0].better) == (Unit.COUNT, Better.HIGHER)


def test_monitors_below_a_table_belong_to_it() -> None:
    text = f"{TABLE}\nDuration User        5702.00    10264.25\nOps NUMA alloc hit   3.00    4.00\n"

    found = tables(text)

    assert [row.operation for table in found for row in table.rows][-2:] == ["User", "NUMA alloc hit"]
    assert found[-1].title == "hackbench-process-pipes"


def test_titles_name_benchmarks() -> None:
    assert benchmark_name("multi subtest netperf-tcp-rr") == "netperf-tcp-rr"
    assert benchmark_name("kernbench, increased system time:") == "kernbench"
    assert benchmark_name("specjbb2015-multi") == "specjbb2015-multi"
    assert benchmark_name("the numbers below were measured") == "unnamed"


@pytest.mark.parametrize("text", ["down by 12 (5.3%)\n", "coverage 10 (0.00%)\n", "a 1.0 (0.00%) trailing\n"])
def test_prose_is_no_table(text: str) -> None:
    assert not mmtests.is_table(Output(text))
    with pytest.raises(FormatError):
        mmtests.parse_table(Output(text if "coverage" not in text else "nothing"))


EXPORT = {
    "_ModuleName": "ExtractShellpackstressng",
    "_TestName": "6.18-a",
    "_PreferredVal": "Lower",
    "_GeneratedOperations": ["bops-mmap-2", "bops-mmap-1", "bops-successful-1"],
    "_ResultData": {
        "bops-mmap-1": [{"SampleNrs": ["1", 2], "Values": ["0.90", 0.94]}, None],
        "bops-mmap-2": [None, {"SampleNrs": [1], "Values": ["1.5"]}],
    },
    "_Cmd": ["./stress-ng --mmap 1 --timeout 1s\n./stress-ng --mmap 2 --timeout 1s\n"],
}


def test_an_export_gives_a_record_per_iteration_with_true_directions() -> None:
    first, second = parse(json.dumps(EXPORT))

    assert series(first) == {"bops-mmap-1": [0.9, 0.94]}
    assert series(second) == {"bops-mmap-2": [1.5]}
    assert first.measurements[0].better is Better.HIGHER
    assert first.labels["mmtests.preferred"] == "Lower"
    assert first.params == {"command": "stress-ng --mmap * --timeout 1s"}
    assert not first.reported


def test_an_array_and_a_comparison_hold_several_runs() -> None:
    other = {**EXPORT, "_TestName": "6.18-b"}

    for text in (json.dumps([EXPORT, other]), json.dumps({"_ExtractModules": [EXPORT, other], "_ResultsTable": {}})):
        assert [record.labels["mmtests.run"] for record in parse(text)] == ["6.18-a"] * 2 + ["6.18-b"] * 2


def test_an_export_of_an_unknown_benchmark_keeps_its_numbers_and_direction() -> None:
    module = {**EXPORT, "_ModuleName": "ExtractShellpackspecjbb", "_PreferredVal": "Higher"}

    (record, _second) = parse(json.dumps(module))

    assert [(one.unit, one.better) for one in record.measurements[:1]] == [(Unit.COUNT, Better.HIGHER)]
    assert "does not know" in record.warnings[0]


@pytest.mark.parametrize(
    "change",
    [
        {"_ResultData": {}},
        {"_ResultData": {"a": [{"Values": ["nan", "inf", True, None, [], "1e999", "x"]}]}},
        {"_ResultData": {"a": [None] * 20_000}},
        {"_ModuleName": "Extract/../x"},
        {"_ModuleName": ""},
    ],
)
def test_exports_without_sense_are_format_errors(change: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        parse(json.dumps({**EXPORT, **change}))


def test_a_cut_export_says_where() -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        parse(json.dumps(EXPORT)[:-20])
