"""`kvmperf series`: posted patch series, what was measured of them, and which patch did it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DatabaseOption, database_url, fraction

if TYPE_CHECKING:
    from db.posted import PostedVersion

app = typer.Typer(
    no_args_is_help=True,
    help="Patch series: register what was posted, list it, show which patch did it.",
    rich_markup_mode=None,
)

LoreOption = Annotated[
    str, typer.Option("--lore", envvar="KVMPERF_LORE", metavar="URL", help="Where a Message-Id makes a link.")
]
LORE = "https://lore.kernel.org/r/"


@app.command()
def add(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH...", help="mbox, mail or folder of patches.", show_default=False),
    ] = None,
    *,
    db: DatabaseOption = "",
    name: Annotated[str, typer.Option("--name", "--series", help="Name of the series (default: its change-id).")] = "",
    version: Annotated[int | None, typer.Option(help="Its version, against the subjects.", min=1)] = None,
    patches: Annotated[int | None, typer.Option(help="How many patches, without mails.", min=1, max=9999)] = None,
    subject: Annotated[str, typer.Option(help="Subject, without mails.")] = "",
    base_commit: Annotated[str, typer.Option(help="Commit that the series applies to.")] = "",
    change_id: Annotated[str, typer.Option(help="Change-id as b4 writes it.")] = "",
    message_id: Annotated[str, typer.Option(help="Message-Id of the cover letter.")] = "",
    commits: Annotated[str, typer.Option("--range", metavar="BASE..TIP", help="Commits in a git tree.")] = "",
    repository: Annotated[Path, typer.Option("--repo", help="The git tree of --range.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="One object a version.")] = False,
) -> None:
    """Register versions of a patch series from mails, from a git range, or by hand.

    The same version again adds what was not known. Uploads that came first become its own.

    Example: kvmperf series add v3.mbox
    """
    from db.engine import connect, writing
    from db.series import register
    from ingest.context import series_name
    from ingest.posting import Said, posted
    from report.words import counted

    said = Said(version, patches, subject, base_commit, change_id, message_id)
    found = posted(paths or [], said, commits=commits, repository=repository)
    with writing(connect(database_url(db), create=True)) as connection:
        done = [register(connection, one, name=series_name(name, "--name")) for one in found]
    for one, mails in zip(done, found, strict=True):
        _say_warnings(mails)
        shown = {"series": one.series, "version": one.version, "patches": one.patches, "adopted": one.adopted}
        adopted = (
            f", {counted(one.adopted, 'measured state')} belong{'s' * (one.adopted == 1)} to it" if one.adopted else ""
        )
        word = "registered" if one.is_new else "known"
        told = f"{word}  {one.series} v{one.version}: {counted(one.patches, 'patch')}{adopted}"
        typer.echo(json.dumps(shown | {"is_new": one.is_new}) if as_json else told)


def _say_warnings(version: "PostedVersion") -> None:
    for warning in version.warnings:
        typer.echo(f"v{version.version}: {warning}", err=True)


@app.command("list")
def list_(
    *,
    db: DatabaseOption = "",
    lore: LoreOption = LORE,
    as_json: Annotated[bool, typer.Option("--json", help="One object a series.")] = False,
) -> None:
    """List the patch series, their versions and links.

    Example: kvmperf series list
    """
    from db.engine import connect, reading
    from db.series import known_series
    from report.series_text import listed

    with reading(connect(database_url(db))) as connection:
        known = known_series(connection)
    for series in known if as_json else ():
        versions = [version.version for version in series.versions]
        links = {str(v.version): lore + v.message_id for v in series.versions if v.message_id}
        shown = {"series": series.name, "versions": versions, "change_id": series.change_id}
        typer.echo(json.dumps(shown | {"subject": series.subject, "links": links}))
    if not as_json:
        typer.echo(listed(known, lore), nl=False)
        if not known:
            typer.echo("no patch series yet: `kvmperf series add v1.mbox` registers one", err=True)


@app.command()
def show(
    series: Annotated[str, typer.Argument(metavar="SERIES", help="Name, change-id, or Message-Id of a cover.")],
    *,
    db: DatabaseOption = "",
    version: Annotated[int | None, typer.Option(help="Only this version.", min=1, show_default=False)] = None,
    benchmark: Annotated[str, typer.Option(help="Only these benchmarks (glob).")] = "",
    metric: Annotated[str, typer.Option(help="Only these metrics (glob).")] = "",
    host: Annotated[str, typer.Option(help="Only these hosts (glob).")] = "",
    boot: Annotated[str, typer.Option(help="Only these boots (glob).")] = "",
    vary: Annotated[
        list[str] | None, typer.Option(help="Host-state field that may differ between states (repeatable).")
    ] = None,
    margin: Annotated[str, typer.Option(help="Changes smaller than this do not matter.")] = "2%",
    everything: Annotated[bool, typer.Option("--all", help="Text: metrics that no patch changed, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object a version, test case and metric.")] = False,
) -> None:
    """Show what was measured of a series, and which patch changed what.

    Example: kvmperf series show mmu-lockless --metric 'clear_dirty_log_time*'
    """
    from db.engine import connect, reading
    from db.errors import UserError
    from db.queries import Filters
    from report import series_markup, series_text
    from report.known import check_fields, check_host
    from report.series import SeriesRequest, build
    from stats.policy import Policy

    filters = Filters(benchmark=benchmark, metric=metric, host=host, boot=boot)
    request = SeriesRequest(series, version or 0, filters, tuple(vary or ()), Policy(margin=fraction(margin)))
    with reading(connect(database_url(db))) as connection:
        check_host(connection, host)
        check_fields(connection, request.vary)
        report = build(connection, request)
    if filters != Filters() and not any(one.places for one in report.versions):
        raise UserError(
            f"no measurements of {series} pass the filters", "loosen --benchmark, --metric, --host or --boot"
        )
    printed = series_markup.to_json(report) if as_json else series_text.render(report, everything=everything)
    typer.echo(printed, nl=False)
