from ingest import parsers
from ingest.records import Better, Output, Record, Status, Unit

SAID = """Halter vCPU thread started
vCPU thread running vCPU 0
Test successful after running for 3 seconds.
Sending vCPU sent 164 IPIs to halting vCPU
Halting vCPU halted 164 times, woke 163 times, received 163 IPIs.
Halter APIC ID=0
"""
COUNTS = {"ipis_sent": 164, "halts": 164, "wakes": 163, "ipis_received": 163}


def counts(record: Record) -> dict[str, float]:
    return {one.metric: one.value for one in record.measurements}


def test_the_counts_are_read_from_the_errors() -> None:
    output = Output("", "x.out", "./xapic_ipi_test -s 3", 0, stderr=SAID)

    (record,) = parsers.parse(output)

    assert (record.benchmark, record.status) == ("kvm-selftests/xapic_ipi_test", Status.PASS)
    assert counts(record) == COUNTS
    assert record.params["seconds"] == 3
    assert {(one.unit, one.better, one.line) for one in record.measurements} == {(Unit.COUNT, Better.HIGHER, 0)}


def test_the_counts_are_read_from_a_log_of_the_runner() -> None:
    name = "selftests: kvm: xapic_ipi_test"
    log = f"# {name}\n" + "".join(f"# {line}\n" for line in SAID.splitlines()) + f"ok 1 {name}\n"

    (record,) = parsers.parse(Output(log))

    assert counts(record) == COUNTS
    assert [one.line for one in record.measurements] == [5, 6, 6, 6]


def test_a_run_that_was_ended_keeps_its_status() -> None:
    (record,) = parsers.parse(Output("", "x.out", "./xapic_ipi_test", 254, stderr="==== Test Assertion Failure ====\n"))

    assert record.status is Status.FAIL
    assert record.measurements == ()
