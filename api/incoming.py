"""The folder where uploads lie until they are stored: what a server that was killed left there."""

import logging
import os
import shutil
import time
from pathlib import Path

from ingest.receive import UNPACKED

log = logging.getLogger("kvmperf.api")
PREFIX, SUFFIX = "kvmperf-", ".part"  # of bodies
_LEFT_OVER_S = 24 * 3600.0


def remove_leftovers(folder: Path) -> None:
    """Remove what is named as ours, is ours, and has not changed for a day. Another server may share the folder."""
    for path in (*folder.glob(f"{PREFIX}*{SUFFIX}"), *folder.glob(f"{UNPACKED}*")):
        try:
            told = path.lstat()
            if told.st_uid == os.geteuid() and time.time() - told.st_mtime > _LEFT_OVER_S:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                log.info("removed %s, left by a server that was killed", path)
        except OSError as error:
            log.warning("cannot remove %s: %s", path, error.strerror)
