"""The command as somebody whom file permissions bind: root gives that privilege up."""

import functools
import os
import shutil
import subprocess

import pytest

_GIVEN_UP = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--")


@functools.cache
def words():
    """What stands before a command so that permissions bind it; skips the test where that cannot be had."""
    if os.getuid() != 0:
        return ()
    if not shutil.which("setpriv") or subprocess.run([*_GIVEN_UP, "true"], check=False).returncode != 0:
        pytest.skip("permissions do not bind root here")
    return _GIVEN_UP
