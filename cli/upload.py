"""`kvmperf upload`: parse outputs and store them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DatabaseOption, database_url
from db.errors import UserError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.values import CaptureContext, NewCapture, Stored
    from ingest.accept import Watch
    from ingest.context import Given


_OUTCOMES = ("stored", "duplicate", "quarantined", "unreadable")


def upload(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH...", help="Files, directories, bundles (.tar), or -.", show_default=False),
    ] = None,
    *,
    db: DatabaseOption = "",
    server: Annotated[
        str, typer.Option(envvar="KVMPERF_SERVER", metavar="URL", help="Send to this server instead of --db.")
    ] = "",
    token_file: Annotated[
        Path | None, typer.Option(help="File with the server's token; else KVMPERF_TOKEN.", show_default=False)
    ] = None,
    resend: Annotated[bool, typer.Option("--resend", help="Send what waits in the spool.")] = False,
    label: Annotated[str, typer.Option(help="A name for what was measured when the code alone does not tell.")] = "",
    kernel: Annotated[str, typer.Option(help="Kernel release (default: from the host facts).")] = "",
    commit: Annotated[str, typer.Option(help="Git commit that was measured.")] = "",
    host: Annotated[str, typer.Option(help="Name of the host (default: from the host facts).")] = "",
    host_facts: Annotated[
        Path | None, typer.Option(help="Folder of captured facts, or JSON of `kvmperf facts`.", show_default=False)
    ] = None,
    boot_id: Annotated[str, typer.Option(help="Boot in which it ran (default: from the host facts).")] = "",
    series: Annotated[str, typer.Option(help="Patch series: name, change-id, or Message-Id of a cover.")] = "",
    version: Annotated[int | None, typer.Option(help="Version of the series.", min=1, show_default=False)] = None,
    patch: Annotated[str, typer.Option(metavar="K/M", help="After patch K of M; 0/M is the base.")] = "",
    harness: Annotated[str, typer.Option(help="Build of the test program, where it changes too.")] = "",
    tag: Annotated[list[str] | None, typer.Option(metavar="K=V", help="Free note on the runs (repeatable).")] = None,
    reported: Annotated[bool, typer.Option(help="Numbers from a mail: kept apart from measured runs.")] = False,
    detect: Annotated[
        bool, typer.Option("--detect", envvar="KVMPERF_DETECT", help="Look for changes at once (not with --server).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Receipts as JSON lines.")] = False,
) -> None:
    """Store benchmark outputs, with the files beside them (.cmd, .rc, .time, .err).

    Bundles of kvmperf-collect.pyz bring their context along; options given here go before it.
    Without --host and --host-facts the outputs count as measured on this machine. The same upload again stores
    nothing new. What cannot be parsed is kept and listed as quarantined; what cannot be read is listed as unreadable,
    and the exit status is 1. With --server the upload waits in a spool until the server has acknowledged it; what
    could not be sent stays there for --resend (exit status 3).

    Example: kvmperf upload out/ --label v6.12+mmu-lockless --boot-id "$(cat /proc/sys/kernel/random/boot_id)"
    """
    from ingest.context import Given

    given = Given(
        label=label,
        kernel=kernel,
        commit=commit,
        host=host,
        host_facts=host_facts,
        boot_id=boot_id,
        series=series,
        version=version,
        patch=patch,
        tags=(*(tag or ()), *([f"harness={harness}"] if harness else [])),
        reported=reported,
    )
    if not paths and not resend:
        raise typer.BadParameter("name what to upload: files, directories, bundles, or -", param_hint="PATH")
    if server or resend:
        from cli.sending import resend_all, send

        if resend:
            resend_all(server, token_file, as_json=as_json)
        if paths:
            send(paths, given, server, token_file, as_json=as_json)
        return
    receipts = store(paths or [], given, database_url(db))
    _tell(receipts, as_json=as_json)
    if detect:
        from cli.detect import after_upload

        after_upload(database_url(db))
    _refuse_unstored(receipts)


def store(paths: list[Path], given: "Given", url: str) -> list["Stored"]:
    """Take the outputs under these paths into a database; the receipts in the order of the files."""
    from db.engine import connect, reading
    from ingest.accept import accept_all
    from ingest.bundle import is_bundle
    from ingest.context import context
    from ingest.storing import Batches

    place = None if all(is_bundle(path) or _is_tree(path) for path in paths) else context(given)
    engine = connect(url, create=True)
    with _progress() as watch:
        receipts = list(accept_all(Batches(engine, origin="cli"), given, paths, watch))
    if given.series:
        with reading(engine) as connection:
            _say_series(connection, given)
    if place is not None:
        _say_place(place, given)
    elif any(map(_is_tree, paths)):
        typer.echo("host, boot and kernel: as each iteration of MMTests tells them, unless options do", err=True)
    return receipts


def _say_series(connection: "Connection", given: "Given") -> None:
    from db.series import alike, known_series, meant

    known = known_series(connection)
    if not any(version.patches for one in meant(given.series, known) for version in one.versions):
        told = f"series: {given.series} is known from uploads only; `kvmperf series add` registers what was posted"
        other = alike(given.series, known)
        _say_once(f"{told} (did you mean {other}?)" if other else told)


@cache
def _say_once(text: str) -> None:
    """Say it, but once a process: a caller may store a series part by part."""
    typer.echo(text, err=True)


def _tell(receipts: list["Stored"], *, as_json: bool) -> None:
    for receipt in receipts:
        typer.echo(json.dumps(asdict(receipt)) if as_json else line(asdict(receipt)))
    typer.echo(_summary(receipts), err=True)
    if {"quarantined"} < {receipt.outcome for receipt in receipts}:
        say_quarantine()


def say_quarantine() -> None:
    """Where to learn more of what some lines above call quarantined."""
    typer.echo("`kvmperf parse FILE` says more of a file in quarantine", err=True)


def _is_tree(path: Path) -> bool:
    """Whether a path is an MMTests tree, which tells its host itself."""
    from ingest.mmtests.finding import is_tree

    return is_tree(path.absolute())


@contextmanager
def _progress() -> Iterator["Watch"]:
    """Outputs, bytes, runs and their rate on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _capture, _total: None
        return
    text = TextColumn("{task.fields[size]:.1f} MB  {task.fields[runs]} runs  {task.fields[rate]:.0f}/s")
    with Progress(
        TextColumn("storing"),
        BarColumn(),
        MofNCompleteColumn(),
        text,
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("", total=None, size=0.0, runs=0, rate=0.0)

        def watch(capture: "NewCapture", total: int) -> None:
            told = progress.tasks[0]
            runs = told.fields["runs"] + len(capture.runs)
            size = told.fields["size"] + sum(map(len, capture.files.values())) / 1e6
            rate = runs / max(told.elapsed or 0.0, 0.1)
            progress.update(task, advance=1, total=total, size=size, runs=runs, rate=rate)

        yield watch


def _say_place(place: "CaptureContext", given: "Given") -> None:
    if not given.host and given.host_facts is None:
        typer.echo(f"host: this machine, {place.host} (--host and --host-facts name another)", err=True)
    if not place.boot_id:
        typer.echo("boot: unknown, so runs will be the unit of replication (--boot-id names it)", err=True)


def line(receipt: Mapping[str, object]) -> str:
    """A receipt for people."""
    from report.words import held_because

    outcome, source = receipt["outcome"], receipt["source"]
    if outcome in ("quarantined", "unreadable"):
        return f"{outcome:<12} {source}: {held_because(str(receipt['reason']), str(source))}"
    if outcome == "duplicate":
        return f"duplicate    {source}"
    runs, values = (f"{receipt[word]} {word[:-1] if receipt[word] == 1 else word}" for word in ("runs", "values"))
    return f"stored       {source}: {runs}, {values}"


def _refuse_unstored(receipts: Sequence["Stored"]) -> None:
    """End with an error where something is not in the database, or nothing of use."""
    if unreadable := sum(receipt.outcome == "unreadable" for receipt in receipts):
        what = "1 output" if unreadable == 1 else f"{unreadable} outputs"
        raise UserError(
            f"{what} could not be read", "check their permissions and upload again: nothing is stored twice"
        )
    if all(receipt.outcome == "quarantined" for receipt in receipts):
        raise UserError("nothing could be parsed: everything is quarantined", "`kvmperf parse PATH` says what is wrong")


def _summary(receipts: list["Stored"]) -> str:
    count = {word: sum(r.outcome == word for r in receipts) for word in _OUTCOMES}
    values = sum(r.values for r in receipts)
    rest = f"{count['duplicate']} duplicate, {count['quarantined']} quarantined"
    rest += f", {count['unreadable']} unreadable" if count["unreadable"] else ""
    return f"{count['stored']} stored ({values} value{'s' * (values != 1)}), {rest}"
