"""The client's installation: the packages of the extras are not there, and every command says so in one line."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from cli import main

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "fixtures" / "demo" / "eager-split" / "split-on" / "ic-il2" / "dlp-thp" / "01.out"
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
NAMES = {extra: {re.match(r"[\w-]+", line)[0] for line in lines} for extra, lines in EXTRAS.items()}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Runs the command where only the packages of the client can be imported."""
    folder = tmp_path_factory.mktemp("packages")
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if entry.name.partition(".")[0] not in set().union(*NAMES.values()):
            (folder / entry.name).symlink_to(entry)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"}

    def run(*words):
        command = [sys.executable, "-S", "-m", "cli", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    return run


@pytest.mark.parametrize(
    "words",
    [
        "compare a b",
        "trend",
        "detect",
        "noise host",
        "plan a b",
        "selftest-stats",
        "demo",
        "dashboard",
        "serve",
        "reparse",
        "db check",
        "series list",
        "token list",
        "alerts list",
        f"notify --config {ROOT / 'pyproject.toml'}",
        f"upload {OUTPUT}",
    ],
)
def test_a_command_on_the_database_says_what_it_needs(client, words):
    done = client(*words.split())

    assert done.returncode == 1, done
    assert done.stderr.count("\n") == 2, done.stderr
    assert done.stderr.startswith("kvmperf: ")
    assert "pip install 'kvmperf[server]'" in done.stderr
    assert ("--server URL" in done.stderr) == words.startswith("upload")


def test_what_a_bench_host_does_needs_no_more(client, tmp_path):
    assert "dirty_memory_time" in client("parse", OUTPUT).stdout
    assert client("facts").returncode == 0
    assert client("collector", "build", tmp_path).returncode == 0
    (tmp_path / "token").write_text("kvmperf_a_b")
    sent = client("upload", OUTPUT, "--server", "http://127.0.0.1:9", "--token-file", tmp_path / "token")

    assert sent.returncode == 3, sent.stderr
    assert "kept in" in sent.stderr


def test_the_packages_of_the_server_are_known_by_name():
    assert NAMES["server"] == main._SERVER
