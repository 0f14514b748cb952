"""`kvmperf notify`: sends what alerts have to tell, and shows what did not arrive."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DatabaseOption, database_url

if TYPE_CHECKING:
    from alerts.notices.settings import Settings

app = typer.Typer(help="Send what alerts have to tell: mails, webhooks, files.")


class Period(StrEnum):
    """Digests."""

    DAILY = "daily"
    WEEKLY = "weekly"


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="KVMPERF_NOTIFY", metavar="FILE", help="Where notices go (TOML).", show_default=False
    ),
]


@app.callback(invoke_without_command=True)
def notify(
    context: typer.Context,
    *,
    db: DatabaseOption = "",
    config: ConfigOption = None,
    loop: Annotated[bool, typer.Option("--loop/--once", help="Go on until Ctrl-C, or send what is due.")] = False,
    every: Annotated[float, typer.Option(metavar="S", help="Seconds between two rounds of --loop.", min=1)] = 60,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be sent; change nothing.")] = False,
    digest: Annotated[Period | None, typer.Option(help="Make this digest now, not at midnight UTC.")] = None,
) -> None:
    """Send what alerts have to tell. Nothing leaves this host without a file that says where to.

    Example: kvmperf notify --config notify.toml --dry-run
    """
    context.ensure_object(dict).update(db=db, config=config)
    if context.invoked_subcommand:
        return
    from alerts.notices.service import rehearse, run
    from db.engine import connect
    from ingest.client import quiet_retries

    quiet_retries()
    settings = _settings(config)
    engine = connect(database_url(db))
    period = digest.value if digest else ""
    if dry_run:
        typer.echo(rehearse(engine, settings, period), nl=False)
        return
    run(engine, settings, period, every_s=every if loop else None, say=lambda line: typer.echo(line, err=True))


@app.command()
def outbox(
    context: typer.Context,
    *,
    db: DatabaseOption = "",
    retry: Annotated[list[str] | None, typer.Option(metavar="ID|all", help="Send this again (repeatable).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """List messages that have not arrived: dead letters first, then those that wait. `--retry` makes them due now.

    Example: kvmperf notify outbox --retry all
    """
    from alerts.notices.service import as_rows, as_text, revive
    from db.engine import connect

    engine = connect(database_url(db or (context.obj or {}).get("db", "")))
    if retry:
        typer.echo(f"{revive(engine, retry)} due now; kvmperf notify sends them")
    elif as_json:
        typer.echo("".join(as_rows(engine)), nl=False)
    else:
        typer.echo(as_text(engine), nl=False)


@app.command("try")
def attempt(
    context: typer.Context,
    sink: Annotated[str, typer.Argument(help="Its name in the file.")],
    *,
    config: ConfigOption = None,
) -> None:
    """Send one made-up notice to a sink at once, past the outbox: does it arrive?

    Example: kvmperf notify try kvm-list --config notify.toml
    """
    from alerts.notices.service import attempt as send
    from ingest.client import quiet_retries

    quiet_retries()
    typer.echo(send(_settings(config or (context.obj or {}).get("config")), sink))


def _settings(config: Path | None) -> "Settings":
    import os

    from alerts.notices.settings import load
    from db.errors import UserError

    if config is None:
        raise UserError(
            "nobody is to be told: no settings", "--config notify.toml, or KVMPERF_NOTIFY; docs/notifications.md"
        )
    settings = load(config, os.environ)
    if not settings.sinks:
        raise UserError(f"{config}: no [[sink]] in it, so nobody is to be told", "docs/notifications.md has examples")
    return settings
