"""Live migrations as QEMU tells of them: a result only when completed, the same numbers in every layout."""

import json
from pathlib import Path

import pytest

from ingest import parsers
from ingest.records import FormatError, Output, Record, Status

MIGRATE = Path(__file__).resolve().parents[3] / "fixtures" / "outputs" / "migrate"
OLDEST = """(qemu) info migrate
capabilities: xbzrle: off rdma-pin-all: off auto-converge: on zero-blocks: off events: on
Migration status: completed
total time: 11834 milliseconds
downtime: 18 milliseconds
setup: 3 milliseconds
transferred ram: 389137 kbytes
throughput: 269.49 mbps
remaining ram: 0 kbytes
total ram: 1590088 kbytes
duplicate: 301620 pages
skipped: 0 pages
normal: 96433 pages
normal bytes: 385732 kbytes
dirty sync count: 2
"""
GROUPED = """Status: completed
Time (ms): total=11834, setup=3, down=18
RAM info:
  Throughput (Mbps): 269.49
  Sizes (KiB): pagesize=4, total=1590088,
    transferred=389137, remain=0,
    precopy=389000, multifd=0, postcopy=0
  Pages: normal=96433, zero=301620, rate_per_sec=1021
  Others: dirty_syncs=2, downtime_ram=2048
"""
NEWEST = """Status: \t\tpostcopy-active
Time (ms): \t\ttotal=47317, setup=5, down=8
RAM info:
  Throughput (Mbps): \t1342.83
  Sizes: \t\tpagesize=4 KiB, total=4.02 GiB
  Transfers: \t\ttransferred=1.41 GiB, remain=2.46 GiB
    Channels: \t\tprecopy=15.2 MiB, multifd=0 B, postcopy=1.39 GiB
    Page Types: \tnormal=367713, zero=41195
  Page Rates (pps): \ttransfer=40900, dirty=4
  Others: \t\tdirty_syncs=2, postcopy_req=57503
"""


def parsed(name: str) -> Record:
    (record,) = parsers.parse(Output((MIGRATE / name).read_text(), source=name))
    return record


def values(record: Record) -> dict[str, float]:
    return {one.series: one.value for one in record.measurements}


def event(seconds: float, name: str, **data: object) -> str:
    stamp = {"seconds": int(seconds), "microseconds": round(seconds % 1 * 1e6)}
    return json.dumps({"timestamp": stamp, "event": name, **({"data": data} if data else {})}) + "\n"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("info-completed.txt", Status.PASS),
        ("query-completed.out", Status.PASS),
        ("info-active.txt", Status.KILLED),
        ("query-active.out", Status.KILLED),
        ("info-cancelled.txt", Status.KILLED),
        ("info-failed.txt", Status.FAIL),
        ("query-failed.out", Status.FAIL),
        ("info-before.txt", Status.SKIP),
        ("query-before.out", Status.SKIP),
        ("events-cancelled.jsonl", Status.KILLED),
        ("events-precopy.jsonl", Status.PASS),
    ],
)
def test_only_a_completed_migration_passes(name: str, status: Status) -> None:
    record = parsed(name)

    assert record.status is status
    assert "migrate-perf" in record.benchmark
    assert all(one.warmup and "snapshot" in one.phase for one in record.measurements) == (status is not Status.PASS)


def test_the_monitor_and_qmp_tell_the_same_migration() -> None:
    text, machine = values(parsed("info-completed.txt")), values(parsed("query-completed.out"))

    times = {"total_time", "downtime", "setup_time", "dirty_sync_count", "normal", "duplicate", "total_ram"}
    assert {name: text[name] for name in times} == {name: machine[name] for name in times}
    assert 0 <= machine["transferred_ram"] - text["transferred_ram"] < 1024
    assert parsed("info-completed.txt").params == parsed("query-completed.out").params


def test_layouts_give_the_same_metrics() -> None:
    (old,) = parsers.parse(Output(OLDEST))
    (new,) = parsers.parse(Output(GROUPED))

    assert values(old).items() <= {**values(new), "skipped": 0.0, "normal_bytes": 385732 * 1024}.items()
    assert values(new)["downtime_ram"] == 2048
    assert old.params == {"ram_bytes": 1590088 * 1024, "capabilities": "auto-converge"}


def test_rounded_sizes_are_said_to_be_rounded() -> None:
    (record,) = parsers.parse(Output(NEWEST))

    found = values(record)
    assert found["total_ram.snapshot"] == pytest.approx(4.02 * 2**30)
    assert found["page_size.snapshot"] == 4096
    assert found["pages_per_second.snapshot"] == 40900
    assert any("rounded" in warning for warning in record.warnings)
    assert record.params["postcopy"] is True


@pytest.mark.parametrize("printed", ["18446744073709551612", "18014398509481983", "-4"])
def test_a_wrapped_counter_is_flagged_and_left_out(printed: str) -> None:
    (record,) = parsers.parse(Output(OLDEST.replace("remaining ram: 0", f"remaining ram: {printed}")))

    assert "remaining_ram" not in values(record)
    assert any("remaining_ram" in warning and "below zero" in warning for warning in record.warnings)


