"""`kvmperf collector`: the stand-alone collector for bench hosts."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The stand-alone collector for bench hosts without kvmperf or network.")


@app.callback()
def collector() -> None:
    """The stand-alone collector for bench hosts without kvmperf or network."""


@app.command()
def build(
    path: Annotated[Path, typer.Argument(help="File or folder to write to.")] = Path("kvmperf-collect.pyz"),
) -> None:
    """Write kvmperf-collect.pyz: one file that any Python >= 3.8 runs, with the same bytes every time.

    Example: kvmperf collector build && scp kvmperf-collect.pyz bench1:
    """
    from db.errors import UserError
    from ingest.collector.build import build as write

    try:
        written = write(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}", "name another file or folder") from error
    typer.echo(written)
