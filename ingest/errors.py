"""Errors of ingestion, addressed to the person who uploads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from db.errors import UserError


class FormatError(UserError):
    """A text that looks like a known format and cannot be read. Names the file and the line (1-based, 0: the whole)."""

    def __init__(self, source: str, line: int, what: str, hint: str = "") -> None:
        place = f"{source}:{line}" if line else source
        super().__init__(f"{place}: {what}", hint)
        self.source, self.line, self.what = source, line, what


class UnknownFormatError(FormatError):
    """No parser recognises the text."""


class InputError(UserError):
    """A path that cannot be read as what it should be: missing, empty, binary, of the wrong kind."""


class UnreadableError(InputError):
    """A file or folder that the system does not let us read. It may be readable tomorrow."""

    def __init__(self, path: object, error: OSError) -> None:
        super().__init__(f"{path}: cannot be read: {error.strerror}", "check its permissions")


class TransferError(UserError):
    """Server or network did not take an upload; it stays in the spool."""

    exit_code = 3


class BundleError(InputError):
    """A bundle that is not what its manifest says: cut off, changed, too large, or reaching outside its folder."""


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """An error of the system, wherever in a tree, names what cannot be read."""
    try:
        yield
    except OSError as error:
        raise UnreadableError(error.filename or path, error) from error
