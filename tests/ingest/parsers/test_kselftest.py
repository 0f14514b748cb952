"""Logs of the kselftest runner: nested results, what consoles write into them, what is missing from them."""

import pytest

from ingest import parsers
from ingest.records import FormatError, Output, Record, Status

NESTED = """# timeout set to 120
# selftests: kvm: sync_regs_test
# Random seed: 0x6b8b4567
# TAP version 13
# 1..6
# # Starting 6 tests from 1 test cases.
# #  RUN           sync_regs_test.read_invalid ...
# ok 1 sync_regs_test.read_invalid
# not ok 2 sync_regs_test.set_invalid
# ok 3 # SKIP sync_regs_test.race
# ok 4 # XFAIL sync_regs_test.known
# ok 5 - sync_regs_test.clear # SKIP no cap
# # Totals: pass:2 fail:1 xfail:1 xpass:0 skip:2 error:0
not ok 1 selftests: kvm: sync_regs_test # exit=1
"""


def parse(text: str, command: str | None = None) -> list[Record]:
    return parsers.parse(Output(text, command=command))


def subtests(records: list[Record]) -> dict[object, Status]:
    return {record.params["subtest"]: record.status for record in records if "subtest" in record.params}


def test_every_test_inside_a_test_keeps_its_status() -> None:
    parent, *inside = parse(NESTED)

    assert (parent.benchmark, parent.status) == ("kvm-selftests/sync_regs_test", Status.FAIL)
    assert subtests(inside) == {
        "sync_regs_test.read_invalid": Status.PASS,
        "sync_regs_test.set_invalid": Status.FAIL,
        "sync_regs_test.race": Status.SKIP,
        "sync_regs_test.known": Status.PASS,
        "sync_regs_test.clear": Status.SKIP,
    }
    assert parent.labels["timeout_s"] == "120"
    assert any("1 of 6 tests inside said nothing" in warning for warning in parent.warnings)


def test_an_expected_failure_is_no_failure() -> None:
    text = NESTED.replace("not ok 2", "not ok 2 # TODO").replace("not ok 1 selftests: kvm: sync_regs_test # exit=1", "")

    parent, *inside = parse(text + "ok 1 selftests: kvm: sync_regs_test\n")

    assert parent.status is Status.PASS
    assert Status.FAIL not in subtests(inside).values()


@pytest.mark.parametrize(
    "verdict",
    [
        "ok 1 selftests: kvm: state_test[  123.456789] kvm: message\n",
        "[  123.456789] kvm: message ok 1 selftests: kvm: state_test\n",
        "ok 1 selftests: kvm: state_test\r\n",
    ],
)
def test_a_kernel_message_in_the_verdict_does_not_hide_it(verdict: str) -> None:
    (record,) = parse("# selftests: kvm: state_test\n" + verdict)

    assert record.status is Status.PASS


def test_a_message_inside_a_number_makes_no_other_number() -> None:
    text = "# selftests: kvm: dirty_log_perf_test\n# Populate memory time: 3.0145[   12.345678] foo\n# 09690s\n"

    (record,) = parse(text + "ok 1 selftests: kvm: dirty_log_perf_test\n")

    assert record.measurements == ()


def test_a_program_without_a_verdict_did_not_pass() -> None:
    first, last = parse(
        "# selftests: kvm: smm_test\nok 1 selftests: kvm: smm_test\n# selftests: kvm: cpuid_test\n# x\n"
    )

    assert (first.status, last.status) == (Status.PASS, Status.KILLED)
    assert "no verdict" in " ".join(last.warnings)


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        ("ok 1 selftests: kvm: amx_test # SKIP", Status.SKIP),
        ("not ok 1 selftests: kvm: amx_test # TIMEOUT 45 seconds", Status.TIMEOUT),
        ("not ok 1 selftests: kvm: amx_test # exit=254", Status.FAIL),
        ("not ok 1 selftests: kvm: amx_test # exit=137", Status.KILLED),
        ("not ok 1 selftests: kvm: amx_test", Status.FAIL),
        ("ok 1 selftests: kvm: amx_test", Status.PASS),
    ],
)
def test_verdicts(verdict: str, status: Status) -> None:
    (record,) = parse(f"# selftests: kvm: amx_test\n#\n{verdict}\n")

    assert record.status is status


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("kvm:amx_test\nkvm:smm_test\n", "list of tests"),
        ("cd kvm\nrun_many amx_test\n", "dry run"),
        ("Usage: ./run_kselftest.sh [OPTIONS]\n  -s | --summary\n", "usage text"),
        ("", "ran nothing"),
    ],
)
def test_a_runner_that_ran_nothing_says_why(text: str, what: str) -> None:
    with pytest.raises(FormatError, match=what):
        parse(text, "./run_kselftest.sh -t kvm:amx_test")


def test_lines_behind_the_verdicts_are_cut_at_the_next_program() -> None:
    text = (
        "# selftests: kvm: kvm_page_table_test\nok 1 selftests: kvm: kvm_page_table_test\n"
        "# guest physical test memory: [0xfcfdfff000, 0xfcfffff000)\n# Total guest execution time: 4.312501710s\n"
        "# Testing guest mode: PA-bits:ANY, VA-bits:48,  4K pages\n# Testing memory backing src type: anonymous\n"
        "# KVM_CREATE_MAPPINGS: total execution time: 1.574137410s\n"
    )

    *_verdicts, tables = parse(text)

    assert tables.params == {"mode": "PA-bits:ANY, VA-bits:48, 4K pages", "backing_src": "anonymous"}


def test_the_log_of_a_single_test_is_named_by_its_file() -> None:
    (record,) = parsers.parse(Output("# Halter vCPU thread started\n# Test successful\n", source="/tmp/xapic_ipi_test"))

    assert record.benchmark == "kvm-selftests/xapic_ipi_test"
