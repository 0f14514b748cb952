"""Trees on disk: what counts as a result, what is left over, how files may be packed, and where it was measured."""

import gzip
import lzma
from pathlib import Path

import pytest
from mmtests_tree import BOOT, FILES, HACKBENCH, STAMPS, make_run, read_logs, series

from db.engine import connect, writing
from db.values import Stored
from db.writes import Writer
from ingest import parsers
from ingest.accept import accept_given
from ingest.context import Given
from ingest.errors import InputError
from ingest.mmtests import finding
from ingest.mmtests.finding import Part, is_tree, part_around, parts_of_run, read_part
from ingest.mmtests.place import Places
from ingest.outputs import find_outputs, read_each, read_output
from ingest.parsers.mmtests import unpack
from ingest.records import FormatError, Output, Record, Status


def records(path: Path) -> dict[str, Record]:
    """The records below a path by benchmark (of the last iteration)."""
    found = [record for one in find_outputs(path) for record in parsers.parse(read_output(one).output)]
    return {record.benchmark.removeprefix("mmtests/"): record for record in found}


def with_stamps(**changes: str) -> dict[str, str | bytes]:
    stamps = STAMPS
    for old, new in changes.items():
        stamps = stamps.replace(old.replace("_", " "), new)
    return {**FILES, "tests-timestamp": stamps}


def test_a_run_gives_the_iteration_and_each_benchmark(tmp_path: Path) -> None:
    found = records(make_run(tmp_path))

    assert list(found) == ["run-mmtests", "hackbench-process-pipes", "trunc"]
    assert series(found["hackbench-process-pipes"]) == {"time-1": [0.066, 0.066]}
    assert found["hackbench-process-pipes"].labels["mmtests.run"] == "6.18-a"
    assert found["hackbench-process-pipes"].params == {"command": "perf bench sched messaging --pipe -g * -l 100"}


@pytest.mark.parametrize("inside", ["", "6.18-a", "6.18-a/iter-0"])
def test_base_run_and_iteration_may_be_named(tmp_path: Path, inside: str) -> None:
    make_run(tmp_path)

    assert is_tree(tmp_path / inside)
    assert len(records(tmp_path / inside)) == 3


@pytest.mark.parametrize("inside", ["trunc", "trunc/logs", "trunc/logs/time-fault-1"])
def test_a_benchmark_or_one_of_its_logs_may_be_named(tmp_path: Path, inside: str) -> None:
    found = records(make_run(tmp_path) / "iter-0" / inside)

    assert list(found) == ["trunc"]
    assert series(found["trunc"])["User-fault"] == [0.25]


def test_a_benchmark_that_never_ended_is_no_result(tmp_path: Path) -> None:
    files = with_stamps(**{"test end :: trunc 1795346041 0\n": ""})

    trunc = records(make_run(tmp_path, files=files))["trunc"]

    assert (trunc.status, trunc.measurements) == (Status.KILLED, ())
    assert "never ended" in trunc.warnings[0]


@pytest.mark.parametrize(("status", "told"), [(1, Status.FAIL), (137, Status.KILLED)])
def test_a_benchmark_that_failed_is_no_result(tmp_path: Path, status: int, told: Status) -> None:
    files = with_stamps(**{"test end :: trunc 1795346041 0": f"test end :: trunc 1795346041 {status}"})

    trunc = records(make_run(tmp_path, files=files))["trunc"]

    assert (trunc.status, trunc.measurements) == (told, ())


def test_folders_that_are_not_named_are_leftovers(tmp_path: Path) -> None:
    run = make_run(tmp_path, files={**FILES, "stressng/logs/stressng-1-1.log": "x"})

    found = records(run)

    assert "stressng" not in found
    assert found["run-mmtests"].warnings == ("stressng is not named in tests-timestamp: a leftover, ignored.",)
    (iteration, *_benchmarks) = parts_of_run(run)
    assert "stressng/logs/stressng-1-1.log" in read_part(iteration).files


def test_a_run_that_was_cut_short_says_so(tmp_path: Path) -> None:
    files = with_stamps(**{"finish :: 1795346042\n": ""})

    iteration = records(make_run(tmp_path, files=files))["run-mmtests"]

    assert iteration.status is Status.KILLED
    assert "cut short" in iteration.warnings[0]


def test_two_drivers_at_once_are_said(tmp_path: Path) -> None:
    files = with_stamps(**{"test begin :: trunc 1795346031": "test begin :: trunc 1\ntest begin :: trunc 1795346031"})

    trunc = records(make_run(tmp_path, files=files))["trunc"]

    assert trunc.status is Status.PASS
    assert "began 2 times and ended 1 times" in trunc.warnings[0]


