from ingest import parsers
from ingest.records import Output, Status

ROUNDS = "".join(
    f"Iteration {number} dirty memory time: 0.{number}00000000s\n"
    f"Iteration {number} get dirty log time: 0.0{number}0000000s\n"
    f"Iteration {number} clear dirty log time: 0.00{number}000000s\n"
    for number in (1, 2, 3, 4)
)
WHOLE = f"""Test iterations: 4
Testing guest mode: PA-bits:ANY, VA-bits:48,  4K pages
guest physical test memory: [0x1000, 0x41000)
Populate memory time: 1.000000000s
Enabling dirty logging time: 0.000000001s

{ROUNDS}Disabling dirty logging time: 0.500000000s
Get dirty log over 4 iterations took 0.100000000s. (Avg 0.025000000s/iteration)
Clear dirty log over 4 iterations took 0.010000000s. (Avg 0.002500000s/iteration)
"""


def test_rounds_are_three_experiments() -> None:
    (record,) = parsers.parse(Output(WHOLE))

    dirty = [(one.iteration, one.phase) for one in record.measurements if one.metric == "dirty_memory_time"]
    assert dirty == [(1, "round1"), (2, "round2"), (3, "later"), (4, "later")]


def test_what_varies_by_itself_is_no_parameter() -> None:
    (record,) = parsers.parse(Output(WHOLE))

    assert record.params == {
        "iterations": 4,
        "mode": "PA-bits:ANY, VA-bits:48, 4K pages",
        "test_memory_bytes": 0x40000,
    }


def test_a_second_header_is_a_second_run() -> None:
    records = parsers.parse(Output(f"Before:\n\n{WHOLE}\nAfter:\n\n{WHOLE}"))

    assert [record.status for record in records] == [Status.PASS, Status.PASS]
    assert records[0].params == records[1].params
    assert len(records[0].measurements) == len(records[1].measurements) == 19


def test_excerpts_one_after_the_other_are_two_runs() -> None:
    excerpt = "Clear dirty log over 3 iterations took {}.000000000s. (Avg 1.000000000s/iteration)\n"

    records = parsers.parse(Output(excerpt.format(9) + "\n" + excerpt.format(5)))

    assert [record.measurements[0].value for record in records] == [9.0, 5.0]


def test_wrapped_lines_are_joined() -> None:
    text = WHOLE.replace("s. (Avg", "s.\n(Avg").replace("iterations took ", "iterations took\n")

    (record,) = parsers.parse(Output(text))

    (plain,) = parsers.parse(Output(WHOLE))
    assert [one.value for one in record.measurements] == [one.value for one in plain.measurements]


def test_per_vcpu_debug_lines_are_read_apart() -> None:
    text = WHOLE.replace(
        "Iteration 1 dirty",
        "vCPU 0 iteration 1 dirty memory time: 0.050000000s\nvCPU 1 iteration 1 dirty memory time: 0.060000000s\n"
        "Iteration 1 dirty",
    )

    (record,) = parsers.parse(Output(text))

    assert [one.series for one in record.measurements if one.metric == "vcpu_dirty_memory_time"] == [
        "vcpu_dirty_memory_time.vcpu0.round1",
        "vcpu_dirty_memory_time.vcpu1.round1",
    ]


def test_two_sides_on_one_line_each_are_two_runs() -> None:
    text = (
        "Before: Disabling dirty logging time: 14.300000000s (131072 flushes)\n"
        "After:  Disabling dirty logging time: 4.700000000s  (76 flushes)\n"
    )

    records = parsers.parse(Output(text))

    assert [record.params["variant"] for record in records] == ["before", "after"]
    assert [[one.value for one in record.measurements] for record in records] == [[14.3, 131072.0], [4.7, 76.0]]


def test_a_remark_behind_a_number_is_taken_off() -> None:
    (record,) = parsers.parse(Output("Populate memory time: 1.500000000s   <--- slow\n"))

    assert record.measurements[0].value == 1.5
    assert any("remarks" in warning for warning in record.warnings)


def test_a_guest_mode_of_its_own_is_a_run_of_its_own() -> None:
    second = WHOLE.split("\n", 1)[1].replace("4K", "16K")

    records = parsers.parse(Output(WHOLE + second))

    assert [record.params["mode"][-9:] for record in records] == [" 4K pages", "16K pages"]
    assert [record.params["iterations"] for record in records] == [4, 4]
