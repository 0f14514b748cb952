"""Programs of which no output could be captured here: texts in the shape that their sources print, numbers made up."""

from importlib import import_module

import pytest

from ingest import parsers
from ingest.records import Better, Output, Status, UnknownFormatError

ACCESS = """Testing guest mode: PA-bits:ANY, VA-bits:48,  4K pages
guest physical test memory: [0xfcbfff000, 0xfcffff000)

Populating memory             : 1.100000000s
Writing to populated memory   : 0.200000000s
Reading from populated memory : 0.300000000s
Mark memory idle              : 0.400000000s
Writing to idle memory        : 0.500000000s
Mark memory idle              : 0.600000000s
Reading from idle memory      : 0.700000000s
"""


def test_access_tracking_passes_are_different_experiments() -> None:
    (record,) = parsers.parse(Output(ACCESS))

    assert record.status is Status.PASS
    assert [(one.series, one.value) for one in record.measurements] == [
        ("populate_memory_time", 1.1),
        ("write_populated_memory_time", 0.2),
        ("read_populated_memory_time", 0.3),
        ("mark_memory_idle_time.pass1", 0.4),
        ("write_idle_memory_time", 0.5),
        ("mark_memory_idle_time.pass2", 0.6),
        ("read_idle_memory_time", 0.7),
    ]


def test_pages_that_stayed_idle_void_the_idle_times() -> None:
    warning = "WARNING: vCPU0: Too many pages still idle (900 out of 1000), this will affect performance results.\n"

    (record,) = parsers.parse(Output(ACCESS.replace("Mark memory idle ", f"{warning}Mark memory idle ", 1)))

    assert {one.metric for one in record.measurements if one.warmup} == {
        "write_idle_memory_time",
        "read_idle_memory_time",
    }


def test_populating_again_is_another_run() -> None:
    body = ACCESS.partition("\n\n")[2]

    records = parsers.parse(Output(f"One notifier\n{body}\nTwo notifiers\n{body}"))

    assert [len(record.measurements) for record in records] == [7, 7]


def test_executing_memory_is_another_program() -> None:
    text = ACCESS.partition("Mark")[0] + "Executing from memory         : 0.900000000s\n"

    (record,) = parsers.parse(Output(text))

    assert record.benchmark == "kvm-selftests/execute_perf_test"
    assert record.measurements[-1].metric == "execute_memory_time"


STRESS = "run1 =  6.900000000s, reset = 0.000100000s, run2 = 0.030000000s, ro = 14.500000000s, rw = 7.700000000"


@pytest.mark.parametrize("ending", ["s", "", "s\r\n"])
def test_mmu_stress_reads_all_five_times(ending: str) -> None:
    (record,) = parsers.parse(Output(STRESS + ending))

    assert record.benchmark == "kvm-selftests/mmu_stress_test"
    assert [one.value for one in record.measurements] == [6.9, 0.0001, 0.03, 14.5, 7.7]


def test_a_number_that_is_cut_off_is_no_number() -> None:
    (record,) = parsers.parse(Output(STRESS[:-1]))

    assert [one.metric for one in record.measurements][-1] == "mprotect_ro_time"


def test_the_older_name_prints_three_times() -> None:
    text = (
        "Running with 2gb of guest memory and 2 vCPUs\n"
        "run1 = 1.000000000s, reset = 0.100000000s, run2 =  0.200000000s\n"
    )

    (record,) = parsers.parse(Output(text))

    assert (record.benchmark, record.status) == ("kvm-selftests/max_guest_memory_test", Status.PASS)
    assert record.params == {"memory_bytes": 2 << 30, "vcpus": 2}


def test_a_negative_time_is_refused() -> None:
    text = (
        "selftests: kvm: kvm_page_table_test\n"
        "  KVM_CREATE_MAPPINGS: total execution time: -3.-672213074s\n"
        "  KVM_UPDATE_MAPPINGS: total execution time: 4.000000000s\n"
        "  ok 3 selftests: kvm: kvm_page_table_test\n"
    )

    (record,) = parsers.parse(Output(text))

    assert [one.value for one in record.measurements] == [4.0]
    assert record.status is Status.FAIL
    assert "Line 2" in " ".join(record.warnings)


def test_the_stress_test_is_timed_from_outside() -> None:
    text = "Testing guest mode: PA-bits:ANY, VA-bits:48,  4K pages\nFinished creating vCPUs\nAll vCPU threads joined\n"
    command = "./memslot_modification_stress_test -i 5"

    (record,) = parsers.parse(Output(text, command=command, exit_status=0, started_at=10.0, ended_at=12.5))
    (untimed,) = parsers.parse(Output(text, command=command, exit_status=0))

    assert [(one.metric, one.value) for one in record.measurements] == [("run_time", 2.5)]
    assert not untimed.measurements
    assert any("timer" in warning for warning in untimed.warnings)


def test_memslot_subtests_are_series_of_their_own() -> None:
    text = (
        "Testing map performance with 1 runs, 5 seconds each\n"
        "Memslot count too high for this test, decrease the cap (max is 8209)\n\n"
        "Testing unmap chunked performance with 1 runs, 5 seconds each\n"
        "Test took 1.698964001s for slot setup + 5.020164088s all iterations\n"
        "Done 43 iterations, avg 0.116748002s each\n"
        "Best runtime result was 0.116748002s per iteration (with 43 iterations)\n"
    )

    (record,) = parsers.parse(Output(text))

    assert {one.phase for one in record.measurements} == {"unmap_chunked"}
    assert {one.metric: one.better for one in record.measurements}["all_iterations_time"] is Better.NONE
    assert record.params == {"runs": 1, "seconds": 5}
    assert any("'map' was left out" in warning for warning in record.warnings)


def test_a_mail_with_two_programs_is_read_by_both() -> None:
    text = f"Message-ID: <1@example>\n\n{STRESS}s\n\nPopulate memory time: 1.500000000s\n"

    records = parsers.parse(Output(text))

    assert sorted(record.benchmark for record in records) == [
        "kvm-selftests/dirty_log_perf_test",
        "kvm-selftests/mmu_stress_test",
    ]
    assert all(record.reported for record in records)


def test_an_unknown_text_says_what_to_do() -> None:
    with pytest.raises(UnknownFormatError) as caught:
        parsers.parse(Output("hello", source="x.txt"))

    assert "x.txt" in str(caught.value)
    assert "--format" in caught.value.hint


def test_an_unknown_format_lists_the_known_ones() -> None:
    with pytest.raises(UnknownFormatError, match="nonsense"):
        parsers.parse(Output("hello"), "nonsense")


def test_a_forced_format_is_used() -> None:
    (record,) = parsers.parse(Output("hello\n", exit_status=0), "mmtest")

    assert (record.benchmark, record.measurements) == ("guest-memory/mmtest", ())


def test_format_names_are_unique() -> None:
    names = [row.name for row in parsers.FORMATS]

    assert len(names) == len(set(names))


def test_rows_that_are_loaded_later_are_what_the_registry_says() -> None:
    for name in ("qemu_info_migrate", "qemu_query_migrate", "qemu_migration_events", "qemu_guestperf"):
        check_rows(name)
    for name in ("unit_test_output", "unit_test_results", "any_jsonl", "any_csv"):
        check_rows(name)
    for name in ("lkp", "page_table_lists", "mail_tables"):
        check_rows(name)


def check_rows(module: str) -> None:
    registered = {(row.name, row.version) for row in parsers.FORMATS}

    loaded = import_module(f"ingest.parsers.{module}").FORMATS

    assert {(row.name, row.version) for row in loaded} <= registered
