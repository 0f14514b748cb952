"""`kvmperf facts`: what this host is and how it is set."""

from pathlib import Path
from typing import Annotated

import typer


def facts(
    folder: Annotated[
        Path | None, typer.Argument(help="Captured files, or a facts JSON; without it: this host.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object (the default).")] = False,
    summary: Annotated[bool, typer.Option("--summary", help="One line for people instead of JSON.")] = False,
) -> None:
    """Show the facts of a host that can change its numbers.

    Example: kvmperf facts > host.json; kvmperf upload out/ --host-facts host.json
    """
    from db.hoststate import summary_line
    from ingest.hostfacts.given import read_given

    if as_json and summary:
        raise typer.BadParameter("--json and --summary exclude each other")
    found = read_given(folder)
    typer.echo(f"{found.hostname or 'unknown'} ({summary_line(found.state)})" if summary else found.to_json())
