"""`kvmperf compare`: is head slower than base?"""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DatabaseOption, database_url, fraction, refuse_with_csv

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from report.comparison import Report
    from stats.policy import Policy

_REGRESSION_FOUND = 4


class Layout(StrEnum):
    """How a comparison is printed."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    HTML = "html"
    MAIL = "mail"
    TESTED_BY = "tested-by"


class ReplicationUnit(StrEnum):
    """What is taken as independent."""

    BOOT = "boot"
    RUN = "run"


class FailOn(StrEnum):
    """What makes the command exit with 4."""

    REGRESSION = "regression"


def compare(
    revisions: Annotated[list[str] | None, typer.Argument(metavar="BASE HEAD...", show_default=False)] = None,
    *,
    db: DatabaseOption = "",
    csv: Annotated[Path | None, typer.Option(help="Two-sample data in a file.", show_default=False)] = None,
    benchmark: Annotated[str, typer.Option(help="Only these benchmarks (glob).")] = "",
    metric: Annotated[str, typer.Option(help="Only these metrics (glob).")] = "",
    host: Annotated[str, typer.Option(help="Only these hosts (glob).")] = "",
    boot: Annotated[str, typer.Option(help="Only these boots (glob).")] = "",
    vary: Annotated[
        list[str] | None,
        typer.Option(help="Host-state field under comparison itself, for example kvm.eager_page_split (repeatable)."),
    ] = None,
    unit: Annotated[
        ReplicationUnit, typer.Option(help="Replication; `run`: your word that runs are independent.")
    ] = ReplicationUnit.BOOT,
    margin: Annotated[str, typer.Option(help="Changes smaller than this do not matter.")] = "2%",
    layout: Annotated[
        Layout | None,
        typer.Option("--format", help="How to print. Default: text; of a --csv, json.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Same as --format json: one object a line.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Text: print all rows, not only changes.")] = False,
    scaling: Annotated[str, typer.Option(metavar="PARAM", help="Text: a table over this parameter (vcpus).")] = "",
    tester: Annotated[str, typer.Option(metavar="'NAME <MAIL>'", help="Who tested, for mail and tested-by.")] = "",
    fail_on: Annotated[FailOn | None, typer.Option(help="Exit with 4 when one was found.", show_default=False)] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the verdicts as JUnit XML too.", show_default=False)
    ] = None,
) -> None:
    """Compare revisions: a verdict per metric, with effect, interval and reason.

    A revision is a label, a commit or its prefix, a kernel release, or SERIES@v3, SERIES@v3/4 (after patch 4),
    SERIES@v3~base. Whole versions of one series (SERIES@v1 SERIES@v2) are compared each with its own base and with
    the version before. `--format mail` writes the report of the largest regression.

    Example: kvmperf compare v6.12 mmu-lockless@v2 --benchmark 'dirty_log*'
    """
    from stats.policy import Policy, Verdict

    policy = Policy(margin=fraction(margin), unit=unit.value)
    layout = Layout.JSON if as_json else layout
    if csv is not None:
        asked: dict[str, object] = {"BASE HEAD...": revisions, "--db": db, "--benchmark": benchmark, "--metric": metric}
        asked |= {"--host": host, "--boot": boot, "--vary": vary, "--format": layout not in (None, Layout.JSON)}
        asked |= {"--all": everything, "--scaling": scaling, "--tester": tester, "--junit": junit}
        refuse_with_csv(asked, "the file is compared whole, and printed as JSON lines")
        _compare_csv(csv, policy, fail_on)
        return
    from db.engine import connect, reading
    from db.queries import Filters
    from report.comparison import Request, build
    from report.known import check_fields, check_host

    if not revisions or len(revisions) < 2:
        raise typer.BadParameter("name a base and at least one head: kvmperf compare BASE HEAD")
    layout = layout or Layout.TEXT
    if layout is Layout.TESTED_BY and not tester:
        raise typer.BadParameter("who tested? --tester 'Name <mail>'", param_hint="--tester")
    filters = Filters(benchmark=benchmark, metric=metric, host=host, boot=boot)
    request = Request(revisions[0], tuple(revisions[1:]), filters, tuple(vary or ()), policy)
    with reading(connect(database_url(db))) as connection:
        check_host(connection, host)
        check_fields(connection, request.vary)
        report = build(connection, request)
        if junit is not None:
            _write_junit(junit, report)
        if layout in (Layout.MAIL, Layout.TESTED_BY):
            _write_letter(connection, report, layout, tester, is_gate=fail_on is not None)
        elif scaling:
            typer.echo(_scaling(report, scaling), nl=False)
        else:
            typer.echo(_printed(report, layout, everything=everything), nl=False)
    if fail_on and report.count(Verdict.REGRESSION):
        raise typer.Exit(_REGRESSION_FOUND)


def _printed(report: "Report", layout: Layout, *, everything: bool) -> str:
    from report import markup, text

    if layout is Layout.TEXT:
        return text.render(report, everything=everything)
    writers = {
        Layout.MARKDOWN: markup.to_markdown,
        Layout.CSV: markup.to_csv,
        Layout.JSON: markup.to_json,
        Layout.HTML: markup.to_html,
    }
    return writers[layout](report)


def _write_junit(path: Path, report: "Report") -> None:
    from cli.options import write_text
    from report.junit import of_comparison

    write_text(path, of_comparison(report))


def _write_letter(connection: "Connection", report: "Report", layout: Layout, tester: str, *, is_gate: bool) -> None:
    """Print what is pasted into a mail. That there is nothing to paste is an error, but not what a gate asks for."""
    from cli.main import report as say
    from db.errors import UserError

    try:
        text = _mail(connection, report, tester) if layout is Layout.MAIL else _tested_by(report, tester)
    except UserError as error:
        if not is_gate:
            raise
        say(error)
    else:
        typer.echo(text, nl=False)


def _mail(connection: "Connection", report: "Report", tester: str) -> str:
    from report.regression import regression
    from report.regression_mail import render

    found = regression(connection, report)
    return render(found, reporter=tester) if tester else render(found)


def _tested_by(report: "Report", tester: str) -> str:
    from report.tested_by import render

    return render(report, tester)


def _scaling(report: "Report", parameter: str) -> str:
    from report.scaling_text import render

    return render(report, parameter)


def _compare_csv(path: Path, policy: "Policy", fail_on: FailOn | None) -> None:
    import json

    from report.samples_csv import compare_csv

    rows = compare_csv(path, policy)
    for row in rows:
        typer.echo(json.dumps(row, allow_nan=False))
    if fail_on and any(row["verdict"] == "regression" for row in rows):
        raise typer.Exit(_REGRESSION_FOUND)
