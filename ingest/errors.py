"""Errors of ingestion, addressed to the person who uploads."""

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


class TransferError(UserError):
    """Server or network did not take an upload; it stays in the spool."""

    exit_code = 3


class BundleError(InputError):
    """A bundle that is not what its manifest says: cut off, changed, too large, or reaching outside its folder."""
