import fcntl
import json
import os
import resource
import signal
import subprocess
import time

import pytest
from pythons import python

from ingest.bundle import read_manifest
from ingest.collector.build import archive, build
from ingest.context import Given, context
from ingest.errors import InputError
from ingest.outputs import find_outputs

COUNTING = ("sh", "-c", "echo run >> count; cat count; echo note >&2; exit 3")


def names(tmp_path, bundle="out.tar"):
    return sorted(read_manifest(tmp_path / bundle)["files"])


def test_equal_sources_are_equal_bytes():
    assert archive() == archive()


def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")

    for name in ("pipe", "link"):
        with pytest.raises(InputError, match="something that is no file"):
            build(tmp_path / name)

    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "link").is_symlink()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_every_python_since_3_8_collects(pyz, tmp_path, version):
    interpreter = python(version)
    if not interpreter:
        pytest.skip(f"there is no python{version} here")
    command = [interpreter, "-I", "-W", "error", str(pyz), "-n", "2", "-o", "out", "--", "echo", "a"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert "2 runs in 1 session," in done.stderr
    assert names(tmp_path)[-1] == "s001/facts.json"


def test_a_python_that_is_too_old_is_told(pyz, tmp_path):
    interpreter = next(filter(None, map(python, ("3.6", "3.7", "2.7"))), "")
    if not interpreter:
        pytest.skip("there is no Python older than 3.8 here")

    done = subprocess.run([interpreter, str(pyz), "--facts"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "3.8" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_is_kept_with_everything_about_it(collect, tmp_path):
    collect("-n", 2, "-o", "out", "--label", "a", "--boots-note", "cold", "--", *COUNTING)

    run = tmp_path / "out" / "s001" / "sh-1"
    assert (run / "002.out").read_text() == "run\nrun\n"
    assert (run / "002.err").read_text() == "note\n"
    assert (run / "002.rc").read_text() == "3\n"
    assert (run / "002.cmd").read_text() == "sh -c 'echo run >> count; cat count; echo note >&2; exit 3'\n"
    start, end = map(float, (run / "002.time").read_text().split())
    assert start <= end
    (part,) = read_manifest(tmp_path / "out.tar")["parts"]
    assert part["context"] == {"label": "a", "tags": ["boot-note=cold"]}
    assert json.loads((tmp_path / "out" / part["facts"]).read_text())["format"] == "kvmperf-facts"


def test_the_bundle_names_what_was_run_and_what_comes_next(collect):
    said = collect("-o", "out", "--", *COUNTING).stderr

    assert "[1/1] sh -c" in said
    assert "exit status 3" in said
    assert "next: kvmperf upload out.tar" in said


def test_the_same_command_goes_on_where_it_stopped(collect, tmp_path):
    collect("-n", 3, "-o", "out", "--", *COUNTING)
    done = collect("-n", 5, "-o", "out", "--", *COUNTING)

    assert "going on with run 4" in done.stderr
    assert (tmp_path / "count").read_text() == "run\n" * 5
    assert sum(name.endswith(".out") for name in names(tmp_path)) == 5


def test_the_journal_of_a_collection_is_no_output(collect, tmp_path):
    collect("-n", 2, "-o", "out", "--", *COUNTING)

    for folder in (tmp_path / "out", tmp_path / "out" / "s001"):
        assert [one.path.name for one in find_outputs(folder)] == ["001.out", "002.out"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "runs.jsonl").write_text("{}")
    assert [one.path.name for one in find_outputs(tmp_path / "mine")] == ["runs.jsonl"]


def test_other_commands_and_labels_are_added_to_the_same_bundle(collect, tmp_path):
    for label, command in (("a", "true"), ("a", "false"), ("b", "true")):
        collect("-o", "out", "--label", label, "--", command)

    outputs = [name for name in names(tmp_path) if name.endswith(".out")]
    assert outputs == ["s001/false-1/001.out", "s001/true-1/001.out", "s002/true-1/001.out"]


def test_another_boot_is_another_session(collect, tmp_path):
    collect("-o", "out", "--", "true")
    facts = tmp_path / "out" / "s001" / "facts.json"
    told = json.loads(facts.read_text())
    facts.write_text(json.dumps({**told, "boot_id": "0" * 32}))
    collect("-o", "out", "--", "true")

    assert [name for name in names(tmp_path) if name.endswith(".out")] == [
        "s001/true-1/001.out",
        "s002/true-1/001.out",
    ]


def test_a_run_that_takes_too_long_is_ended_and_kept(collect, tmp_path):
    began = time.monotonic()
    done = collect("-o", "out", "--timeout", 0.3, "--", "sh", "-c", "echo so far; sleep 60")

    assert time.monotonic() - began < 30
    assert "timed out" in done.stderr
    run = tmp_path / "out" / "s001" / "sh-1"
    assert ((run / "001.rc").read_text(), (run / "001.out").read_text()) == ("124\n", "so far\n")


def in_foreground():
    """A suite that a shell put into the background ignores SIGINT and hands that down."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_is_thrown_away_and_the_others_are_packed(collect, pyz, tmp_path, number):
    script = "echo x >> n; [ $(wc -l < n) -eq 3 ] && touch third && exec sleep 60; echo done"
    command = [collect.python, "-I", str(pyz), "-n", "4", "-o", "out", "--", "sh", "-c", script]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=in_foreground,  # noqa: PLW1509 - no threads
    )
    wait_for(tmp_path / "third")
    process.send_signal(number)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert sum(name.endswith(".out") for name in names(tmp_path)) == 2
    collect("-n", 4, "-o", "out", "--", "sh", "-c", script)
    assert sum(name.endswith(".out") for name in names(tmp_path)) == 4


def test_a_killed_collector_leaves_only_complete_runs(collect, pyz, tmp_path):
    script = "echo x >> n; [ $(wc -l < n) -eq 2 ] && echo partial && touch second && exec sleep 60; echo done"
    command = [collect.python, "-I", str(pyz), "-n", "3", "-o", "out", "--", "sh", "-c", script]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    wait_for(tmp_path / "second")
    process.kill()
    process.wait()

    collect("-n", 3, "-o", "out", "--", "sh", "-c", script)

    assert [(tmp_path / "out" / "s001" / "sh-1" / f"00{n}.out").read_text() for n in (1, 2, 3)] == ["done\n"] * 3


def test_a_full_disk_loses_nothing_that_was_complete(collect, tmp_path):
    """No file may grow beyond 64 KiB: the first run fits, the second prints more than that."""
    collect("-o", "out", "--", "echo", "small")
    before = (tmp_path / "out.tar").read_bytes()

    def cap():
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, 64 << 10))

    done = collect("-n", 1, "-o", "out", "--", "head", "-c", 1 << 20, "/dev/zero", code=1, before=cap)

    assert "complete runs are kept" in done.stderr
    assert (tmp_path / "out.tar").read_bytes() == before
    assert not list(tmp_path.glob("out/s001/head-1/*"))
    collect("-n", 1, "-o", "out", "--", "head", "-c", 1 << 20, "/dev/zero")
    assert "s001/head-1/001.out" in names(tmp_path)


def test_a_changed_output_is_not_packed(collect, tmp_path):
    collect("-o", "out", "--", "echo", "1.0")
    (tmp_path / "out" / "s001" / "echo-1" / "001.out").write_text("0.9\n")

    done = collect("-o", "out", "--pack", code=1)

    assert "s001/echo-1/001.out: its bytes changed" in done.stderr


def test_two_collectors_do_not_share_a_folder(collect, tmp_path):
    collect("-o", "out", "--", "true")
    with (tmp_path / "out" / "kvmperf-collection.json").open("r+b") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        done = collect("-o", "out", "--", "true", code=1)

    assert "another collector" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 2, "no command"),
        (("-n", "0", "--", "true"), 2, "argument -n/--runs: '0': not a whole number from 1 to 100000"),
        (("--timeout", "-1", "--", "true"), 2, "argument --timeout: '-1': not a number of seconds above 0"),
        (("--tag", "x", "--", "true"), 2, "--tag 'x': not K=V"),
        (("--", "./nowhere"), 1, "no such program"),
        (("--", "./plain"), 1, "is not executable"),
        (("-o", "plain", "--", "true"), 1, "not a folder"),
        (("-o", "full", "--", "true"), 1, "other things"),
    ],
)
def test_bad_input_is_one_line(collect, tmp_path, words, code, says):
    (tmp_path / "plain").write_text("text")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("text")

    done = collect(*words, code=code)

    assert says in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--label", "a b"),
        ("--label", "x@y"),
        ("--commit", "zzz"),
        ("--kernel", "a\tb"),
        ("--host", "h" * 201),
        ("--patch", "5"),
        ("--series", "walk", "--version", "1", "--patch", "5/4"),
        ("--series", "a b", "--version", "1"),
        ("--series", "walk"),
        ("--tag", "x"),
    ],
)
def test_what_upload_refuses_is_not_collected(collect, tmp_path, words):
    options = dict(zip(words[::2], words[1::2], strict=True))
    given = {name[2:]: value for name, value in options.items() if name != "--tag"}
    given |= {"version": 1} if "version" in given else {}
    with pytest.raises(InputError) as refused:
        context(Given(**given, tags=("x",) if "--tag" in options else ()))

    done = collect(*words, "-o", "out", "--", "true", code=2)

    assert done.stderr.endswith(f"error: {refused.value} ({refused.value.hint})\n")
    assert not (tmp_path / "out").exists()


def test_facts_are_printed_as_json(collect):
    told = json.loads(collect("--facts").stdout)

    assert told["kernel_release"] == os.uname().release


def wait_for(path):
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.02)
