import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import bundles
import pytest
from mmtests_tree import make_run

from db import engine as engines
from db.writes import Writer
from ingest.accept import accept_bundle, accept_given
from ingest.bundle import unpack
from ingest.collector import pack
from ingest.context import Given
from ingest.errors import InputError
from ingest.packing import packing

GIVEN = Given(host="bm1", label="a", tags=("who=me",))


@pytest.fixture
def outputs(tmp_path):
    """A folder as users have them: outputs, side files, and things that are nobody's business."""
    folder = tmp_path / "out"
    for name, content in bundles.output().items():
        path = folder / Path(name).relative_to("s001")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "secret.key").write_text("not an output")
    (folder / ".hidden.out").write_text("hidden")
    (folder / "lonely.cmd").write_text("./dirty_log_perf_test\n")
    (folder / "ümlaut.txt").write_text("no benchmark")
    return folder


def names(paths, given=GIVEN):
    with ExitStack() as stack:
        return sorted(one.name for one in packing(paths, given, stack).members)


def test_only_outputs_and_their_side_files_leave_the_host(outputs):
    assert names([outputs]) == [
        "0001/dlp-1/001.cmd",
        "0001/dlp-1/001.out",
        "0001/dlp-1/001.rc",
        "0001/dlp-1/001.time",
        "0001/lonely.cmd",
        "0001/ümlaut.txt",
    ]


def test_the_facts_of_this_machine_travel_with_what_was_measured_here(outputs):
    assert "0001.facts.json" in names([outputs], Given(label="a"))


def stored(tmp_path, name, put):
    engine = engines.connect(f"sqlite:///{tmp_path / name}", create=True)
    with engines.writing(engine) as connection:
        put(Writer(connection))
        return sorted(
            connection.exec_driver_sql("SELECT identity, source, tags, quarantined, exit_status FROM capture")
        )


@pytest.fixture
def runner_tree(tmp_path):
    """Two tests as the KVM selftest runner leaves them; how they ended stands in its log."""
    tree = tmp_path / "results"
    for case in ("first", "second"):
        folder = tree / "kvm" / "dirty_log_perf_test" / f"{case}.test"
        folder.mkdir(parents=True)
        (folder / "stdout").write_bytes(bundles.DIRTY_LOG)
        (folder / "stderr").write_text("")
        with (tree / "log").open("a") as log:
            log.write(f"[PASSED] kvm/dirty_log_perf_test/{case}.test\n")
    return tree


WAYS = ["folder", "one output", "a side file", "folder and file", "bundle", "MMTests", "MMTests run", "MMTests log"]


@pytest.mark.parametrize("which", [*WAYS, "runner", "one test of the runner"])
def test_what_arrives_is_what_a_local_upload_stores(outputs, tmp_path, which, runner_tree):
    run = make_run(tmp_path / "logs")
    paths = {
        "MMTests": [tmp_path / "logs"],
        "MMTests run": [run],
        "MMTests log": [run / "iter-0" / "trunc"],
        "runner": [runner_tree],
        "one test of the runner": [runner_tree / "kvm" / "dirty_log_perf_test" / "first.test"],
        "folder": [outputs],
        "one output": [outputs / "dlp-1" / "001.out"],
        "a side file": [outputs / "lonely.cmd"],
        "folder and file": [outputs / "dlp-1", outputs / "ümlaut.txt"],
        "bundle": [bundles.write(tmp_path / "b.tar", bundles.output(7) | bundles.output(8))],
    }[which]

    def send(writer):
        with ExitStack() as stack:
            ready = packing(paths, GIVEN, stack)
            pack.write_file(tmp_path / "sent.tgz", ready.told, ready.members, compress=True)
        (tmp_path / "unpacked").mkdir()
        with (tmp_path / "sent.tgz").open("rb") as packed:
            list(accept_bundle(writer, unpack(packed, "b", tmp_path / "unpacked"), Given()))

    def keep(writer):
        if which == "bundle":
            (tmp_path / "local").mkdir()
            with paths[0].open("rb") as packed:
                list(accept_bundle(writer, unpack(packed, "b", tmp_path / "local"), GIVEN))
        else:
            list(accept_given(writer, GIVEN, paths))

    there, here = stored(tmp_path, "there.db", send), stored(tmp_path, "here.db", keep)

    assert [(*row[:3], row[4]) for row in there] == [(*row[:3], row[4]) for row in here]
    assert len(there) > 0
    assert not any(str(tmp_path) in row[3] for row in there)


def test_the_same_outputs_are_the_same_bundle(outputs):
    with ExitStack() as stack:
        first, second = (packing([outputs], GIVEN, stack).digest for _ in range(2))

    assert first == second


@pytest.mark.parametrize(
    "given", [Given(), Given(host="h"), Given(host="h", label="a b"), Given(label="a", tags=("x",))]
)
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(outputs, given):
    if given == Given():
        with pytest.raises(InputError, match="no such file"):
            names([outputs / "nowhere"], given)
        return
    with pytest.raises(InputError):
        names([outputs], given)


def test_the_client_needs_no_database_and_no_numpy():
    """A bench host installs kvmperf without its server."""
    code = (
        "import sys, ingest.packing, ingest.spool, ingest.client, cli.sending\n"
        "print([name for name in ('sqlalchemy', 'numpy', 'pandas', 'alembic', 'fastapi') if name in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
