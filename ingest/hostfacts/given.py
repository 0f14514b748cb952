"""Facts that a user names on a command line: a folder, a JSON file, or nothing for this machine."""

from pathlib import Path

from ingest.errors import InputError
from ingest.hostfacts import FactsError, HostFacts, read_folder, read_json, read_machine


def read_given(path: Path | None = None) -> HostFacts:
    """The facts at a path, or of this machine; raises InputError for people."""
    if path is None:
        return read_machine()
    try:
        return read_folder(path) if path.is_dir() else read_json(path)
    except FactsError as error:
        raise InputError(str(error), error.hint) from error
