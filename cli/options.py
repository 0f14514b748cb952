"""Options that several commands share, and what they stand for."""

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
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


@cache
def warn_of_readers(option: str, path: Path) -> None:
    """Say on standard error, once, that everybody on this host can read a file with a secret in it."""
    with suppress(OSError):  # whoever opens it says so
        mode = path.stat().st_mode
        if stat.S_ISREG(mode) and mode & stat.S_IROTH:
            typer.echo(f"warning: {option} {path} can be read by every user of this host: chmod o= {path}", err=True)


def fraction(text: str, option: str = "--margin") -> float:
    """`2%` or `0.02`, given with an option, as a fraction."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise typer.BadParameter(f"{text!r} is no share from 0% to less than 100%", param_hint=option)
    return value


def refuse_with_csv(given: Mapping[str, object], instead: str) -> None:
    """Wrong usage where an option was given that says nothing to a file: nothing that was asked for is ignored."""
    everywhere = [os.environ.get(name) for name in ("KVMPERF_DB", "KVMPERF_RULES")]  # set for other commands
    for option, value in given.items():
        if value and str(value) not in everywhere:
            raise typer.BadParameter(f"does not go with --csv: {instead}", param_hint=option)


def write_text(path: Path, text: str) -> None:
    """Write a file that the user named; an error names it too."""
    from db.errors import UserError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", "name a file in a folder that is there and yours") from error
