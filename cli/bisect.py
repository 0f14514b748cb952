"""`kvmperf bisect`: which commit changed a metric, under noise."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from cli.options import DatabaseOption, database_url
from db.errors import UserError

if TYPE_CHECKING:
    from cli.bisect_session import Journal, Session
    from report.bisect import Search

_TROUBLE = 128  # `git bisect run` stops from here on; smaller statuses would count as an answer
_USAGE = 2
_FOR_PEOPLE = ("start", "resume", "log")


class _Bisect(TyperGroup):
    """Wrong usage of `step`, or of what could be meant for it, is trouble too: git would take 2 for "bad"."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> Any:  # Any: typer's
        with _usage_as_trouble(list(args)):
            return super().make_context(info_name, args, *rest, **more)

    def invoke(self, ctx: Any) -> Any:  # Any: a context of typer's own click, whatever a command returns
        with _usage_as_trouble([*ctx._protected_args, *ctx.args]):  # noqa: SLF001 (the words behind the group)
            return super().invoke(ctx)


@contextmanager
def _usage_as_trouble(words: list[str]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if getattr(error, "exit_code", None) == _USAGE and not any(word in _FOR_PEOPLE for word in words[:1]):
            error.exit_code = _TROUBLE + _USAGE  # type: ignore[attr-defined]
        raise


app = typer.Typer(
    cls=_Bisect,
    no_args_is_help=True,
    help="Bisection under noise: repeats until one commit holds 95 %, alone or under `git bisect run`.",
    rich_markup_mode=None,
)

RepositoryOption = Annotated[Path, typer.Option("--repo", help="The git tree.")]


@app.command()
def start(
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND...", help="Builds and measures what is checked out.")
    ],
    *,
    good: Annotated[str, typer.Option(help="A commit before the change.")],
    bad: Annotated[str, typer.Option(help="A commit after it.")],
    metric: Annotated[str, typer.Option(help="The metric (glob); one must be left.")],
    benchmark: Annotated[str, typer.Option(help="Its benchmark (glob).")] = "",
    param: Annotated[list[str] | None, typer.Option(metavar="K=V", help="Of its test case (repeatable).")] = None,
    repository: RepositoryOption = Path(),
    db: DatabaseOption = "",
    host: Annotated[str, typer.Option(help="Name of the host (default: this machine's).")] = "",
    host_facts: Annotated[Path | None, typer.Option(help="As for `upload`.", show_default=False)] = None,
    boot_id: Annotated[str, typer.Option(help="As for `upload`.")] = "",
    vary: Annotated[list[str] | None, typer.Option(help="Host-state field that may change (repeatable).")] = None,
    runs: Annotated[int, typer.Option(help="Runs of the command at each visit of a commit.", min=1)] = 3,
    most: Annotated[int, typer.Option(help="Give up after so many visits.", min=1)] = 100,
) -> None:
    """Begin a bisection in a git tree: nothing is run yet, but runs of these commits that the database has count.

    COMMAND builds and measures what is checked out. What it prints is stored, or the files it leaves in $KVMPERF_OUT.
    It exits with 0, or with 125 for a commit that cannot be tested. Go on with `kvmperf bisect resume`, or with
    `git bisect run kvmperf bisect step`.

    Example: kvmperf bisect start --good v6.11 --bad v6.12 --metric 'clear_dirty_log_time.round1' -- ./measure.sh
    """
    from cli.bisect_session import Session, begin
    from cli.bisect_work import known, refuse_unrunnable
    from ingest import git
    from report.words import counted

    git.refuse_local_changes(repository)
    refuse_unrunnable(command, repository)
    session = Session(
        repository=str(repository.resolve()),
        commits=git.between(repository, good, bad),
        metric=metric,
        benchmark=benchmark,
        host=host,
        params=dict(_pair(one) for one in param or ()),
        command=tuple(command),
        url=database_url(db),
        host_name=host,
        host_facts=str(host_facts.resolve()) if host_facts else "",
        boot_id=boot_id,
        vary=tuple(vary or ()),
        runs=runs,
        most=most,
    )
    session = replace(session, earlier=known(session).runs)
    journal = begin(git.git_dir(repository), session)
    _say_earlier(session)
    typer.echo(f"{counted(len(session.commits) - 1, 'commit')} between good and bad; the journal is {journal.path}")
    typer.echo("go on with `kvmperf bisect resume`, or `git bisect run kvmperf bisect step`", err=True)


