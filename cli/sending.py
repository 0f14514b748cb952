"""`kvmperf upload --server`: into the spool first, then to the server, and out of the spool with its receipt."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cli.options import warn_of_readers
from db.errors import UserError

if TYPE_CHECKING:
    from ingest.client import Client
    from ingest.context import Given
    from ingest.spool import Item, Spool


def send(paths: list[Path], given: "Given", server: str, token_file: Path | None, *, as_json: bool) -> None:
    """Pack, spool and send; raises TransferError (exit 3) where the upload stays in the spool."""
    from ingest.client import RefusedError
    from ingest.errors import TransferError
    from ingest.packing import packing

    client = _client(server, token_file)
    spool = _spool()
    with ExitStack() as stack:
        ready = packing(paths, given, stack)
        with _bar(f"packing {_outputs(ready.outputs)}", ready.size, adding=True) as watch:
            item = spool.put(ready, server, str(token_file.absolute()) if token_file else "", watch)
    try:
        told = _deliver(client, spool, item)
    except TransferError as error:
        hint = f"kept in {item.bundle}; `kvmperf upload --resend` sends it"
        raise TransferError(f"not sent: {error}", hint) from error
    except RefusedError:
        typer.echo(f"kept in {item.bundle}", err=True)
        raise
    _tell(told, as_json=as_json)
    if told.get("quarantined") and not told["stored"] and not told["duplicate"]:
        raise UserError("nothing could be parsed: everything is quarantined", "`kvmperf parse PATH` says what is wrong")


def resend_all(server: str, token_file: Path | None, *, as_json: bool) -> None:
    """Send everything that waits; the first error is raised after all were tried."""
    from ingest.client import RefusedError
    from ingest.errors import InputError, TransferError

    spool = _spool()
    items = spool.items()
    failed: UserError | None = None
    for item in items:
        note = item.note
        try:
            client = _client(server or note.server, token_file or (Path(note.token_file) if note.token_file else None))
            _tell(_deliver(client, spool, item), as_json=as_json)
        except (InputError, TransferError, RefusedError) as error:
            typer.echo(f"kept {item.bundle}: {error}", err=True)
            failed = failed or error
    left = len(spool.items())
    typer.echo(
        f"{len(items) - left} sent, {left} left in {spool.folder}" if items else "nothing waits to be sent", err=True
    )
    if failed is not None:
        raise failed


def _deliver(client: "Client", spool: "Spool", item: "Item") -> Mapping[str, Any]:  # Any: JSON
    from ingest.client import RefusedError, quiet_retries
    from ingest.errors import TransferError

    quiet_retries()
    with spool.held(item) as is_ours:
        if not is_ours:
            return {"captures": (), "elsewhere": True}
        try:
            with _bar(f"sending {_outputs(item.note.outputs)}", item.size()) as watch:
                told = client.send(item, watch)
        except (TransferError, RefusedError) as error:
            spool.failed(item, str(error), for_good=isinstance(error, RefusedError) and error.for_good)
            raise
        spool.done(item)
    return told


def _client(server: str, token_file: Path | None) -> "Client":
    from ingest.client import Client, is_readable_by_others
    from ingest.settings import ClientSettings

    if not server:
        raise UserError("which server?", "add --server URL, or set KVMPERF_SERVER")
    if is_readable_by_others(server):
        typer.echo(f"warning: {server} is no https: your token can be read on the way", err=True)
    return Client(ClientSettings(_folder(), server, _token(token_file)))


def _spool() -> "Spool":
    from ingest.spool import Spool

    return Spool(_folder())


def _folder() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "kvmperf" / "spool"


def _token(file: Path | None) -> str:
    if file is not None:
        warn_of_readers("--token-file", file)
    try:
        text = file.read_text() if file is not None else os.environ.get("KVMPERF_TOKEN", "")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read as a token ({error})", "--token-file names another") from error
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable():
        raise UserError("no token for the server", "add --token-file FILE, or set KVMPERF_TOKEN")
    return token


def _tell(told: Mapping[str, Any], *, as_json: bool) -> None:  # Any: JSON
    from cli.upload import line, say_quarantine

    if told.get("elsewhere"):
        typer.echo("another kvmperf is sending this upload", err=True)
        return
    for capture in told["captures"]:
        typer.echo(json.dumps(capture) if as_json else line(capture))
    if told.get("left_off"):
        typer.echo(f"and {told['left_off']} more", err=True)
    counts = (
        f"{told['stored']} stored ({told['values']} value{'s' * (told['values'] != 1)}), {told['duplicate']} duplicate"
    )
    again = "; the server had this upload already" if told.get("repeated") else ""
    typer.echo(f"{counts}, {told['quarantined']} quarantined{again}", err=True)
    if told["quarantined"]:
        say_quarantine()


def _outputs(count: int) -> str:
    return "1 output" if count == 1 else f"{count} outputs"


@contextmanager
def _bar(what: str, total: int, *, adding: bool = False) -> Iterator[Callable[[int], None]]:
    """Bytes, rate and time on a terminal, nothing elsewhere; gets the bytes done so far, or those more if `adding`."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _size: None
        return
    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total)
        if adding:
            yield lambda size: progress.advance(task, size)
        else:
            yield lambda done: progress.update(task, completed=done)
