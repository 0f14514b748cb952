import pytest

from ingest import parsers
from ingest.records import Better, FormatError, Output, Record, Status, Unit

BENCH = f"""Timer Frequency 25000000 Hz (Output in microseconds)

{"name":<30}{"total ns":>18}{"":>13}{"avg ns":>18}{"":>13}
{"-" * 92}
{"hvc":<30}{168674516:>15}.{0:<15}{2573:>15}.{7:<15}
ipi_hw test skipped
"""


def parse(text: str, command: str | None = None, source: str = "x.txt") -> list[Record]:
    return parsers.parse(Output(text, command=command, source=source))


def values(record: Record) -> dict[str, float]:
    return {one.series: one.value for one in record.measurements}


def test_vmexit_prints_cycles_without_saying_so() -> None:
    (record,) = parse("enabling apic\ncr3 = 7fff000\nvmcall 1559\nipi (skipped)\ninl_from_qemu 20574\n")

    assert record.benchmark == "kvm-unit-tests/vmexit"
    assert values(record) == {"vmcall": 1559, "inl_from_qemu": 20574}
    assert {one.unit for one in record.measurements} == {Unit.CYCLE}


def test_a_histogram_over_runs_is_described_and_never_judged() -> None:
    (record,) = parse("      5 cpuid 1093\n     24 cpuid 1098\n")

    assert [(one.value, one.better) for one in record.measurements] == [(1093, Better.NONE), (1098, Better.NONE)]
    assert record.labels["histogram"] == "1093x5 1098x24"


def test_before_and_after_are_two_test_cases() -> None:
    before, after = parse("Before patch:\nvmcall 1559\n\nAfter patch:\nvmcall 1539\n")

    assert (before.params["variant"], after.params["variant"]) == ("before", "after")
    assert before.reported


def test_the_same_exit_again_is_another_run() -> None:
    assert [values(record) for record in parse("cpuid 1\nvmcall 2\ncpuid 3\n")] == [
        {"cpuid": 1, "vmcall": 2},
        {"cpuid": 3},
    ]


def test_any_exit_counts_when_the_command_line_names_vmexit() -> None:
    (record,) = parse("new_exit_reason 77\n", "TESTNAME=vmexit ./x86/run x86/vmexit.flat -smp 2 -append cpuid")

    assert values(record) == {"new_exit_reason": 77}
    assert record.params == {"smp": 2}


def test_a_number_at_the_cut_end_is_left_out() -> None:
    (record,) = parse("cpuid 1098\nvmcall 15")

    assert values(record) == {"cpuid": 1098}
    assert any("no end" in warning for warning in record.warnings)


def test_micro_bench_is_in_seconds() -> None:
    (record,) = parse(BENCH)

    assert values(record) == {"hvc": 2573.7e-9, "hvc_total_time": 0.168674516}


def test_emulated_instructions_and_dirty_pages() -> None:
    (realmode,) = parse("739 cycles/emulated jump instruction\n")
    (dirty,) = parse("rip 804a3fa\nget dirty log:      80824 ns for          1 dirty pages\n")

    assert values(realmode) == {"cycles_per_emulated_jump_instruction": 739}
    assert values(dirty) == {"get_dirty_log_time.1_pages": 80824e-9}


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("PASS apic (53 tests)", Status.PASS),
        ("\x1b[32mPASS\x1b[0m apic (53 tests, 1 skipped)", Status.PASS),
        ("FAIL apic (53 tests, 1 unexpected failures)", Status.FAIL),
        ("FAIL apic (timeout; duration=90s)", Status.TIMEOUT),
        ("FAIL apic (terminated on SIGSEGV)", Status.KILLED),
        ("SKIP apic (0 tests)", Status.SKIP),
        ("SKIP apic (/proc/x not equal to Y)", Status.SKIP),
        ("SKIP apic (test marked as manual run only)", Status.SKIP),
        ("FAIL apic ", Status.FAIL),
    ],
)
def test_a_line_of_the_summary_is_a_status(line: str, status: Status) -> None:
    (record,) = parse(line + "\n", "./run_tests.sh")

    assert (record.benchmark, record.status) == ("kvm-unit-tests/apic", status)
    assert status is Status.PASS or record.warnings


def test_counts_and_reasons_are_kept() -> None:
    passed, skipped = parse("PASS pmu (142 tests, 3 expected failures)\nSKIP pku (no such feature)\n")

    assert passed.labels == {"tests": "142", "expected_failures": "3"}
    assert skipped.labels == {"reason": "no such feature"}


def test_tap_output_has_a_record_per_test_inside() -> None:
    records = parse("TAP version 13\nok 1 - apic: existence\nnot ok 2 - apic: id\nok 3 - pku: foo # skip\n1..3\n")

    assert [(record.benchmark, record.params.get("subtest"), record.status) for record in records] == [
        ("kvm-unit-tests/apic", None, Status.FAIL),
        ("kvm-unit-tests/apic", "existence", Status.PASS),
        ("kvm-unit-tests/apic", "id", Status.FAIL),
        ("kvm-unit-tests/pku", None, Status.SKIP),
        ("kvm-unit-tests/pku", "foo", Status.SKIP),
    ]


def test_a_log_is_named_by_its_file_or_command() -> None:
    text = "PASS: existence\nXFAIL: known\nSUMMARY: 2 tests, 1 expected failures\n"

    assert parse(text, source="logs/apic.log")[0].benchmark == "kvm-unit-tests/apic"
    assert parse(text, "./x86/run x86/apic.flat -smp 2")[0].params == {"smp": 2}
    with pytest.raises(FormatError, match="nothing names"):
        parse(text)


@pytest.mark.parametrize("text", ["the cpuid 5\n", "PASS the salt\n", "hello 12\nworld 13\n", "12 apples 3\n"])
def test_other_words_with_numbers_are_none_of_it(text: str) -> None:
    with pytest.raises(FormatError):
        parse(text)