@app.command()
def step(*, repository: RepositoryOption = Path()) -> None:
    """Measure once more: the commit that `git bisect` has checked out, else the one that tells most.

    Under `git bisect run`: exits with 0 (good), 1 (bad) or 125 (cannot be tested), and with 128 or more on trouble,
    which stops git. Else with 0 when something was measured; the tree is left as it was found.

    Example: git bisect run kvmperf bisect step
    """
    from ingest import git

    try:
        with _locked(repository) as journal:
            if (git.git_dir(repository) / "BISECT_START").exists():
                from cli.bisect_work import decide_here

                answer = decide_here(journal)
            else:
                from cli.bisect_work import ask, one_step

                _tell(ask(one_step(journal)), journal)
                answer = 0
    except UserError as error:
        from cli.main import report

        report(error)
        raise typer.Exit(_TROUBLE + error.exit_code) from error
    except Exception as error:  # a bug must not count as "bad": git would go on with it
        traceback.print_exc()
        raise typer.Exit(255) from error
    raise typer.Exit(answer)


@app.command()
def resume(*, repository: RepositoryOption = Path()) -> None:
    """Measure on, each time the commit that tells most, until one holds 95 %. Goes on after any interruption.

    Example: kvmperf bisect resume
    """
    from cli.bisect_work import ask, one_step

    with _locked(repository) as begun:
        _say_earlier(begun.session)
        journal, found, visits = begun, ask(begun), 0
        while not found.is_decided:
            if visits == journal.session.most:
                raise UserError(f"undecided after {visits} visits", "`kvmperf bisect resume` goes on")
            journal = one_step(journal)
            found = ask(journal)
            visits += 1
            _tell(found, journal)
    _answer(found, journal, repository)


@app.command()
def log(
    *,
    repository: RepositoryOption = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="One object a commit.")] = False,
) -> None:
    """Print what was measured so far, commit by commit.

    Example: kvmperf bisect log
    """
    from cli.bisect_session import read
    from cli.bisect_work import ask
    from ingest import git
    from report.bisect_text import render, to_json

    journal = read(git.git_dir(repository))
    found = ask(journal)
    if as_json:
        typer.echo(to_json(found), nl=False)
        return
    subjects = {spot.commit: git.subject(repository, spot.commit) for spot in found.spots}
    typer.echo(render(found, subjects, journal.session.commits, len(journal.skipped)), nl=False)


@contextmanager
def _locked(repository: Path) -> Iterator["Journal"]:
    """The journal of a tree, for one process at a time."""
    from filelock import FileLock, Timeout

    from cli.bisect_session import FILE, read
    from ingest import git

    folder = git.git_dir(repository)
    journal = read(folder)
    lock = FileLock(folder / f"{FILE}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise UserError("another kvmperf bisects this tree", "wait for it, or stop it") from error
    try:
        yield journal
    finally:
        lock.release()


def _say_earlier(session: "Session") -> None:
    if session.earlier:
        runs = "1 earlier run counts" if session.earlier == 1 else f"{session.earlier} earlier runs count"
        typer.echo(f"{runs}: this database has measured these commits (start with --db to use another)", err=True)


def _tell(found: "Search", journal: "Journal") -> None:
    from report.bisect_text import status

    typer.echo(status(found, journal.session.commits), err=True)


def _answer(found: "Search", journal: "Journal", repository: Path) -> None:
    from ingest import git
    from report.bisect_text import answer

    subject = git.subject(repository, journal.session.commits[found.last]) if found.differs else ""
    typer.echo(answer(found, journal.session.commits, subject), nl=False)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"{text!r}: not K=V", param_hint="--param")
    return name, value
