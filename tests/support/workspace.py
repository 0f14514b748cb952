"""The folder in which a reader of the documentation stands: what its commands name lies there."""

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import bundles
import mmtests_tree
import sample_databases

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "fixtures" / "demo" / "eager-split"
TCG = ROOT / "fixtures" / "hosts" / "tcg-6.12.json"
COMMAND = [sys.executable, "-m", "cli"]
CSV = """benchmark,metric,unit,better,iteration,value,vcpus,run
net/latency,latency,us,lower,1,12.5,4,1
net/latency,latency,us,lower,2,11.9,4,1
"""
NOTIFY = """[[sink]]
name = "kvm-list"
kind = "file"
path = "told.txt"

[[sink]]
name = "maintainers"
kind = "file"
path = "daily.txt"
when = "daily"
"""
ALERT = """INSERT INTO alert_group (id, kind, evidence, line, subject, detail, opened_at, announced_at, closed_because,
    triage, owner, note, link, mute_reason) VALUES (7, 'failing test', 'confirmed', '', 'one test case on bm3', '{}',
    '2026-01-01', '2026-01-01', '', 'new', '', '', '', '')"""


def lay_out(folder: Path) -> None:
    """Outputs before and after, a bundle, an MMTests tree, runs in the general formats, and a database with a past."""
    for name, label in (("before", "split-on"), ("after", "split-off"), ("out", "split-off")):
        shutil.copytree(DEMO / label / "ic-il2", folder / name)
        (folder / name / "host").mkdir()
        (folder / name / "host.json").rename(folder / name / "host" / "facts.json")
    shutil.copy(folder / "before" / "dlp-thp" / "01.out", folder / "dlp.out")
    for name in ("kvmperf-bm3.tar", "bundle.tar"):
        bundles.write(folder / name, bundles.output())
    log = folder / "work" / "log"
    mmtests_tree.make_run(log, "6.18-base", iterations=2)
    mmtests_tree.make_run(log, "6.18-patched", iterations=2, first=500)
    shutil.copy(ROOT / "fixtures" / "outputs" / "any" / "runs.jsonl", folder / "runs.jsonl")
    (folder / "values.csv").write_text(CSV)
    sample_databases.build(folder / "results.db")
    with contextlib.closing(sqlite3.connect(folder / "results.db")) as database, database:
        for label, said in (("split-on", "v6.12"), ("split-off", "mmu-lockless-v2")):
            database.execute("UPDATE revision SET label = ? WHERE label = ?", (said, label))
        database.execute(ALERT)
    (folder / "notify.toml").write_text(NOTIFY)
    levels = [f"nightly,{night},{100 + 5 * (night > 20) + night % 3}" for night in range(40)]
    (folder / "nightly.csv").write_text("\n".join(["series,x,value", *levels]) + "\n")
    (folder / "rules.toml").write_text('[defaults]\nmargin = "2%"\n')


@contextlib.contextmanager
def server(folder: Path):
    """`kvmperf serve` on a database of its own: its address, and the token of somebody who may do everything."""
    database = {**os.environ, "KVMPERF_DB": f"sqlite:///{folder / 'server.db'}"}
    scopes = [word for scope in ("upload", "read", "triage") for word in ("--scope", scope)]
    with serving(database) as address:
        made = [*COMMAND, "token", "create", "docs", *scopes]
        token = subprocess.run(made, env=database, check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip()
        yield address, token


@contextlib.contextmanager
def serving(environment: dict[str, str]):
    """`kvmperf serve` in an environment that names its database: its address, once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    child = subprocess.Popen(
        [*COMMAND, "serve", "--port", str(port)], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=-3
    )
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(30)
