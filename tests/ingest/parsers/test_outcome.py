"""How a run ended, for every way in which exit status and text tell it."""

import pytest

from ingest import parsers
from ingest.records import Output, Status

HEAD = (
    "Test iterations: 2\nTesting guest mode: PA-bits:ANY, VA-bits:48,  4K pages\nPopulate memory time: 1.000000000s\n"
)
WHOLE = (
    HEAD
    + "Disabling dirty logging time: 0.010000000s\n"
    + "Get dirty log over 2 iterations took 0.002000000s. (Avg 0.001000000s/iteration)\n"
)
ASSERTION = """==== Test Assertion Failure ====
  lib/memstress.c:150: vcpu_memory_bytes % getpagesize() == 0
  pid=576 tid=576 errno=0 - Success
     1\t0x0000000000407864: memstress_create_vm at memstress.c:150 (discriminator 2)
     2\t (inlined by) main at dirty_log_perf_test.c:439
  Guest memory size is not host page size aligned.
"""
COMMAND = "./dirty_log_perf_test -v 2"


@pytest.mark.parametrize(
    ("text", "exit_status", "expected"),
    [
        (WHOLE, 0, Status.PASS),
        (WHOLE, None, Status.PASS),
        (HEAD, 0, Status.PASS),
        (HEAD, None, Status.KILLED),
        ("", None, Status.KILLED),
        (HEAD, 124, Status.TIMEOUT),
        (HEAD, 137, Status.KILLED),
        (HEAD, 142, Status.KILLED),
        (HEAD, -9, Status.KILLED),
        (HEAD, 254, Status.FAIL),
        (HEAD, 255, Status.FAIL),
        (HEAD, 1, Status.FAIL),
        (HEAD, 4, Status.SKIP),
        (HEAD + "1..0 # SKIP - Requirement not met", None, Status.SKIP),
        (HEAD + ASSERTION, None, Status.FAIL),
        (HEAD + ASSERTION, 0, Status.FAIL),
        (HEAD + "Killed\n", None, Status.KILLED),
        ("\nusage: ./dirty_log_perf_test [-h]\n", 0, Status.FAIL),
        (HEAD + "[...]\n", None, Status.PASS),
        ("Populate memory time: 1.000000000s\n", None, Status.PASS),
    ],
)
def test_status(text: str, exit_status: int | None, expected: Status) -> None:
    (record,) = parsers.parse(Output(text, command=COMMAND, exit_status=exit_status))

    assert record.status is expected
    assert record.status is Status.PASS or record.warnings


def test_an_assertion_on_stderr_is_told_with_its_message() -> None:
    (record,) = parsers.parse(Output(HEAD, command=COMMAND, exit_status=254, stderr=ASSERTION))

    assert record.labels["assertion"] == "lib/memstress.c:150: vcpu_memory_bytes % getpagesize() == 0"
    assert "Guest memory size is not host page size aligned." in record.warnings[0]
    assert [measurement.metric for measurement in record.measurements] == ["populate_memory_time"]
    assert any("more are missing" in warning for warning in record.warnings)


def test_the_reason_of_a_skip_is_kept() -> None:
    (record,) = parsers.parse(Output("1..0 # SKIP - no AMX\n", command="./amx_test", exit_status=4))

    assert record.labels == {"skip_reason": "no AMX"}


def test_the_runner_says_how_long_it_waited() -> None:
    text = "# selftests: kvm: rseq_test\n#\nnot ok 1 selftests: kvm: rseq_test # TIMEOUT 15 seconds\n"

    (record,) = parsers.parse(Output(text))

    assert (record.status, record.benchmark) == (Status.TIMEOUT, "kvm-selftests/rseq_test")
    assert "15 seconds" in record.warnings[0]


def test_an_assertion_names_its_program_when_nothing_else_does() -> None:
    text = ASSERTION.replace("dirty_log_perf_test", "debug_regs")

    (record,) = parsers.parse(Output(text))

    assert (record.benchmark, record.status) == ("kvm-selftests/debug_regs", Status.FAIL)
