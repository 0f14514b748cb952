"""Packs the collector into one file that any Python >= 3.8 runs. Equal sources give equal bytes."""

import os
import zipfile
from io import BytesIO
from pathlib import Path

from ingest.errors import InputError

_NAME = "kvmperf-collect.pyz"
_SHEBANG = b"#!/usr/bin/env python3\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can tell
_LEFT_OUT = ("collector/build.py", "hostfacts/given.py")
# Read by whatever `python3` is: an old one must understand it well enough to say that it is too old.
_START = b"""import sys
if sys.version_info < (3, 8):
    sys.exit("kvmperf-collect: Python 3.8 or newer is needed, this is %d.%d" % sys.version_info[:2])
from ingest.collector.main import main
sys.exit(main())
"""


def build(target: Path) -> Path:
    """Write the collector to a file (or into a folder, under its usual name); returns where."""
    path = target / _NAME if target.is_dir() else target
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: there is something that is no file", "name another file or folder")
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(archive())
    part.chmod(0o755)
    part.replace(path)
    return path


def archive() -> bytes:
    """The bytes of the collector; stored and not deflated, since zlib's output differs between versions."""
    root = Path(__file__).resolve().parent.parent
    sources = [root / "__init__.py", *sorted(root.glob("collector/*.py")), *sorted(root.glob("hostfacts/*.py"))]
    packed = BytesIO(_SHEBANG)
    packed.seek(0, os.SEEK_END)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_STORED) as bundle:
        bundle.writestr(_entry("__main__.py"), _START)
        for source in sources:
            name = source.relative_to(root).as_posix()
            if name not in _LEFT_OUT:
                bundle.writestr(_entry(f"ingest/{name}"), source.read_bytes())
    return packed.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = 0o644 << 16
    entry.create_system = 3  # Unix, wherever it is built
    return entry
