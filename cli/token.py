"""`kvmperf token`: keys to the HTTP interface."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from cli.options import DatabaseOption, database_url

app = typer.Typer(no_args_is_help=True, help="Tokens of the HTTP interface: make, list, revoke.")


class May(StrEnum):
    """What a token may do."""

    UPLOAD = "upload"
    READ = "read"
    TRIAGE = "triage"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who or what will use it.")],
    *,
    db: DatabaseOption = "",
    scope: Annotated[list[May] | None, typer.Option(help="What it may do (repeatable).")] = None,
    expires: Annotated[str, typer.Option(metavar="DAYS|DATE", help="30d, or 2027-01-31; default: never.")] = "",
) -> None:
    """Make a token and print it, once: nobody can print it again.

    Without --scope it may upload.

    The database must be there: `kvmperf serve` makes one.

    Example: (umask 077; kvmperf token create bench1 --scope upload --expires 365d > token)
    """
    from db.engine import connect, named, writing
    from db.errors import UserError
    from db.tokens import create as make
    from db.words import Scope

    if not name.isprintable() or not 0 < len(name) <= 200:
        raise UserError(f"{name!r} is no name", "use at most 200 printable characters")
    scopes = {Scope(one.value) for one in scope or [May.UPLOAD]}
    ends = _end(expires)
    engine = connect(database_url(db))  # made by whoever serves it: a token in a new one opens no server
    with writing(engine) as connection:
        text = make(connection, name, scopes, ends, actor=_actor())
    typer.echo(text)
    until = f"until {ends:%Y-%m-%d}" if ends else "without end"
    typer.echo(f"token {text.split('_')[1]} ({name}) may {' and '.join(sorted(scopes))}, {until}", err=True)
    typer.echo(f"it is stored in {named(engine)}: servers of other databases do not know it", err=True)


@app.command("list")
def show(db: DatabaseOption = "", as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False) -> None:
    """List tokens: who they are for, what they may do, until when, when they were last used. Never the secret.

    Example: kvmperf token list
    """
    from db.engine import connect, reading
    from db.tokens import listed

    now = datetime.now(UTC)
    with reading(connect(database_url(db))) as connection:
        tokens = listed(connection)
    for one in tokens:
        if as_json:
            typer.echo(json.dumps({**asdict(one), "state": one.state(now)}, default=_iso))
        else:
            used = f"{one.last_used_at:%Y-%m-%d}" if one.last_used_at else "never"
            until = f"until {one.expires_at:%Y-%m-%d}" if one.expires_at else "without end"
            may = f"{one.state(now):<8} {','.join(one.scopes):<20}"
            typer.echo(f"{one.prefix}  {may} {until:<16}  last used {used:<10}  {one.name}")
    if not tokens:
        typer.echo("no tokens yet: kvmperf token create NAME", err=True)


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="Its prefix, or its name.")], db: DatabaseOption = "") -> None:
    """Make a token worthless from now on.

    Example: kvmperf token revoke bench1
    """
    from db.engine import connect, writing
    from db.tokens import revoke as end

    with writing(connect(database_url(db))) as connection:
        token = end(connection, name, actor=_actor())
    typer.echo(f"token {token.prefix} ({token.name}) is revoked")


def _end(text: str) -> datetime | None:
    from db.errors import UserError

    if not text:
        return None
    now = datetime.now(UTC)
    try:
        day = now + timedelta(days=int(text[:-1])) if text.endswith("d") else datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise UserError(f"--expires {text!r}: neither days nor a date", "30d, or 2027-01-31") from error
    ends = day if day.tzinfo else day.replace(tzinfo=UTC)
    if ends <= now:
        raise UserError(f"--expires {text}: that is over, nobody could use the token", "30d, or 2027-01-31")
    return ends


def _actor() -> str:
    import getpass

    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def _iso(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
