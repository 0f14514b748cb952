"""`kvmperf detect`: where did a series change, and what of it is an alert?"""

from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DatabaseOption, database_url, refuse_with_csv, write_text

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from alerts.spread import Detector
    from alerts.sweep import Swept

_REGRESSION_FOUND = 4

RulesOption = Annotated[
    Path | None,
    typer.Option("--rules", envvar="KVMPERF_RULES", metavar="FILE", help="Rules of alerting.", show_default=False),
]


class FailOn(StrEnum):
    """What makes the command exit with 4."""

    REGRESSION = "regression"


def detect(
    *,
    db: DatabaseOption = "",
    csv: Annotated[
        Path | None, typer.Option(help="Series in a file: columns series,x,value and rep.", show_default=False)
    ] = None,
    rules: RulesOption = None,
    since: Annotated[
        str, typer.Option(metavar="DATE", help="Older changes are history and alert nobody.", show_default=False)
    ] = "",
    fail_on: Annotated[
        FailOn | None, typer.Option(help="Exit with 4 while one is open and untriaged.", show_default=False)
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write open alerts as JUnit XML.", show_default=False)
    ] = None,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Judge on the workers of a Dask scheduler.", show_default=False)
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines: one object an open alert, or a series.")] = False,
) -> None:
    """Find the changes of all stored series, or of a CSV file; new changes become alerts.

    Looks at what came in since the last time, so run it after uploads or from a timer. Changes are steps that last,
    told from bursts, modes and drift; of a CSV file several rows of one x are repetitions, of which the median counts.

    Example: kvmperf detect --rules rules.toml --fail-on regression --junit alerts.xml
    """
    if csv is not None:
        asked = {"--rules": rules, "--since": since, "--scheduler": scheduler, "--fail-on": fail_on, "--junit": junit}
        refuse_with_csv({"--db": db, **asked}, "a file says neither which way is worse nor what is known already")
        _detect_csv(csv, as_json=as_json)
        return
    import json
    from datetime import UTC, datetime

    from alerts import report
    from alerts.rules import Rules, read
    from alerts.sweep import sweep
    from db.alert_queries import groups
    from db.engine import connect, reading

    now = datetime.now(UTC)
    engine = connect(database_url(db))
    told = read(rules) if rules else Rules()
    with _detector(scheduler) as many:
        done = sweep(engine, told, now=now, since=_day(since), many=many)
    with reading(engine) as connection:
        found = groups(connection)
    if junit is not None:
        write_text(junit, report.as_junit(found, now))
    for one in found:
        typer.echo(json.dumps(report.as_json(one, now)) if as_json else report.as_line(one, now))
    typer.echo(f"{_happened(done)}, {len(found)} open", err=True)
    if fail_on and report.gated(found, now):
        raise typer.Exit(_REGRESSION_FOUND)


def _detector(scheduler: str) -> "AbstractContextManager[Detector]":
    from alerts.spread import on_scheduler
    from stats.changepoints import detect_many

    return on_scheduler(scheduler) if scheduler else nullcontext(detect_many)


def after_upload(url: str) -> None:
    """Judge what an upload brought; the rules are those of KVMPERF_RULES."""
    import os

    from alerts.rules import Rules, read
    from alerts.sweep import sweep
    from db.engine import connect

    rules = os.environ.get("KVMPERF_RULES", "")
    typer.echo(_happened(sweep(connect(url), read(Path(rules)) if rules else Rules())), err=True)


def _happened(done: "Swept") -> str:
    changed = len({number for number, _ in done.happened})
    return f"judged {done.judged} time series: {changed} alert{'s' * (changed != 1)} changed"


def _detect_csv(path: Path, *, as_json: bool) -> None:
    import json

    from report.series_csv import as_json as fields
    from report.series_csv import as_text, detect_csv

    answers = detect_csv(path)
    if as_json:
        typer.echo("".join(json.dumps(fields(*one), allow_nan=False) + "\n" for one in answers), nl=False)
    else:
        typer.echo(as_text(answers), nl=False)


def _day(text: str) -> "datetime | None":
    from datetime import UTC, datetime

    if not text:
        return None
    try:
        day = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no date such as 2026-10-31", param_hint="--since") from error
    return day if day.tzinfo else day.replace(tzinfo=UTC)
