"""The errors that are addressed to people. Every door prints them as one line and an optional hint."""


class UserError(Exception):
    """Something the person at the keyboard can understand and mostly mend: what, where, what to do.

    `str(error)` is one line. `hint` says what to do next, or is empty. `exit_code` is the command's exit status.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class DatabaseError(UserError):
    """The database is missing, locked, too new, too old, or not one of ours."""


class DamagedError(DatabaseError):
    """The engine cannot read its own file; `said` are its words."""

    def __init__(self, where: str, said: str) -> None:
        super().__init__(f"{where}: damaged: {said}", "`kvmperf db check` says more; `kvmperf db restore` a backup")
        self.said = said


class UnresolvedNameError(UserError):
    """A name that the user gave means nothing here, or more than one thing."""
