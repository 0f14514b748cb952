import io
import sys
from pathlib import Path

import pytest

from ingest.errors import FormatError, InputError
from ingest.outputs import MAX_BYTES, Captured, find_outputs, read_each, read_outputs


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(path: Path) -> list[str]:
    return [captured.relative_path for captured in read_outputs([path])]


def test_side_files_are_taken_for_what_they_are(tmp_path: Path) -> None:
    write(tmp_path, a_dot_out="text", a_dot_cmd="./x -v 1\n", a_dot_rc="4\n", a_dot_time="1.5 2.5\n", a_dot_err="bad")

    (captured,) = read_outputs([tmp_path])

    output = captured.output
    assert (output.text, output.command, output.exit_status, output.stderr) == ("text", "./x -v 1", 4, "bad")
    assert (output.started_at, output.ended_at) == (1.5, 2.5)
    assert (captured.stdout, captured.stderr, captured.relative_path) == (b"text", b"bad", "a.out")


def test_a_folder_is_walked_in_order(tmp_path: Path) -> None:
    write(
        tmp_path,
        b_dot_log="1",
        a_dot_txt="1",
        sub__c_dot_out="1",
        _dot_hidden_dot_out="1",
        sub___dot_git__d_dot_out="1",
    )

    assert names(tmp_path) == ["a.txt", "b.log", "sub/c.out"]


def test_host_facts_are_no_outputs(tmp_path: Path) -> None:
    write(tmp_path, a_dot_out="1", host__proc_dot_txt="1", **{"host__lscpu.json": "{}", "host__dmesg.txt": "1"})

    assert names(tmp_path) == ["a.out"]


def test_a_missing_output_is_an_empty_text(tmp_path: Path) -> None:
    write(tmp_path, a_dot_cmd="./sync_regs_test")

    (captured,) = read_outputs([tmp_path])

    assert (captured.output.text, captured.relative_path) == ("", "a.cmd")


def test_a_side_file_means_its_run(tmp_path: Path) -> None:
    write(tmp_path, a_dot_cmd="./x", a_dot_out="text")

    assert names(tmp_path / "a.cmd") == ["a.out"]


@pytest.mark.parametrize("status", ["x", "1 2", "1.5"])
def test_a_bad_exit_status_names_its_line(tmp_path: Path, status: str) -> None:
    write(tmp_path, a_dot_out="text", a_dot_rc=status)

    with pytest.raises(FormatError, match=r"a\.rc:1"):
        list(read_outputs([tmp_path]))


@pytest.mark.parametrize("times", ["x", "1", "3 2", "nan 1", "1 2 3", "-1 2"])
def test_bad_times_name_their_line(tmp_path: Path, times: str) -> None:
    write(tmp_path, a_dot_out="text", a_dot_time=times)

    with pytest.raises(FormatError, match=r"a\.time:1"):
        list(read_outputs([tmp_path]))


@pytest.mark.parametrize("raw", [b"abc\0def", bytes(range(128, 256)) * 8])
def test_binary_files_are_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "a.out").write_bytes(raw)

    with pytest.raises(InputError, match=r"a\.out"):
        list(read_outputs([tmp_path]))


def test_a_few_odd_bytes_are_text(tmp_path: Path) -> None:
    (tmp_path / "a.out").write_bytes(b"fine text with \xff in it\n")

    assert names(tmp_path) == ["a.out"]


def test_a_missing_path_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        find_outputs(tmp_path / "nothing")


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no outputs"):
        find_outputs(tmp_path)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.out"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    with pytest.raises(InputError, match="MiB"):
        list(read_outputs([path]))


def test_one_bad_file_does_not_hide_the_others(tmp_path: Path) -> None:
    write(tmp_path, a_dot_out="1", b_dot_out="1", a_dot_rc="x")

    kinds = [type(one) for one in read_each([tmp_path, tmp_path / "gone"])]

    assert kinds == [FormatError, Captured, InputError]


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"hello")))

    (captured,) = read_outputs(["-"])

    assert (captured.output.text, captured.output.source) == ("hello", "<stdin>")
