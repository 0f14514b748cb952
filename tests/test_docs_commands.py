"""Every `kvmperf …` line of the documentation is run as it stands, page by page, where a reader would run it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import warm_kvmperf
import workspace

ROOT = Path(__file__).resolve().parent.parent
SESSIONS = {"series.md"}  # replayed with their output by tests of their own
PAGES = [
    ROOT / "README.md",
    *sorted(page for page in (ROOT / "docs").glob("*.md") if page.name not in SESSIONS),
]
STAY = re.compile(
    r"kvmperf (serve|dashboard|demo)\b|--loop|--scheduler"
)  # they run until somebody ends them; tested elsewhere
MEANT = {
    r"https://kvmperf\.example\.org\b": "$SERVER",
    r"postgresql://reader@replica1/kvmperf\b": "$REPLICA",
    r"postgresql://kvmperf@db1/kvmperf\b": "$POSTGRESQL",
    r"postgresql://kvmperf@db1/restored\b": "$RESTORED",
    r"/srv/backup\b": "$BACKUP",
    r"\bBASE\b": "v6.12",
    r"\b(HEAD|v6\.13)\b": "mmu-lockless-v2",
}
BEGINNERS = {"README.md", "install.md", "ci.md"}  # their reader has no database yet
CODES = {"--fail-on": {0, 4}, "--resend": {0}}


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """A folder with a `kvmperf` that starts quickly."""
    folder = tmp_path_factory.mktemp("bin")
    process = warm_kvmperf.install(folder)
    yield folder
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documentation") / "here"
    folder.mkdir()
    workspace.lay_out(folder)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with workspace.server(tmp_path_factory.mktemp("server")) as found:
        yield found


def lines(page):
    """The commands of a page, each with where it stands."""
    for number, line in enumerate(page.read_text().splitlines(), start=1):
        if line.startswith("    kvmperf ") and not STAY.search(line):
            yield number, line.strip()


@pytest.mark.parametrize("page", [page for page in PAGES if list(lines(page))], ids=lambda page: page.name)
def test_the_commands_of_a_page_work_in_their_order(page, commands, laid_out, server, request, tmp_path):
    here = tmp_path / "here"
    shutil.copytree(laid_out, here)
    address, token = server
    (here / "token").write_text(token)
    (here / "token").chmod(0o600)
    (here / "backup").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{commands}:{os.environ['PATH']}",
        "KVMPERF_DB": f"sqlite:///{here / ('new.db' if page.name in BEGINNERS else 'results.db')}",
        "SERVER": address,
        "BACKUP": str(here / "backup"),
        "POSTGRESQL": request.getfixturevalue("postgresql")() if "@db1/" in page.read_text() else "",
        "RESTORED": request.getfixturevalue("postgresql")() if "/restored" in page.read_text() else "",
        "REPLICA": request.getfixturevalue("postgresql")() if "@replica1/" in page.read_text() else "",
        "COMMIT": "1f4d8a2b" * 5,
    }
    if environment["REPLICA"]:
        copy = ["kvmperf", "db", "copy", "--from", environment["KVMPERF_DB"], "--to", environment["REPLICA"]]
        subprocess.run(copy, env=environment, check=True, capture_output=True)
    for number, line in lines(page):
        meant = line
        for said, instead in MEANT.items():
            meant = re.sub(said, instead, meant)
        done = subprocess.run(
            ["sh", "-c", meant], cwd=here, env=environment, check=False, capture_output=True, text=True, timeout=120
        )
        allowed = next((codes for word, codes in CODES.items() if word in line), {0})
        assert done.returncode in allowed, f"{page.name}:{number}: {meant}\n{done.stdout[-800:]}\n{done.stderr[-800:]}"
        assert "Traceback" not in done.stderr
