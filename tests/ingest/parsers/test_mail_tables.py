"""Tables, lists and reports out of mails: reported numbers with their side and test case, claims left out."""

import pytest

from ingest import parsers
from ingest.records import FormatError, Output, Record, Unit

SIDES = """
                Before     After      Improvement
  map:          26.12s     1.54s      ~17x faster
  unmap chunked: 10.07s    0.005s     ~2014x faster
"""
BOX = """$ ./kvm_page_table_test -m 2 -v 128 -s anonymous_hugetlb_2mb -b $i

+--------+-----------------------+-----------------------+
| mem_sz |  ADJUST_MAPPINGS (s)  |    Unmap VM (ms)      |
|  (GB)  | Baseline | + series   | Baseline | + series   |
+--------+----------+------------+-----------------------+
|   1    |   3.44   |   2.97     | 7.5      | 5.25       |
| 128    | 330.42   | 306.86     | 280      | 90         |
+--------+----------+------------+----------+------------+
"""
ROUNDS = """           | Iteration 1 clear dirty log time | Iteration 2 dirty memory time
---------- | -------------------------------- | -----------------------------
Before     | 0.049572219s                     | 2.751442902s
After      | 1.667811687s                     | 0.127016504s
"""
ROBOT = """kernel test robot noticed a -11.9% regression of will-it-scale.per_process_ops on:

testcase: will-it-scale
parameters:

\tnr_task: 100%
\tmode: process

59142d87ab03b8ff 70a64b7919cbd6c12306051ff28
---------------- ---------------------------
         %stddev     %change         %stddev
             \\          |                \\
      7.14            -0.8        6.32        mpstat.cpu.all.usr%
    245257 ±  7%     -13.8%     211354 ±  4%  sched_debug.cfs_rq:/.avg_vruntime.stddev
     91713           -11.9%      80789        will-it-scale.per_process_ops
"""
LISTS = """cmdline: ./kvm_page_table_test -m 4 -s anonymous -b 1G -v 50
a) Before patch: KVM_CREATE_MAPPINGS: 62.752s 62.123s 61.733s
61.847s
    After  patch: KVM_CREATE_MAPPINGS: 58.800s 58.364s 58.163s
58.677s *average 7% improvement*
prose 12.5s that is none of it
"""
ARROW = "KVM_UPDATE_MAPPINGS: before  78.64s -> after  75.45s  + 4.06%\n"


def parse(text: str) -> list[Record]:
    records = parsers.parse(Output(text))
    assert all(record.reported for record in records)
    return records


def told(records: list[Record]) -> list[tuple[object, str, int | None, float]]:
    return [
        (record.params.get("variant"), one.metric, one.iteration, one.value)
        for record in records
        for one in record.measurements
    ]


def test_columns_are_sides_and_factors_are_claims() -> None:
    assert sorted(told(parse(SIDES))) == [
        ("after", "map_time", None, 1.54),
        ("after", "unmap_chunked_time", None, 0.005),
        ("before", "map_time", None, 26.12),
        ("before", "unmap_chunked_time", None, 10.07),
    ]


def test_headings_over_several_columns_and_units_in_them() -> None:
    records = parse(BOX)

    first = records[0]
    assert (first.benchmark, first.params["mem_sz_gb"]) == ("kvm-selftests/kvm_page_table_test", 1)
    assert {one.metric: one.value for one in first.measurements} == {
        "adjust_mappings_time": 3.44,
        "unmap_vm_time": 0.0075,
    }
    assert first.params["vcpus"] == 128
    assert "memory_bytes" not in first.params  # a loop of a script set it: the row tells


def test_rounds_keep_their_number() -> None:
    assert ("after", "clear_dirty_log_time", 1, 1.667811687) in told(parse(ROUNDS))
    assert ("before", "dirty_memory_time", 2, 2.751442902) in told(parse(ROUNDS))


def test_a_table_of_exits_is_in_cycles() -> None:
    (before, after) = parse("             before   after\n  cpuid      14886    13142\n  vmcall     14918    13189\n")

    assert [one.value for one in before.measurements] == [14886, 14918]
    assert {one.unit for one in after.measurements} == {Unit.CYCLE}


def test_a_number_without_a_unit_is_no_measurement() -> None:
    with pytest.raises(FormatError, match="no unit"):
        parsers.parse(Output("| thing | Before | After |\n|-------|--------|-------|\n| walls | 12     | 13    |\n"))


def test_two_tables_without_titles_are_kept_apart() -> None:
    once = "| vCPUs | base | series |\n|-------|------|--------|\n| 1     | 0.5s | 0.25s  |\n\n"

    assert len(parse(once + once)) == 4


def test_lists_of_runs_are_unwrapped() -> None:
    before, after = parse(LISTS)

    assert told([before]) == [
        ("before", "create_mappings_time", number, value)
        for number, value in enumerate((62.752, 62.123, 61.733, 61.847), start=1)
    ]
    assert len(after.measurements) == 4
    assert after.params["vcpus"] == 50


def test_an_arrow_has_two_sides_and_a_claim() -> None:
    assert told(parse(ARROW)) == [
        ("before", "update_mappings_time", None, 78.64),
        ("after", "update_mappings_time", None, 75.45),
    ]


def test_a_robot_report_has_a_record_per_commit() -> None:
    parent, commit = parse(ROBOT)

    assert (parent.params["variant"], commit.params["variant"]) == ("59142d87ab03", "70a64b7919cb")
    assert [one.value for one in commit.measurements] == [6.32, 211354, 80789]
    assert commit.params["nr_task"] == "100%"
    assert "-11.9% regression" in commit.labels["claim"]


def test_failures_are_counted_out_of_runs() -> None:
    text = "       fail:runs  %reproduction    fail:runs\n           |             |             |\n"

    parent, commit = parse(text + "           :9           67%           6:6     kvm-unit-tests.access.fail\n")

    assert [record.measurements[0].value for record in (parent, commit)] == [0, 6]
    assert (parent.labels["runs"], commit.labels["runs"]) == ("9", "6")


@pytest.mark.parametrize("prefix", ["> ", ">> > ", "    "])
@pytest.mark.parametrize("text", [SIDES, BOX, ROUNDS, LISTS, ARROW, ROBOT])
def test_quoting_and_indentation_change_no_number(text: str, prefix: str) -> None:
    shifted = "".join(f"{prefix}{line}\n" if line else f"{prefix}\n" for line in text.splitlines())

    assert told(parse(shifted)) == told(parse(text))
