"""docs/ci.md: its check without a database stops on regressions and on a server that is away; its jobs are whole."""

import json
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "ci.md").read_text()
CHECK = re.search(r"^    set -o pipefail.*\n(?:    .*\n)+", PAGE, re.MULTILINE)
needs_jq = pytest.mark.skipif(not shutil.which("jq"), reason="no jq here: the check of docs/ci.md was not run")


def judged(answer):
    """The exit status of the documented filter on an answer of /comparisons."""
    said = re.search(r"jq -e '([^']+)'", PAGE)[1]
    return subprocess.run(["jq", "-e", said], input=json.dumps(answer), text=True, check=False).returncode


@needs_jq
@pytest.mark.parametrize(("verdicts", "status"), [({"regression": 3, "equivalent": 1}, 1), ({"equivalent": 4}, 0)])
def test_the_documented_filter_fails_on_regressions_only(verdicts, status):
    assert judged({"verdicts": verdicts}) == status


@needs_jq
@pytest.mark.skipif(not shutil.which("curl"), reason="no curl here: the check of docs/ci.md was not run")
def test_the_documented_check_fails_where_no_server_answers():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        check = CHECK[0].replace("https://kvmperf.example.org", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        done = subprocess.run(["bash", "-c", check], check=False, capture_output=True, text=True, timeout=60)

    assert done.returncode
    assert "curl" in done.stderr


def test_every_job_makes_the_collector_before_it_runs_it():
    jobs = [job for job in re.findall(r"```\w+\n(.*?)```", PAGE, re.DOTALL) if "kvmperf-collect.pyz" in job]

    assert len(jobs) == 3
    assert all("kvmperf collector build" in job.split("kvmperf-collect.pyz")[0] for job in jobs)
