"""`kvmperf db`: care of the database."""

import re
import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DatabaseOption, database_url
from db.errors import UserError

if TYPE_CHECKING:
    from db.transfer import Progress

app = typer.Typer(no_args_is_help=True, help="Care of the database: schema, copy, backup, restore, check, prune.")


@app.command()
def upgrade(db: DatabaseOption = "") -> None:
    """Bring the database to this version's schema; makes it where there is none.

    Example: kvmperf db upgrade --db sqlite:///results.db
    """
    from db.engine import HEAD, open_any, schema_version
    from db.engine import upgrade as migrate

    engine = open_any(database_url(db), create=True)
    before = schema_version(engine)
    migrate(engine)
    done = "already there" if before == HEAD else f"upgraded from {before or 'an empty database'}"
    typer.echo(f"schema {HEAD}: {done}")


@app.command()
def downgrade(
    to: Annotated[str, typer.Argument(help="The schema to go back to, for example 0003.")],
    *,
    db: DatabaseOption = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
) -> None:
    """Take the schema back for an older kvmperf. What only the newer schema can hold is lost: make a backup first.

    Example: kvmperf db downgrade 0003 --yes
    """
    from db.engine import downgrade as migrate
    from db.engine import open_any, schema_version

    engine = open_any(database_url(db))
    before = schema_version(engine)
    if not yes:
        raise UserError(f"going from schema {before} to {to} loses what only {before} can hold", "add --yes to do it")
    migrate(engine, to)
    typer.echo(f"schema {schema_version(engine) or 'none'}: was {before}")


@app.command()
def stats(db: DatabaseOption = "") -> None:
    """Count what is stored, and list what is quarantined.

    Example: kvmperf db stats
    """
    from db.engine import connect, reading
    from db.queries import counts, quarantine
    from report.words import held_because

    with reading(connect(database_url(db))) as connection:
        for name, count in counts(connection).items():
            typer.echo(f"{count:>12,} {name}")
        held = quarantine(connection)
    typer.echo(f"{len(held):>12,} quarantined")
    for one in held:
        typer.echo(f"  {one.source} (host {one.host}, {one.size} bytes): {held_because(one.reason, one.source)}")
    if held:
        typer.echo("`kvmperf parse FILE` says more of a file in quarantine", err=True)


@app.command()
def copy(
    source: Annotated[str, typer.Option("--from", metavar="URL", help="What is copied; it is only read.")],
    target: Annotated[str, typer.Option("--to", metavar="URL", help="An empty database; made if it is a new file.")],
) -> None:
    """Copy everything into an empty database, also on the other engine, and compare it row by row.

    All of it or nothing: after an interruption the target is empty, and the same command starts again.

    Example: kvmperf db copy --from sqlite:///results.db --to postgresql://kvmperf@db1/kvmperf
    """
    from db.engine import connect
    from db.transfer import transfer

    if database_url(source) == database_url(target):
        raise UserError("source and target are the same database", "--to names another")
    old = connect(database_url(source))
    rows = transfer(old, connect(database_url(target), create=True), _progress())
    _say_rows(rows, "copied and compared")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="A new file; the backup is an SQLite database.")],
    db: DatabaseOption = "",
) -> None:
    """Write all that is stored into a new file, while others go on writing, and look through it.

    Example: kvmperf db backup /srv/backup/kvmperf-monday.db
    """
    from db.backup import backup as write
    from db.engine import connect

    size = write(connect(database_url(db)), file, _progress())
    typer.echo(f"{file}: {size:,} bytes, looked through and sound")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `kvmperf db backup` wrote.")],
    db: DatabaseOption = "",
) -> None:
    """Bring a backup back into an empty database on either engine, with today's schema, compared row by row.

    Example: kvmperf db restore /srv/backup/kvmperf-monday.db --db postgresql://kvmperf@db1/kvmperf
    """
    from db.backup import restore as bring_back
    from db.engine import open_any

    rows = bring_back(file, open_any(database_url(db), create=True), _progress())
    _say_rows(rows, "restored and compared")


@app.command()
def check(db: DatabaseOption = "") -> None:
    """Look through the database: the file, rows that point nowhere, hashes of raw outputs, packed values.

    Reads everything and changes nothing; exit status 1 says that something is wrong.

    Example: kvmperf db check
    """
    from db.checking import check as look
    from db.engine import open_any

    problems = 0
    for one in look(open_any(database_url(db))):
        problems += one.is_problem
        typer.echo(f"{'WRONG' if one.is_problem else 'ok':<6}{one.what:<14}{one.text}")
    if problems:
        raise UserError(f"{problems} things are wrong", "keep a copy of the database as it is, then restore a backup")


@app.command()
def prune(
    *,
    db: DatabaseOption = "",
    older_than: Annotated[
        str, typer.Option(metavar="DAYS|DATE", help="Uploads before: 730d, or 2025-01-31.", show_default=False)
    ] = "",
    deleted: Annotated[bool, typer.Option("--deleted", help="What is marked as deleted.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Take it away; without, only show what would go.")] = False,
) -> None:
    """Show what a retention would take away, and with --yes take it away: outputs, runs and values, for ever.

    What belongs to a patch series, or is compared by an alert, stays. The audit trail keeps what went.

    Example: kvmperf db prune --older-than 730d
    """
    from db.engine import connect
    from db.pruning import Retention, foresee
    from db.pruning import prune as take_away

    if not older_than and not deleted:
        raise UserError("nothing says what may go", "--older-than 730d, or --deleted")
    retention = Retention(_instant(older_than), deleted)
    engine = connect(database_url(db))
    found = take_away(engine, retention, "cli") if yes else foresee(engine, retention)
    for name, count in asdict(found).items():
        typer.echo(f"{count:>14,} {_WORDS[name]}")
    typer.echo("taken away" if yes else "nothing was changed: --yes takes it away", err=True)


_WORDS = {
    "captures": "captures",
    "runs": "runs",
    "measurements": "measurements",
    "uploads": "uploads, wholly",
    "outputs": "raw outputs",
    "packed_bytes": "bytes of raw outputs, compressed",
    "time_series": "time series without measurements",
    "kept": "captures of that age stay: of a patch series, or compared by an alert",
}


def _progress() -> "Progress":
    """On a terminal, how far it is; else nothing."""

    def show(done: str, table: str, rows: int, total: int) -> None:
        if sys.stderr.isatty() and total:
            end = "\n" if rows == total else ""
            sys.stderr.write(f"\r{done} {table}: {rows:,} of {total:,}{end}")

    return show


def _say_rows(rows: dict[str, int], what: str) -> None:
    for name, count in rows.items():
        if count:
            typer.echo(f"{count:>12,} {name}")
    typer.echo(f"{sum(rows.values()):>12,} rows {what}")


def _instant(words: str) -> datetime | None:
    if not words:
        return None
    if match := re.fullmatch(r"(\d{1,5})d", words):
        return datetime.now(UTC) - timedelta(days=int(match[1]))
    with suppress(ValueError):
        day = datetime.fromisoformat(words)
        return day if day.tzinfo else day.replace(tzinfo=UTC)
    raise UserError(f"--older-than {words!r}: neither days nor a date", "730d, or 2025-01-31")
