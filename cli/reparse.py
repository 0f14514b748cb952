"""`kvmperf reparse`: read stored outputs anew with today's parsers."""

import json
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DatabaseOption, database_url
from db.errors import UserError

if TYPE_CHECKING:
    from ingest.reparse import Change

_SHOWN = 8  # differences of one output


def reparse(
    *,
    db: DatabaseOption = "",
    since: Annotated[str, typer.Option(metavar="DATE", help="Only what was uploaded since.")] = "",
    form: Annotated[str, typer.Option("--format", metavar="F", help="Only runs of this format, and quarantine.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also what today's parsers have read already.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, store nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Derive runs and values again from the stored outputs, also of those in quarantine, and show what changed.

    Outputs that today's parsers have seen are passed over, so that it can be interrupted and started again. Runs keep
    their ids. What cannot be read any more keeps the runs that it has.

    Example: kvmperf reparse --dry-run --format dirty_log_perf_test
    """
    from db.captures import Pending
    from db.engine import connect
    from ingest.captures import PARSERS
    from ingest.parsers import FORMATS
    from ingest.reparse import reparse as again

    if form and form not in {row.name for row in FORMATS}:
        raise UserError(f"--format {form}: no such format", "known: " + ", ".join(row.name for row in FORMATS))
    wanted = Pending("" if everything else PARSERS, _instant(since), form)
    found: Counter[str] = Counter()
    for change in again(connect(database_url(db)), wanted, dry_run=dry_run, actor="cli"):
        found[change.what] += 1
        if change.what != "unchanged":
            typer.echo(json.dumps(asdict(change)) if as_json else _lines(change))
    counts = ", ".join(f"{found[what]} {what}" for what in ("changed", "readable", "unreadable", "unchanged"))
    typer.echo(f"{counts}{'; nothing was stored (--dry-run)' if dry_run else ''}", err=True)


def _lines(change: "Change") -> str:
    kept = " (its runs were kept)" if change.what == "unreadable" else ""
    lines = [f"{change.what:<10} {change.source} (capture {change.capture_id}){kept}"]
    lines += (f"  {detail}" for detail in change.details[:_SHOWN])
    if len(change.details) > _SHOWN:
        lines.append(f"  and {len(change.details) - _SHOWN} more")
    return "\n".join(lines)


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UserError(f"--since {text!r}: no date", "2026-11-01, or 2026-11-01T12:00:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
