"""Detection on a real Dask scheduler with two workers as processes, one of which is killed under its work."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from alerts import spread
from db.engine import connect, writing
from db.errors import UserError
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from db.writes import Writer
from stats.changepoints import detect_many


def start(program, *words):
    command = [sys.executable, "-m", f"distributed.cli.{program}", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    """Address of a scheduler, and its workers."""
    folder = tmp_path_factory.mktemp("dask")
    told = folder / "scheduler.json"
    processes = [
        start("dask_scheduler", "--host", "127.0.0.1", "--port", 0, "--no-dashboard", "--scheduler-file", told)
    ]
    options = (
        "--scheduler-file",
        told,
        "--nthreads",
        1,
        "--no-nanny",
        "--no-dashboard",
        "--death-timeout",
        60,
        "--local-directory",
        folder,
    )
    while not told.exists():
        assert processes[0].poll() is None
        time.sleep(0.05)
    processes += [start("dask_worker", *options) for _ in "ab"]
    address = json.loads(told.read_text())["address"]
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=120)
    yield address, processes[1:]
    for one in processes:
        one.kill()
        one.wait()


def histories(count):
    rng = np.random.default_rng(1)
    found = [np.exp(rng.normal(0, 0.01, rng.integers(1, 120))) for _ in range(count)]
    for one in found[::3]:
        one[one.size // 2 :] *= 1.1
    return found


def test_a_killed_worker_changes_no_answer(dask, monkeypatch):
    address, workers = dask
    monkeypatch.setattr(spread, "_TOGETHER", 4)
    series = histories(120)
    answers = []
    os.kill(workers[0].pid, signal.SIGSTOP)  # so that what it is given is surely not done when it dies

    with spread.on_scheduler(address) as many:
        thread = threading.Thread(target=lambda: answers.append(many(series)))
        thread.start()
        thread.join(1)
        is_at_work = thread.is_alive()
        os.kill(workers[0].pid, signal.SIGKILL)
        thread.join()

    assert is_at_work
    assert answers == [detect_many(series)]


def fill(url):
    """Forty nights of three metrics, of which one steps up."""
    rng = np.random.default_rng(2)
    start_at = datetime(2026, 1, 1, tzinfo=UTC)
    engine = connect(url, create=True)
    with writing(engine) as connection:
        writer = Writer(connection)
        for night in range(40):
            when = start_at + timedelta(days=night)
            levels = (1.0, 2.0, 3.0 if night < 30 else 3.6)
            told = tuple(
                NewMeasurement(f"m{i}", "s", "lower", level * np.exp(rng.normal(0, 0.01, 5)))
                for i, level in enumerate(levels)
            )
            run = NewRun("suite/prog", {}, "pass", "prog", 1, told)
            facts = RevisionFacts(kernel=f"6.12-{night}", commit=f"{night:040x}", committed_at=when)
            context = CaptureContext("bm1", facts, f"boot{night}")
            writer.store(context, NewCapture(f"{night}.out", {"stdout": b"x"}, None, 0, when, when, (run,)))
    engine.dispose()  # everything is in the one file then


def test_detect_prints_the_same_with_and_without_a_scheduler(dask, make_kvmperf, tmp_path):
    address, _ = dask
    fill(f"sqlite:///{tmp_path / 'here.db'}")
    shutil.copy(tmp_path / "here.db", tmp_path / "there.db")

    here = make_kvmperf(tmp_path / "here.db")("detect", "--json")
    there = make_kvmperf(tmp_path / "there.db")("detect", "--json", "--scheduler", address)

    def told(done):
        return [
            {k: v for k, v in json.loads(line).items() if not k.endswith("_at")} for line in done.stdout.splitlines()
        ]

    assert len(told(here)) == 1
    assert told(here) == told(there)
    assert here.stderr == there.stderr


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x"])
def test_a_scheduler_that_is_not_there_is_told_in_a_word(address, monkeypatch):
    monkeypatch.setattr(spread, "_PATIENCE_S", 1)

    with pytest.raises(UserError, match="no scheduler answers") as caught, spread.on_scheduler(address):
        pass

    assert "8786" in caught.value.hint
