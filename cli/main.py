"""The `kvmperf` command: names the subcommands and turns errors into one line and an exit code.

Every command imports what it needs inside its function: `--help` must not pay for a database.
"""

import errno
import sys
from importlib import import_module
from typing import Any

import typer

from db.errors import UserError

# what the extra `server` installs, as it is imported; psycopg, Dask and authlib are asked for where they are used
_SERVER = {"sqlalchemy", "alembic", "numpy", "scipy", "numba", "pandas", "plotly", "streamlit", "fastapi", "uvicorn"}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# name, module and function
COMMANDS: tuple[tuple[str, str], ...] = (
    ("parse", "cli.parse:parse"),
    ("upload", "cli.upload:upload"),
    ("facts", "cli.facts:facts"),
    ("compare", "cli.compare:compare"),
    ("trend", "cli.trend:trend"),
    ("detect", "cli.detect:detect"),
    ("noise", "cli.noise:noise"),
    ("plan", "cli.plan:plan"),
    ("selftest-stats", "cli.selftest_stats:selftest_stats"),
    ("demo", "cli.demo:demo"),
    ("dashboard", "cli.serve:dashboard"),
    ("serve", "cli.serve:serve"),
    ("reparse", "cli.reparse:reparse"),
)
GROUPS: tuple[tuple[str, str], ...] = (
    ("db", "cli.database:app"),
    ("series", "cli.series:app"),
    ("bisect", "cli.bisect:app"),
    ("collector", "cli.collect:app"),
    ("token", "cli.token:app"),
    ("alerts", "cli.alerts:app"),
    ("notify", "cli.notify:app"),
)


def application(only: str = "") -> typer.Typer:
    """The command line. Where one command of it is asked for by name, only that one's module is loaded."""
    found = typer.Typer(
        name="kvmperf",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # plain help: rich would double its time
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Performance regression database for KVM on x86: did this patch series make anything slower?",
        pretty_exceptions_enable=False,
    )
    found.callback()(_nothing)  # or a single command would have no name
    is_known = only in {name for name, _ in (*COMMANDS, *GROUPS)}
    for name, place in COMMANDS:
        if name == only or not is_known:
            found.command(name)(_loaded(place))
    for name, place in GROUPS:
        if name == only or not is_known:
            found.add_typer(_loaded(place), name=name)
    return found


def __getattr__(name: str) -> typer.Typer:
    """`app`, the whole command line: made when somebody asks for it."""
    if name != "app":
        raise AttributeError(name)
    whole = globals()["app"] = application()
    return whole


def main() -> None:
    """Run the command line; leave with the exit codes that the documentation promises."""
    try:
        application(*sys.argv[1:2])()
    except UserError as error:
        report(error)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _SERVER:
            raise
        report(_client_only(error.name))
        sys.exit(1)
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


def _client_only(name: str) -> UserError:
    hint = "pip install 'kvmperf[server]'"
    if sys.argv[1:2] == ["upload"]:
        hint += ", or send to a server: --server URL"
    return UserError(f"this command needs the server's packages: no {name} here", hint)


def _nothing() -> None:
    """No option stands before the command."""


def _loaded(place: str) -> Any:  # Any: a command's function, or a group
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