def test_times_that_qemu_had_not_computed_are_no_zeros() -> None:
    record = parsed("info-asked-too-early.txt")

    assert not {"total_time", "downtime", "throughput"} & values(record).keys()
    assert "transferred_ram" in values(record)
    assert any("Ask again" in warning for warning in record.warnings)


def test_the_destination_has_only_its_blocktime() -> None:
    assert values(parsed("info-destination-postcopy.txt")) == {"postcopy_blocktime": 5.561}
    assert values(parsed("query-destination-postcopy.out"))["postcopy_vcpu_blocktime.vcpu0"] == 5.561
    assert values(parsed("info-destination-active.txt")) == {}


def test_a_session_with_two_reports_is_two_records() -> None:
    records = parsers.parse(Output(OLDEST + "some words\n" + OLDEST.replace("11834", "11619")))

    assert [values(record)["total_time"] for record in records] == [11.834, 11.619]


def test_reports_without_their_status_line_begin_at_a_repeated_number() -> None:
    block = OLDEST.partition("completed\n")[2]

    records = parsers.parse(Output(block + block))

    assert [record.status for record in records] == [Status.PASS] * 2
    assert all("status is missing" in record.warnings[0] for record in records)


def test_a_quoted_report_is_reported() -> None:
    (record,) = parsers.parse(Output("".join(f">> {line}\n" for line in OLDEST.splitlines())))

    assert record.reported
    assert len(record.measurements) == 12


def test_a_number_at_the_cut_end_of_a_text_is_left_out() -> None:
    (record,) = parsers.parse(Output(OLDEST.removesuffix("\n")))

    assert "dirty_sync_count" not in values(record)
    assert any("no end" in warning for warning in record.warnings)


def test_events_become_phases() -> None:
    found = values(parsed("events-precopy.jsonl"))

    assert found["setup_time"] == 0.063174
    assert found["precopy_round_time.round1"] == 3.673714
    assert found["stop_to_end_time"] == 0.639095
    assert found["total_time"] == pytest.approx(found["setup_time"] + found["precopy_time"] + 0.639095, abs=1e-5)


def test_postcopy_has_no_downtime_of_the_source() -> None:
    record = parsed("events-postcopy.jsonl")

    assert record.params == {"side": "source", "postcopy": True}
    assert "stop_to_end_time" not in values(record)
    assert values(record)["postcopy_time"] == 6.827353


def test_the_wait_before_the_switchover_is_told() -> None:
    assert values(parsed("events-pause.jsonl"))["switchover_wait_time"] == 0.031524


def test_events_that_break_off_are_a_snapshot() -> None:
    whole = (MIGRATE / "events-precopy.jsonl").read_text().splitlines(keepends=True)

    (record,) = parsers.parse(Output("".join(whole[:-1])))

    assert record.status is Status.KILLED
    assert all(one.warmup for one in record.measurements)


def test_a_clock_that_goes_backwards_measures_nothing() -> None:
    text = event(10, "MIGRATION", status="setup") + event(9, "MIGRATION", status="active") + event(8, "STOP")

    (record,) = parsers.parse(Output(text + event(7, "MIGRATION", status="completed")))

    assert record.measurements == ()
    assert "backwards" in " ".join(record.warnings)


def test_two_migrations_in_one_stream_are_two_records() -> None:
    once = "".join(
        event(at, "MIGRATION", status=state) for at, state in ((1, "setup"), (2, "active"), (3, "completed"))
    )

    assert len(parsers.parse(Output(once + once))) == 2


def test_guestperf_tells_what_the_guest_felt() -> None:
    record = parsed("guestperf.out")

    by_phase = {one.phase: 0 for one in record.measurements if one.metric == "guest_dirty_gib_time"}
    assert list(by_phase) == ["before", "during", "after"]
    assert values(record)["downtime"] == 0.031
    assert record.params["scenario.downtime"] == 500


def test_a_guestperf_report_of_a_failure_judges_nothing_of_it() -> None:
    report = json.loads((MIGRATE / "guestperf.out").read_text())
    report["progress_history"][-1]["status"] = "failed"

    (record,) = parsers.parse(Output(json.dumps(report)))

    assert record.status is Status.FAIL
    assert {one.phase for one in record.measurements if not one.warmup} == {"before"}


def test_dirty_rates_are_the_same_in_both_forms() -> None:
    text, machine = parsed("dirty-rate.txt"), parsed("query-dirty-rate.out")

    assert values(text) == values(machine) == {"dirty_rate": 92 * 2**20}
    assert text.params == machine.params


@pytest.mark.parametrize(
    "text",
    [
        '{"return": {"status": "completed", "total-time": ' + "1" * 1_000_000 + "}}",
        '{"return": {"status": "completed", "total-time": ' + "[" * 1_000_000,
        '{"return": {"status": "completed", "total-time": ' + "[" * 100_000 + "]" * 100_000 + "}}",
        '{"return": {"status": "completed", "ram": {"mbps": NaN}}}',
        '{"event": "MIGRATION"',
    ],
    ids=["digits", "open", "deep", "nan", "cut"],
)
def test_json_that_cannot_be_read_is_a_format_error(text: str) -> None:
    with pytest.raises(FormatError):
        parsers.parse(Output(text))
