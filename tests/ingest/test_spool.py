import resource
import subprocess
import sys
from pathlib import Path

import bundles
import pytest

from ingest.bundle import read_manifest
from ingest.collector import pack
from ingest.errors import InputError, TransferError
from ingest.packing import Packing
from ingest.spool import Spool


def packing(number=1, files=None):
    members = tuple(pack.member(name, content) for name, content in (files or bundles.output(number)).items())
    return Packing(pack.manifest(members, [bundles.PART], "test"), members, 1)


def put(spool, number=1, files=None):
    return spool.put(packing(number, files), "http://server", "", lambda _size: None)


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool")


def test_an_upload_waits_as_a_whole_bundle(spool):
    item = put(spool)

    assert [one.note for one in spool.items()] == [item.note]
    assert read_manifest(item.bundle)["digest"] == item.note.digest
    assert oct(spool.folder.stat().st_mode & 0o777) == "0o700"


def test_the_same_upload_waits_once_and_the_oldest_goes_first(spool):
    first, second = put(spool, 1), put(spool, 2)
    put(spool, 2)

    assert [one.note.digest for one in spool.items()] == [first.note.digest, second.note.digest]


def test_what_went_wrong_is_noted_until_it_is_done(spool):
    item = put(spool)

    spool.failed(item, "no route")
    (waiting,) = spool.items()
    spool.done(waiting)

    assert (waiting.note.tries, waiting.note.trouble, waiting.note.refused) == (1, "no route", "")
    assert spool.items() == []
    assert list(spool.folder.iterdir()) == []


def test_an_item_is_held_by_one_sender(spool):
    item = put(spool)
    code = (
        "import sys, pathlib; from ingest.spool import Spool\n"
        "spool = Spool(pathlib.Path(sys.argv[1]))\n"
        "with spool.held(spool.items()[0]) as ours: print(ours)"
    )

    with spool.held(item) as ours:
        other = subprocess.run([sys.executable, "-c", code, spool.folder], capture_output=True, text=True, check=True)
        spool.done(item)
    with spool.held(item) as afterwards:
        pass

    assert (ours, other.stdout.strip(), afterwards) == (True, "False", False)


def test_a_damaged_note_does_not_hide_its_bundle(spool):
    item = put(spool)
    item.bundle.with_name(f"{item.note.digest}.json").write_text("{")

    (found,) = spool.items()

    assert (found.bundle, found.note.digest) == (item.bundle, item.note.digest)


def test_a_full_disk_leaves_no_half_upload(spool):
    """In a process of its own: no file may grow beyond 4 KiB."""
    code = (
        "import sys, pathlib\n"
        "sys.path[:0] = sys.argv[2:]\n"
        "import test_spool as t\n"
        "try: t.put(t.Spool(pathlib.Path(sys.argv[1])), files={'s001/x.out': __import__('os').urandom(1 << 20)})\n"
        "except t.TransferError as error: print(error)"
    )
    here = Path(__file__).parent

    def cap():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = subprocess.run(
        [sys.executable, "-c", code, spool.folder, here, here.parent / "support"],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=cap,
    )

    assert "cannot keep the upload there: File too large" in done.stdout
    assert spool.items() == []
    assert list(spool.folder.iterdir()) == []


def test_a_file_that_changes_while_it_is_packed_is_refused(spool, tmp_path):
    path = tmp_path / "x.out"
    path.write_text("before")
    members = (pack.member("s001/x.out", path),)
    path.write_text("after!")

    with pytest.raises(InputError, match="changed since"):
        spool.put(Packing(pack.manifest(members, [bundles.PART], "t"), members, 1), "http://s", "", lambda _size: None)
    assert spool.items() == []


def test_no_room_for_the_folder_is_a_transfer_error(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(TransferError, match="cannot keep"):
        put(Spool(tmp_path / "file" / "spool"))
