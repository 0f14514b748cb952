"""The tree of the KVM selftest runner: a folder a test, told how it ended by a file or by the runner's log."""

import shutil
from pathlib import Path

import pytest

from ingest import parsers
from ingest.outputs import read_outputs
from ingest.records import Record, Status

TREE = Path(__file__).resolve().parents[2] / "fixtures" / "outputs" / "runner"


def records(path: Path) -> dict[str, Record]:
    return {captured.relative_path: parsers.parse(captured.output)[0] for captured in read_outputs([path])}


def test_every_test_has_its_status() -> None:
    found = records(TREE)

    assert {name.removesuffix("/stdout"): record.status for name, record in found.items()} == {
        "cases/dirty_log_perf_test/default.test": Status.PASS,
        "cases/dirty_log_perf_test/two-vcpus.test": Status.PASS,
        "cases/steal_time/default.test": Status.PASS,
        "cases/rseq_test/default.test": Status.TIMEOUT,
    }


def test_options_that_nobody_kept_make_a_test_case_of_their_own() -> None:
    found = records(TREE)

    assert found["cases/dirty_log_perf_test/default.test/stdout"].params["vcpus"] == 1
    other = found["cases/dirty_log_perf_test/two-vcpus.test/stdout"].params
    assert other["testcase"] == "two-vcpus"
    assert "vcpus" not in other


@pytest.mark.parametrize("name", ["", "stdout"])
def test_a_single_test_is_still_named_by_its_folders(name: str) -> None:
    (path,) = records(TREE / "cases" / "rseq_test" / "default.test" / name)

    assert path == "rseq_test/default.test/stdout"


def test_a_command_kept_beside_the_output_tells_the_options(tmp_path: Path) -> None:
    case = tmp_path / "dirty_log_perf_test" / "two-vcpus.test"
    shutil.copytree(TREE / "cases" / "dirty_log_perf_test" / "two-vcpus.test", case)
    (case / "command").write_text("./dirty_log_perf_test -v 2 -b 16M -i 5\n")

    (record,) = records(tmp_path).values()

    assert (record.params["vcpus"], "testcase" in record.params) == (2, False)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("0", Status.PASS),
        ("4", Status.SKIP),
        ("Timed out", Status.TIMEOUT),
        ("FAILED", Status.FAIL),
        ("124", Status.TIMEOUT),
    ],
)
def test_words_and_numbers_of_a_status_file(tmp_path: Path, word: str, status: Status) -> None:
    case = tmp_path / "smm_test" / "default.test"
    case.mkdir(parents=True)
    (case / "stdout").write_text("Random seed: 0x6b8b4567\n")
    (case / "status").write_text(word)

    (record,) = records(tmp_path).values()

    assert (record.benchmark, record.status) == ("kvm-selftests/smm_test", status)


def test_the_last_word_of_the_log_counts(tmp_path: Path) -> None:
    case = tmp_path / "smm_test" / "default.test"
    case.mkdir(parents=True)
    (case / "stdout").write_text("")
    (tmp_path / "log").write_text("1 | [FAILED] ./smm_test/default.test\n2 | [PASSED] ./smm_test/default.test\n")

    (record,) = records(tmp_path).values()

    assert record.status is Status.PASS
