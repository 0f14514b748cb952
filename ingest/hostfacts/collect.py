"""Facts from a source: the running machine, or a folder of captured files. Python 3.8, nothing else of ours."""

from __future__ import annotations

from pathlib import Path

from .record import HostFacts


def read_machine() -> HostFacts:
    """The facts of the machine this runs on. Never raises: what cannot be read is absent."""
    return HostFacts()


def read_folder(path: Path) -> HostFacts:
    """The facts in a folder of captured files; raises FactsError when it holds none."""
    return HostFacts(hostname=path.name)
