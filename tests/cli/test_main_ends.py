"""How commands end that are interrupted, or whose reader has seen enough; and what the command says of itself."""

import shutil
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

OUTPUT = Path(__file__).resolve().parents[2] / "fixtures/demo/eager-split/split-on/ic-il2/dpt/01.out"
# Whoever started the tests may ignore Ctrl-C, and children would too.
HEARS_CTRL_C = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\nfrom cli.main import main\nmain()"
)
COMMAND = (sys.executable, "-m", "cli")


@pytest.mark.parametrize("words", ["-h", "db stats", "db stats -h", "parse 01.out", "collector build x.pyz"])
def test_a_closed_pipe_is_a_quiet_end(kvmperf, tmp_path, words):
    kvmperf("db", "upgrade")
    shutil.copy(OUTPUT, tmp_path / "01.out")
    closed = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    closed.wait()

    done = subprocess.run(
        [*COMMAND, *words.split(), *(["--db", tmp_path / "k.db"] if words == "db stats" else [])],
        stdout=closed.stdin,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert (done.returncode, done.stderr) == (0, "")
    if words.startswith("collector"):
        assert (tmp_path / "x.pyz").is_file()


@pytest.mark.parametrize("words", ["parse -", "upload - --label a --host h --db {folder}/k.db"])
def test_ctrl_c_says_that_it_was_interrupted(tmp_path, words):
    told = words.format(folder=tmp_path).split()
    with subprocess.Popen(
        [sys.executable, "-c", HEARS_CTRL_C, *told], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        running.stdin.write("x" * (1 << 20))  # more than fits a pipe: it is being read
        running.stdin.flush()
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)

    assert running.returncode == 130
    assert said.splitlines()[-1] == "kvmperf: interrupted"
    assert "Traceback" not in said


def test_the_version_is_that_of_the_package(kvmperf):
    assert kvmperf("--version").stdout == f"kvmperf {version('kvmperf')}\n"


def test_asking_for_the_version_loads_no_command():
    probe = (
        "import sys; from cli.main import application\n"
        "application('--version')\n"
        "print(sorted(name for name in sys.modules if name.startswith('cli.')))"
    )

    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "['cli.main']"
