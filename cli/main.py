"""The `kvmperf` command: names the subcommands and turns errors into one line and an exit code.

Every command imports what it needs inside its function: `--help` must not pay for a database.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

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


class _PipeClosedError(Exception):
    """Whoever read our output has seen enough."""


class _InterruptedError(Exception):
    """Ctrl-C."""


class _Commands(TyperGroup):
    """The commands. Typer would end without a word on Ctrl-C, and with 1 where a pipe is closed: both are ours."""

    def make_context(self, *words: Any, **more: Any) -> Any:  # Any: typer's own
        """Read the options, or print help."""
        with _told_apart():
            return super().make_context(*words, **more)

    def invoke(self, ctx: Any) -> Any:  # Any: typer's own
        """Run a command."""
        with _told_apart():
            return super().invoke(ctx)


@contextmanager
def _told_apart() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _PipeClosedError from error
    except KeyboardInterrupt as error:
        raise _InterruptedError from error


def application(only: str = "") -> typer.Typer:
    """The command line. Where one command of it is asked for by name, only that one's module is loaded."""
    found = typer.Typer(
        name="kvmperf",
        cls=_Commands,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # plain help: rich would double its time
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Performance regression database for KVM on x86: did this patch series make anything slower?",
        pretty_exceptions_enable=False,
    )
    found.callback()(_options)  # or a single command would have no name
    is_known = only in {"--version", *(name for name, _ in (*COMMANDS, *GROUPS))}
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
        _run()
    except UserError as error:
        report(error)
        sys.exit(error.exit_code)
    except (_PipeClosedError, BrokenPipeError):  # `kvmperf … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python would complain at its end
        sys.exit(0)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        report(UserError(f"{error.filename or 'the disk'}: {error.strerror}", "make room, then do it again"))
        sys.exit(1)
    except (_InterruptedError, KeyboardInterrupt):
        sys.stderr.write("kvmperf: interrupted\n")
        sys.exit(130)


def _run() -> None:
    try:
        application(*sys.argv[1:2])()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _SERVER:
            raise
        raise _client_only(error.name) from error
    finally:
        if sys.stdout is not None:  # closed: `>&-`
            sys.stdout.flush()


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


def _say_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"kvmperf {version('kvmperf')}")
        raise typer.Exit


def _options(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """What stands before the command."""


def _loaded(place: str) -> Any:  # Any: a command's function, or a group
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
