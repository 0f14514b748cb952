import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parsers import commandline, dirty_log_perf, memslot_perf
from ingest.parsers.lines import clean

WRAPPED = [
    "./dirty_log_perf_test -v 2 -b 16M",
    "timeout 60 ./dirty_log_perf_test -v 2 -b 16M",
    "timeout -s KILL 2 ./dirty_log_perf_test -v 2 -b 16M",
    "timeout --signal=KILL -k 5 2 /opt/kvm/dirty_log_perf_test -v 2 -b 16M",
    'script -qfec "./dirty_log_perf_test -v 2 -b 16M" /dev/null',
    "script -qfec ./dirty_log_perf_test -v 2 -b 16M /dev/null",
    'script -qefc "timeout 3 ./dirty_log_perf_test -v 2 -b 16M" /dev/null',
    "sudo -u root LD_LIBRARY_PATH=. numactl -m 0 --cpunodebind=0 dirty_log_perf_test -v 2 -b 16M",
    "taskset -c 0-3 nice -n 4 chrt -f 10 ./dirty_log_perf_test -v 2 -b 16M",
    "env A=1 B=2 stdbuf -oL ./dirty_log_perf_test -v2 -b16M > out.txt 2>&1",
    "bash -c './dirty_log_perf_test -v 2 -b 16M | cat'",
]


@pytest.mark.parametrize("command", WRAPPED)
def test_wrappers_do_not_change_the_test_case(command: str) -> None:
    found = commandline.invocation(command)

    assert found.program == "dirty_log_perf_test"
    params = commandline.parameters(found, dirty_log_perf.PROGRAM.options)
    assert (params["vcpus"], params["bytes_per_vcpu"]) == (2, 16 << 20)


def test_a_wrapper_that_changes_speed_is_remembered() -> None:
    assert commandline.invocation("timeout 9 taskset -c 0 nice ./mmtest -c 2").wrapper == "taskset -c 0 nice"


@pytest.mark.parametrize(
    ("explicit", "implicit"),
    [("-b 1G", ""), ("-b 1024M -v 1", ""), ("-i 2", ""), ("-s anonymous -x 1", ""), ("-w 100", ""), ("-f 1", "")],
)
def test_documented_defaults_are_the_same_test_case(explicit: str, implicit: str) -> None:
    assert asked(explicit) == asked(implicit)


def test_a_fraction_of_written_pages_is_a_percentage() -> None:
    assert asked("-f 4") == asked("-w 25")


def test_seed_and_help_identify_nothing() -> None:
    assert asked("-r 42") == asked("")


def test_unknown_options_are_kept_apart() -> None:
    assert asked("-Z 3")["option_Z"] == "3"


def test_no_slot_cap_is_the_default() -> None:
    found = commandline.invocation("./memslot_perf_test -s -1")

    params = commandline.parameters(found, memslot_perf.PROGRAM.options)
    assert params == commandline.parameters(commandline.invocation("memslot_perf_test"), memslot_perf.PROGRAM.options)


@pytest.mark.parametrize("prompt", ["$ ", "# ", "root@host:~# ", "[me@box kvm]$ ", ""])
def test_a_command_line_before_the_output_is_found(prompt: str) -> None:
    lines = clean(f"some words\n{prompt}./mmu_stress_test -c 4\nrun1 = 0.1s")

    assert commandline.command_in(lines, "mmu_stress_test") == "./mmu_stress_test -c 4"


@pytest.mark.parametrize(
    "text", ["./mmtest: invalid option -- 'x'", "usage: ./mmtest [-h]", "mmtest is slow", "selftests: kvm: mmtest"]
)
def test_a_line_about_a_program_is_no_command_line(text: str) -> None:
    assert commandline.command_in(clean(text), "mmtest") == ""


@given(st.text())
def test_any_command_line_is_survived(command: str) -> None:
    found = commandline.invocation(command)

    commandline.parameters(found, dirty_log_perf.PROGRAM.options)


@pytest.mark.parametrize(
    ("text", "expected"), [("16M", 16 << 20), ("1g", 1 << 30), ("0x1000", 4096), ("4K", 4096), ("x", "x"), ("", "")]
)
def test_sizes_are_bytes(text: str, expected: int | str) -> None:
    assert commandline.size(text) == expected


def asked(options: str) -> dict[str, object]:
    found = commandline.invocation(f"./dirty_log_perf_test {options}")
    params = commandline.parameters(found, dirty_log_perf.PROGRAM.options)
    return dict(dirty_log_perf.PROGRAM.derive(params))
