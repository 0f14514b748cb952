"""Machine code that has no place on the disk."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stats.changepoints import compiled

STATS = Path(compiled.__file__).parents[1]
PROBE = f"""
import numpy as np
from stats.changepoints import compiled, detect, detect_many
assert compiled.__file__.startswith({{folder!r}})
step = np.repeat([100.0, 110.0], 100) + np.random.default_rng(1).normal(size=200)
found = detect_many([step] * ({compiled.MANY} // 200))
print(all(one == detect(step) for one in found), len(found[0].changes))
"""


@pytest.mark.skipif(not compiled.is_compiler_there(), reason="numba is not installed")
def test_many_points_are_judged_where_nothing_can_be_kept(tmp_path):
    """Every place that numba tries lies below a regular file: that stops root too."""
    package = tmp_path / "package"
    shutil.copytree(STATS, package / "stats", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (package / "stats").rglob("*/"):
        (folder / "__pycache__").write_text("no folder")
    file = package / "stats" / "__init__.py"
    nowhere = {name: str(file / "below") for name in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR")}
    environment = {**os.environ, **nowhere, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"}

    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(folder=str(package))],
        env=environment,
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert (done.stdout, done.returncode) == ("True 1\n", 0), done.stderr
