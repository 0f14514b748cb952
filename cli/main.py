"""The `kvmperf` command: names the subcommands and turns errors into one line and an exit code.

Every command imports what it needs inside its function: `--help` must not pay for a database.
"""

import errno
import sys
from collections.abc import Callable

import typer

from cli import (
    alerts,
    bisect,
    collect,
    compare,
    database,
    demo,
    detect,
    facts,
    noise,
    notify,
    parse,
    plan,
    reparse,
    selftest_stats,
    series,
    serve,
    token,
    trend,
    upload,
)
from db.errors import UserError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

app = typer.Typer(
    name="kvmperf",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: rich would double its time
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Performance regression database for KVM on x86: did this patch series make anything slower?",
    pretty_exceptions_enable=False,
)

COMMANDS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("parse", parse.parse),
    ("upload", upload.upload),
    ("facts", facts.facts),
    ("compare", compare.compare),
    ("trend", trend.trend),
    ("detect", detect.detect),
    ("noise", noise.noise),
    ("plan", plan.plan),
    ("selftest-stats", selftest_stats.selftest_stats),
    ("demo", demo.demo),
    ("dashboard", serve.dashboard),
    ("serve", serve.serve),
    ("reparse", reparse.reparse),
)

for _name, _function in COMMANDS:
    app.command(_name)(_function)
app.add_typer(database.app, name="db")
app.add_typer(series.app, name="series")
app.add_typer(bisect.app, name="bisect")
app.add_typer(collect.app, name="collector")
app.add_typer(token.app, name="token")
app.add_typer(alerts.app, name="alerts")
app.add_typer(notify.app, name="notify")


def main() -> None:
    """Run the command line; leave with the exit codes that the documentation promises."""
    try:
        app()
    except UserError as error:
        report(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `kvmperf … | head`: the reader has seen enough
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        report(UserError(f"{error.filename or 'the disk'}: {error.strerror}", "make room, then do it again"))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("kvmperf: interrupted\n")
        sys.exit(130)


def report(error: UserError) -> None:
    """Print an error for people: one line, and a hint where there is one."""
    sys.stderr.write(f"kvmperf: {error}\n")
    if error.hint:
        sys.stderr.write(f"  hint: {error.hint}\n")
