"""Options that several commands share, and what they stand for."""

import os
from pathlib import Path
from typing import Annotated

import typer

DatabaseOption = Annotated[
    str,
    typer.Option(
        "--db",
        envvar="KVMPERF_DB",
        metavar="URL",
        help="Database, for example sqlite:///results.db. Default: kvmperf.db in your data directory.",
        show_default=False,
    ),
]


def database_url(given: str) -> str:
    """The database to use: the one given (a bare path means an SQLite file), else the user's own."""
    from db.engine import default_url

    if not given:
        home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
        return default_url(Path(home))
    return given if "://" in given else f"sqlite:///{given}"


def fraction(text: str) -> float:
    """`2%` or `0.02` as a fraction."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise typer.BadParameter(f"{text!r} is no margin between 0% and 100%", param_hint="--margin")
    return value


def write_text(path: Path, text: str) -> None:
    """Write a file that the user named; an error names it too."""
    from db.errors import UserError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", "name a file in a folder that is there and yours") from error