def test_the_driver_tells_durations_that_are_never_judged(tmp_path: Path) -> None:
    iteration = records(make_run(tmp_path))["run-mmtests"]

    assert {one.metric: one.value for one in iteration.measurements if one.metric.startswith("trunc")} == {
        "trunc-User": 1.0,
        "trunc-System": 2.0,
        "trunc-Elapsed": 3.0,
    }
    assert {str(one.better) for one in iteration.measurements} == {"none"}


@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress)])
def test_logs_may_be_packed(suffix: str, pack) -> None:
    record = read_logs("hackbench-process-pipes", {f"hackbench-1{suffix}": pack(HACKBENCH.encode())})

    assert series(record) == {"time-1": [0.066]}


def test_of_one_name_gz_goes_before_xz_before_plain() -> None:
    logs = {
        "hackbench-1": HACKBENCH.replace("66", "77"),
        "hackbench-1.xz": lzma.compress(HACKBENCH.replace("66", "88").encode()),
        "hackbench-1.gz": gzip.compress(HACKBENCH.encode()),
    }

    assert series(read_logs("hackbench-process-pipes", logs)) == {"time-1": [0.066]}


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_packed_members_one_after_the_other_are_one_log(pack) -> None:
    name = "hackbench-1.gz" if pack is gzip.compress else "hackbench-1.xz"

    record = read_logs("hackbench-process-pipes", {name: pack(HACKBENCH.encode()) * 2 + b"\0" * 512})

    assert series(record) == {"time-1": [0.066, 0.066]}


@pytest.mark.parametrize(("name", "pack"), [("a.gz", gzip.compress), ("a.xz", lzma.compress)])
def test_bombs_are_refused(name: str, pack) -> None:
    bomb = pack(b"\0" * (8 << 20))

    with pytest.raises(FormatError, match="unpacks to more than 1 MiB"):
        unpack.unpacked(bomb, name, 1 << 20)


@pytest.mark.parametrize(("name", "pack"), [("a.gz", gzip.compress), ("a.xz", lzma.compress)])
def test_damaged_files_are_refused(name: str, pack) -> None:
    with pytest.raises(FormatError, match="cannot be unpacked"):
        unpack.unpacked(pack(b"0123456789" * 1000)[:-9], name)
    with pytest.raises(FormatError, match="cannot be unpacked"):
        unpack.unpacked(b"no such thing", name)


def test_thousands_of_empty_members_are_refused() -> None:
    with pytest.raises(FormatError, match="members"):
        unpack.unpacked(gzip.compress(b"") * 20_000, "a.gz")


def test_logs_that_unpack_to_too_much_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.parsers.mmtests.logs.MAX_TOTAL", 100)

    with pytest.raises(FormatError, match="unpack"):
        read_logs("hackbench-process-pipes", {f"hackbench-{groups}": HACKBENCH for groups in range(1, 9)})


def test_files_that_are_too_large_are_said_and_the_others_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path)
    monkeypatch.setattr(finding, "MAX_BYTES", 100)

    with pytest.raises(InputError, match="more than"):
        read_part(Part(run / "iter-0", "trunc"))
    stored = store(tmp_path, run)

    assert {one.outcome for one in stored} == {"quarantined"}


def test_a_part_holds_its_logs_its_monitors_and_its_lines(tmp_path: Path) -> None:
    run = make_run(tmp_path)

    output = read_part(Part(run / "iter-0", "trunc"))

    assert set(output.files) == {"trunc/logs/time-fault-1", "mpstat-trunc", "tests-timestamp"}
    assert b"hackbench" not in output.files["tests-timestamp"]
    assert (output.exit_status, output.started_at, output.ended_at) == (0, 1795346031, 1795346041)


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    (run / "iter-0" / "trunc" / "loop").symlink_to(run)

    assert len(read_part(Part(run / "iter-0", "trunc")).files) == 3


def test_names_in_timestamps_lead_nowhere_else(tmp_path: Path) -> None:
    files = with_stamps(
        **{"test end :: trunc": "test begin :: ../../../etc 1\ntest end :: ../../../etc 2 0\ntest end :: trunc"}
    )

    assert "../../../etc" not in records(make_run(tmp_path, files=files))


def test_iterations_come_by_number(tmp_path: Path) -> None:
    run = make_run(tmp_path, iterations=11)

    assert [part.iteration.name for part in parts_of_run(run) if not part.benchmark][-2:] == ["iter-9", "iter-10"]


