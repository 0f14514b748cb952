"""Interpreters beside the one that runs the tests."""

import shutil
import subprocess
from pathlib import Path


def old_python() -> str:
    """A Python 3.8 that really runs, or an empty text: a version manager's shim may have nothing behind it."""
    managed = sorted(map(str, (Path.home() / ".pyenv" / "versions").glob("3.8*/bin/python3.8")))
    for found in (shutil.which("python3.8"), *managed):
        if found and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0:
            return found
    return ""
