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