def test_a_path_outside_of_iterations_is_no_part(tmp_path: Path) -> None:
    run = make_run(tmp_path)

    assert part_around(run) is None
    assert part_around(run / "iter-0" / "tests-timestamp") is None
    assert part_around(run / "iter-0" / "trunc" / "logs" / "gone") is None


def store(folder: Path, run: Path, **said: str) -> list[Stored]:
    with writing(connect(f"sqlite:///{folder / 'k.db'}", create=True)) as connection:
        return list(accept_given(Writer(connection), Given(**said), [run]))


def test_an_upload_stores_everything_once(tmp_path: Path) -> None:
    run = make_run(tmp_path, iterations=2)

    first, again = store(tmp_path, run), store(tmp_path, run)

    assert [one.outcome for one in first] == ["stored"] * 6
    assert [one.outcome for one in again] == ["duplicate"] * 6


def test_a_run_that_goes_on_stores_only_what_is_new(tmp_path: Path) -> None:
    cut = STAMPS.partition("test begin :: trunc")[0]
    run = make_run(tmp_path, files={**FILES, "tests-timestamp": cut})
    store(tmp_path, run)

    make_run(tmp_path)
    again = {one.source: one.outcome for one in store(tmp_path, run)}

    assert again["6.18-a/iter-0/hackbench-process-pipes"] == "duplicate"
    assert again["6.18-a/iter-0/trunc"] == "stored"


def test_a_benchmark_that_nobody_knows_is_kept_in_quarantine(tmp_path: Path) -> None:
    stamps = STAMPS + "test begin :: specjbb 1\ntest end :: specjbb 2 0\n"
    run = make_run(tmp_path, files={**FILES, "tests-timestamp": stamps, "specjbb/logs/result": "1"})

    (found,) = (one for one in store(tmp_path, run) if one.source.endswith("specjbb"))

    assert found.outcome == "quarantined"
    assert "specjbb" in found.reason


def test_the_tree_tells_host_boot_and_kernel_and_the_run_is_the_label(tmp_path: Path) -> None:
    run = make_run(tmp_path, "6.18 a@b")

    place = Places(Given()).of(run / "iter-0")

    assert (place.host, place.boot_id, place.revision.kernel) == ("lab", BOOT, "6.18.44-x")
    assert place.revision.label == "6.18_a_b"
    assert place.state["cpu.model"] == "Xeon"


def test_what_the_user_says_goes_before_what_the_tree_says(tmp_path: Path) -> None:
    run = make_run(tmp_path)

    place = Places(Given(label="mine", host="other", boot_id="b")).of(run / "iter-0")

    assert (place.host, place.boot_id, place.revision.label) == ("other", "b", "mine")


def test_each_iteration_has_its_own_boot_and_none_is_invented(tmp_path: Path) -> None:
    run = make_run(tmp_path, iterations=2)
    (run / "iter-1" / "kernel-tuning.txt").unlink()
    places = Places(Given())

    assert [places.of(run / f"iter-{number}").boot_id for number in (0, 1)] == [BOOT, ""]


def test_zstd_is_refused_with_a_hint_or_read(tmp_path: Path) -> None:
    path = tmp_path / "hackbench.json.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd broken")

    (found,) = read_each([path])

    assert isinstance(found, FormatError)
    assert "zst" in str(found) or "unpacked" in str(found)
    assert found.hint


def test_a_packed_export_is_read(tmp_path: Path) -> None:
    text = '{"_ModuleName":"ExtractShellpacktrunc","_ResultData":{"User-fault":[{"Values":["0.5"],"SampleNrs":["1"]}]}}'
    path = tmp_path / "trunc.json.xz"
    path.write_bytes(lzma.compress(text.encode()))

    assert series(records(path)["trunc"]) == {"User-fault": [0.5]}


@pytest.mark.parametrize("written", ["/\n", "a b\nc\n", "x 1\ny 1\n", "", " \n"])
def test_commands_without_anything_in_common_are_no_configuration(written: str) -> None:
    record = read_logs("hackbench-process-pipes", {"hackbench-1": HACKBENCH, "commands.log": written})

    assert record.params == {}


def test_temporary_files_and_folders_are_no_configuration() -> None:
    written = "/srv/a/fs_mark -d /tmp/fsmark-123/1 -t 1\n/srv/a/fs_mark -d /tmp/fsmark-456/1 -t 1\n"

    record = read_logs("hackbench-process-pipes", {"hackbench-1": HACKBENCH, "commands.log": written})

    assert record.params == {"command": "fs_mark -d * -t 1"}


def test_files_of_two_benchmarks_are_no_output() -> None:
    with pytest.raises(FormatError, match="2 benchmarks"):
        parsers.parse(Output("", files={"a/logs/x": b"", "b/logs/x": b""}))
