import subprocess
import sys

import pytest
from pythons import old_python

from ingest.collector.build import build

PYTHON38 = old_python()


@pytest.fixture(scope="session")
def pyz(tmp_path_factory):
    """The collector as one file, far away from our sources."""
    return build(tmp_path_factory.mktemp("pyz"))


@pytest.fixture(params=[pytest.param(sys.executable, id="this"), pytest.param(PYTHON38, id="python3.8")])
def collect(request, pyz, tmp_path):
    """Runs the collector in a folder of its own; `before` prepares its process."""
    if not request.param:
        pytest.skip("there is no python3.8 here: the collector is tested with this Python only")

    def run(*words, code=0, before=None):
        command = [request.param, "-I", str(pyz), *map(str, words)]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False, preexec_fn=before
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    run.python = request.param
    return run
