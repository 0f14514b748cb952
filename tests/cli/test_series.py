import json

import pytest
from posted_mails import SERIES_ID, series


def test_series_are_added_and_listed(kvmperf, tmp_path):
    (tmp_path / "v1.mbox").write_text(series(1))
    folder = tmp_path / "v2"
    folder.mkdir()
    for number, mail in enumerate(series(2).split("From 2")):
        (folder / f"{number:04}.patch").write_text(("From 2" if number else "") + mail)

    first = kvmperf("series", "add", tmp_path / "v1.mbox").stdout
    second = kvmperf("series", "add", folder, "--json").stdout

    assert first == "registered  mmu-walk v1: 2 patches\n"
    assert json.loads(second)["version"] == 2
    listed = json.loads(kvmperf("series", "list", "--json").stdout)
    assert (listed["series"], listed["versions"], listed["change_id"]) == ("mmu-walk", [1, 2], SERIES_ID)
    assert "https://lore.kernel.org/r/cover-v2@x" in kvmperf("series", "list").stdout
    assert "https://example.org/cover-v2@x" in kvmperf("series", "list", "--lore", "https://example.org/").stdout


def test_a_series_is_registered_by_hand(kvmperf):
    kvmperf("series", "add", "--name", "by-hand", "--version", 3, "--patches", 12, "--message-id", "<c@x>")

    listed = json.loads(kvmperf("series", "list", "--json").stdout)
    assert (listed["series"], listed["versions"]) == ("by-hand", [3])


def test_filters_that_leave_nothing_are_an_error(kvmperf):
    kvmperf("series", "add", "--name", "by-hand", "--version", 3, "--patches", 12)

    assert "nothing was measured yet" in kvmperf("series", "show", "by-hand").stdout
    assert "no measurements of by-hand" in kvmperf("series", "show", "by-hand", "--metric", "absent", code=1).stderr


@pytest.mark.parametrize("name", ["foo@v2", "a b", "a,b", "a~base"])
def test_a_name_that_could_be_meant_otherwise_is_refused(kvmperf, name):
    done = kvmperf("series", "add", "--name", name, "--patches", 2, code=1)

    assert done.stderr.startswith(f"kvmperf: --name {name!r}: a name has no blanks, commas, @ or ~\n  hint: ")


def test_another_number_of_patches_is_refused(kvmperf):
    words = ("series", "add", "--name", "foo", "--version", 1)
    kvmperf(*words, "--patches", 3)

    done = kvmperf(*words, "--patches", 4, code=1)

    assert done.stderr == (
        "kvmperf: foo v1: 3 patches are known and 4 are here\n  hint: --version N registers another version of it\n"
    )
    assert "foo v1: 3 patches" in kvmperf(*words, "--patches", 3).stdout


def test_what_cannot_be_read_is_one_line_with_file_and_line(kvmperf, tmp_path):
    (tmp_path / "bad.mbox").write_text(series(1) + series(1, patches=3))

    done = kvmperf("series", "add", tmp_path / "bad.mbox", code=1)

    assert done.stderr.startswith(f"kvmperf: {tmp_path / 'bad.mbox'}:")
    absent = kvmperf("series", "add", tmp_path / "absent", code=1).stderr
    assert absent.startswith("kvmperf: ")
    assert "\n  hint: " in absent
    assert "--patches N" in kvmperf("series", "add", code=1).stderr
