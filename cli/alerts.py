"""`kvmperf alerts`: the alerts that are open, and what people say about them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DatabaseOption, database_url

if TYPE_CHECKING:
    from datetime import datetime


app = typer.Typer(no_args_is_help=True, help="Alerts: what changed by itself, who looks at it, what became of it.")

AlertArgument = Annotated[int, typer.Argument(metavar="ALERT", help="Its number.")]
WhoOption = Annotated[str, typer.Option("--as", metavar="NAME", help="Who says so; default: you.", show_default=False)]
WordsArgument = Annotated[str, typer.Argument(metavar="[WORDS]", help="Why, in a few words.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON lines.")]


@app.command("list")
def show_all(
    db: DatabaseOption = "",
    *,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones and thin evidence too.")] = False,
    kind: Annotated[list[str] | None, typer.Option(help="Only these kinds (repeatable).")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Only these triage states (repeatable).")] = None,
    owner: Annotated[str, typer.Option(help="Only those of this owner.")] = "",
    benchmark: Annotated[str, typer.Option(help="Only these benchmarks (glob).")] = "",
    host: Annotated[str, typer.Option(help="Only these hosts (glob).")] = "",
    as_json: JsonOption = False,
) -> None:
    """List open alerts, newest first.

    Example: kvmperf alerts list --host 'bm*' --state new
    """
    import json
    from datetime import UTC, datetime

    from alerts import report
    from db.alert_queries import GroupFilters, groups
    from db.engine import connect, reading

    _known(kind, state)
    filters = GroupFilters(
        None if everything else True, tuple(kind or ()), tuple(state or ()), owner, benchmark, host, thin=everything
    )
    now = datetime.now(UTC)
    with reading(connect(database_url(db))) as connection:
        found = groups(connection, filters)
    for one in found:
        typer.echo(json.dumps(report.as_json(one, now)) if as_json else report.as_line(one, now))
    if not found:
        typer.echo("no such alerts; `kvmperf detect` looks for changes, --all shows closed ones", err=True)


@app.command()
def show(alert: AlertArgument, db: DatabaseOption = "", *, as_json: JsonOption = False) -> None:
    """Print one alert: why it was raised, what moved, who did what.

    Example: kvmperf alerts show 7
    """
    import json
    from datetime import UTC, datetime

    from alerts import report
    from alerts.triage import find
    from db.alert_queries import events
    from db.engine import connect, reading

    now = datetime.now(UTC)
    with reading(connect(database_url(db))) as connection:
        group, history = find(connection, alert), events(connection, alert)
    typer.echo(json.dumps(report.as_json(group, now)) if as_json else report.as_text(group, history, now).rstrip("\n"))


@app.command()
def ack(alert: AlertArgument, words: WordsArgument = "", db: DatabaseOption = "", who: WhoOption = "") -> None:
    """Say that you have seen it and look after it.

    Example: kvmperf alerts ack 7
    """
    _do(db, alert, "acknowledge", who, words)


@app.command()
def expect(alert: AlertArgument, words: WordsArgument = "", db: DatabaseOption = "", who: WhoOption = "") -> None:
    """Close it: the change is real and wanted.

    Example: kvmperf alerts expect 7 "the price of the new mitigation"
    """
    _do(db, alert, "expect", who, words)


@app.command()
def fix(alert: AlertArgument, words: WordsArgument = "", db: DatabaseOption = "", who: WhoOption = "") -> None:
    """Close it: a fix is on its way or in.

    Example: kvmperf alerts fix 7 "reverted by 4f3a9c1"
    """
    _do(db, alert, "fix", who, words)


@app.command()
def invalid(alert: AlertArgument, words: WordsArgument = "", db: DatabaseOption = "", who: WhoOption = "") -> None:
    """Close it: nothing of the code changed.

    Example: kvmperf alerts invalid 7 "the disk was full"
    """
    _do(db, alert, "invalidate", who, words)


@app.command()
def reopen(alert: AlertArgument, words: WordsArgument = "", db: DatabaseOption = "", who: WhoOption = "") -> None:
    """Open it again.

    Example: kvmperf alerts reopen 7
    """
    _do(db, alert, "reopen", who, words)


@app.command()
def mute(
    alert: AlertArgument,
    until: Annotated[str, typer.Option(help="A date, or days and weeks from now: 2027-01-31, 10d, 2w.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    db: DatabaseOption = "",
    who: WhoOption = "",
) -> None:
    """Keep it open and silent until a day.

    Example: kvmperf alerts mute 7 --until 2w --reason "the host is being moved"
    """
    _do(db, alert, "mute", who, reason, _until(until))


@app.command()
def unmute(alert: AlertArgument, db: DatabaseOption = "", who: WhoOption = "") -> None:
    """Let it speak again.

    Example: kvmperf alerts unmute 7
    """
    _do(db, alert, "unmute", who)


@app.command()
def owner(
    alert: AlertArgument,
    name: Annotated[str, typer.Argument(help="Who looks after it; empty: nobody.")],
    db: DatabaseOption = "",
    who: WhoOption = "",
) -> None:
    """Give it to someone.

    Example: kvmperf alerts owner 7 sean
    """
    _do(db, alert, "assign", who, name)


@app.command()
def note(
    alert: AlertArgument,
    text: Annotated[str, typer.Argument(help="What to remember.")],
    db: DatabaseOption = "",
    who: WhoOption = "",
) -> None:
    """Write a note on it, in place of the one before.

    Example: kvmperf alerts note 7 "bisecting on bm3"
    """
    _do(db, alert, "note", who, text)


@app.command()
def link(
    alert: AlertArgument,
    url: Annotated[str, typer.Argument(help="A thread, a bug, a commit.")],
    db: DatabaseOption = "",
    who: WhoOption = "",
) -> None:
    """Link it to where it is talked about.

    Example: kvmperf alerts link 7 https://lore.kernel.org/r/20261031.1@example.org
    """
    _do(db, alert, "link", who, url)


@app.command()
def undo(alert: AlertArgument, db: DatabaseOption = "", who: WhoOption = "") -> None:
    """Take back the last thing that someone did to it; again: the one before.

    Example: kvmperf alerts undo 7
    """
    _do(db, alert, "undo", who)


@app.command("why")
def explain(
    series: Annotated[int, typer.Argument(metavar="SERIES", help="Number of a time series (alerts show --json).")],
    db: DatabaseOption = "",
    rules: Annotated[Path | None, typer.Option("--rules", envvar="KVMPERF_RULES", help="Rules in force.")] = None,
) -> None:
    """Say in one sentence why a time series is part of an alert, or why it is not.

    Example: kvmperf alerts why 12
    """
    from datetime import UTC, datetime

    from alerts.report import why_series
    from alerts.rules import Rules, read
    from db.engine import connect, reading

    with reading(connect(database_url(db))) as connection:
        typer.echo(why_series(connection, series, read(rules) if rules else Rules(), datetime.now(UTC)))


@app.command("dry-run")
def dry_run(rules: Annotated[Path, typer.Argument(help="Rules (TOML).")], db: DatabaseOption = "") -> None:
    """Print what these rules would have alerted on over the stored history. Nothing is changed.

    Judges what `kvmperf detect` has judged already.

    Example: kvmperf alerts dry-run rules.toml
    """
    from datetime import UTC, datetime

    from alerts.rehearsal import as_line, rehearse
    from alerts.rules import read
    from db.engine import connect, reading
    from db.queries import revisions
    from report.words import counted

    told = read(rules)
    with reading(connect(database_url(db))) as connection:
        found = rehearse(connection, told, datetime.now(UTC))
        names = {one.id: one.name for one in revisions(connection)}
    for one in found:
        typer.echo(as_line(one, names))
    typer.echo(f"{counted(len(found), 'alert')} over the stored history", err=True)


def _do(db: str, alert: int, action: str, who: str, words: str = "", until: "datetime | None" = None) -> None:
    """One act, and the alert as it is then."""
    from datetime import UTC, datetime

    from alerts.report import as_line
    from alerts.triage import Action, Said, triage
    from db.engine import connect, writing

    now = datetime.now(UTC)
    said: Said = Said(words, until)
    act: Action = Action(action)
    with writing(connect(database_url(db))) as connection:
        group = triage(connection, alert, act, who or _actor(), said, at=now)
    typer.echo(as_line(group, now))


def _until(text: str) -> "datetime":
    from datetime import UTC, datetime, timedelta

    days = {"d": 1, "w": 7}.get(text[-1:], 0)
    try:
        if days:
            return datetime.now(UTC) + timedelta(days=int(text[:-1]) * days)
        day = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        said = f"{text!r} is neither a date nor a number of days or weeks (10d, 2w)"
        raise typer.BadParameter(said, param_hint="--until") from error
    return day if day.tzinfo else day.replace(tzinfo=UTC)


def _known(kinds: list[str] | None, states: list[str] | None) -> None:
    from db.words import AlertKind, Triage

    for given, words, option in ((kinds, AlertKind, "--kind"), (states, Triage, "--state")):
        for one in given or ():
            if one not in tuple(words):
                listed = ", ".join(words)
                raise typer.BadParameter(f"{one!r} is none of {listed}", param_hint=option)


def _actor() -> str:
    import getpass

    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"
