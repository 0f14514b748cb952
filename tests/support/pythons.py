"""Interpreters beside the one that runs the tests."""

import shutil
import subprocess
from pathlib import Path


def old_python() -> str:
    """A Python 3.8 that really runs, or an empty text."""
    return python("3.8")


def python(version: str) -> str:
    """A Python of this version that really runs, or an empty text: a version manager's shim may be nothing but that."""
    managed = sorted(map(str, (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python{version}")))
    for found in (shutil.which(f"python{version}"), *managed):
        if found and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0:
            return found
    return ""
