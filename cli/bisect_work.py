"""The work of a bisection: run the command on a commit, store what it printed, ask the statistics."""

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from cli.bisect_session import Journal, Session, note
from db.errors import UserError
from report.bisect import LEAST_RUNS, Question, Search, came_out, search
from report.words import counted

SKIP = 125  # what a command says of a commit that cannot be tested, and `git bisect run` understands
SURE = 0.95


class UntestableError(UserError):
    """The command could not measure this commit."""

    exit_code = SKIP


def ask(journal: Journal) -> Search:
    """What the database knows of the commits by now."""
    return known(journal.session, journal.skipped)


def known(session: Session, skipped: Collection[str] = ()) -> Search:
    """What the database knows of the commits of a session, begun or not."""
    from db.engine import connect, reading

    with reading(connect(session.url, create=True)) as connection:
        return search(connection, _question(session), session.commits, skipped)


def _question(session: Session) -> Question:
    return Question(session.metric, session.benchmark, session.host, session.params)


def refuse_unrunnable(command: Sequence[str], repository: Path) -> None:
    """Raise UserError where the program of a command is not there: it will run in the repository."""
    program = command[0]
    place = repository / program if os.sep in program else Path(shutil.which(program) or program)
    if not (place.is_file() and os.access(place, os.X_OK)):
        what = "is not executable" if place.exists() else "no such program"
        raise UserError(f"{program}: {what}", "it runs in the git tree; name it as you would in a shell there")


def decide_here(journal: Journal) -> int:
    """Measure the commit that `git bisect` has checked out until it is good (0), bad (1) or untestable (125)."""
    from ingest import git

    session, repository = journal.session, Path(journal.session.repository)
    here = git.commit(repository, "HEAD")
    if here not in session.commits:
        raise UserError(f"{here[:12]} is not between good and bad", "start over: kvmperf bisect start")
    place = session.commits.index(here)
    git.refuse_local_changes(repository)
    for end in (session.commits[-1], session.commits[0]):
        while _runs_of(journal, end) < LEAST_RUNS:
            with _at(journal, end):
                journal = _measure(journal, end, LEAST_RUNS - _runs_of(journal, end))
    for _ in range(session.most):
        found = ask(journal)
        chance = found.bad(place)
        if found.is_decided and not found.differs:
            raise UserError("good and bad do not differ in this metric", "kvmperf bisect log")
        if chance is not None and not SURE > chance > 1 - SURE and _runs_of(journal, here):
            typer.echo(f"{here[:12]} is {'bad' if chance >= SURE else 'good'}: bad with probability {chance:.3f}")
            return int(chance >= SURE)
        try:
            journal = _measure(journal, here, 1)
        except UntestableError as error:
            typer.echo(f"{here[:12]} cannot be tested: {error}", err=True)
            return SKIP
    typer.echo(f"{here[:12]} is undecided after {counted(session.most, 'run')}", err=True)
    return SKIP


def one_step(journal: Journal) -> Journal:
    """Measure the commit that tells most; the tree is left as it was found."""
    found = ask(journal)
    commits = journal.session.commits
    wanted = commits[found.next_place]
    missing = LEAST_RUNS - _runs_of(journal, wanted) if found.next_place in (0, len(commits) - 1) else 0
    with _at(journal, wanted):
        try:
            return _measure(journal, wanted, max(journal.session.runs, missing))
        except UntestableError as error:
            if found.next_place in (0, len(commits) - 1):
                end = "bad" if found.next_place else "good"
                raise UserError(f"the {end} end cannot be tested: {error}", error.hint) from error
            typer.echo(f"{wanted[:12]} cannot be tested: {error}", err=True)
            return note(journal, event="skip", at=time.time(), commit=wanted)


def _runs_of(journal: Journal, commit: str) -> int:
    return sum(spot.runs for spot in ask(journal).spots if spot.commit == commit)


@contextmanager
def _at(journal: Journal, commit: str) -> Iterator[None]:
    """The tree at a commit, and back where it was; after a kill, back where it was before that."""
    from ingest import git

    repository = Path(journal.session.repository)
    git.refuse_local_changes(repository)
    before = git.where(repository)
    is_detached = before == git.commit(repository, "HEAD")
    if is_detached and journal.away:
        before = journal.away
    elif is_detached and before == commit:
        yield
        return
    note(journal, event="away", at=time.time(), before=before)
    try:
        git.checkout(repository, commit)
        yield
    finally:
        git.checkout(repository, before)
        note(journal, event="back", at=time.time())


def _measure(journal: Journal, commit: str, runs: int) -> Journal:
    """Run the command so often on what is checked out, and store each run.

    Raises UntestableError where it fails, or gives no value of the metric.
    """
    had = _runs_of(journal, commit)
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="kvmperf-bisect-") as folder:
            outputs = _run_command(journal.session, commit, Path(folder))
            journal = _store(journal, commit, outputs)
    if _runs_of(journal, commit) <= had:
        raise UntestableError(f"no value of {journal.session.metric!r} came out", _what_came_out(journal, commit))
    return journal


def _what_came_out(journal: Journal, commit: str) -> str:
    from db.engine import connect, reading

    with reading(connect(journal.session.url)) as connection:
        return came_out(connection, _question(journal.session), commit)


def _run_command(session: Session, commit: str, folder: Path) -> Path:
    """Where the outputs of one run are: the command's own in KVMPERF_OUT, else what it printed."""
    own, printed = folder / "out", folder / "printed"
    own.mkdir()
    printed.mkdir()
    environment = {**os.environ, "KVMPERF_OUT": str(own), "KVMPERF_COMMIT": commit}
    began = time.time()
    try:
        done = subprocess.run(
            session.command, cwd=session.repository, env=environment, stdout=subprocess.PIPE, check=False
        )
    except OSError as error:
        raise UserError(f"{session.command[0]}: {error.strerror}", "kvmperf bisect start … -- COMMAND") from error
    if done.returncode < 0 or done.returncode >= 128:
        raise UserError(f"{shlex.join(session.command)}: ended by exit status {done.returncode}")
    if done.returncode:
        raise UntestableError(f"{session.command[0]}: exit status {done.returncode}")
    if any(own.iterdir()):
        return own
    (printed / "01.out").write_bytes(done.stdout)
    (printed / "01.rc").write_text("0\n")
    (printed / "01.time").write_text(f"{began:.6f} {time.time():.6f}\n")
    return printed


def _store(journal: Journal, commit: str, outputs: Path) -> Journal:
    """Store the outputs of one run, if the host is the one of the runs before."""
    from cli.upload import store
    from ingest.context import Given, context

    session = journal.session
    given = Given(
        commit=commit,
        host=session.host_name,
        host_facts=Path(session.host_facts) if session.host_facts else None,
        boot_id=session.boot_id,
        tags=("bisect=yes",),
    )
    state = context(given).state
    if journal.state is None:
        journal = note(journal, event="host", at=time.time(), state=dict(state))
    _refuse_changed_host(journal, dict(state))
    receipts = store([outputs], given, session.url)
    if not any(receipt.outcome == "stored" for receipt in receipts):
        said = next((receipt.reason for receipt in receipts if receipt.reason), "nothing new was printed")
        raise UserError(f"{commit[:12]}: no measurement came out: {said}", "`kvmperf parse` shows what is understood")
    return note(journal, event="run", at=time.time(), commit=commit)


def _refuse_changed_host(journal: Journal, state: dict[str, str]) -> None:
    from db.hoststate import Severity, differences

    changed = differences(journal.state or {}, state, journal.session.vary)
    grave = [one for one in changed if one.severity in (Severity.BLOCK, Severity.DOWNGRADE)]
    if grave:
        shown = ", ".join(f"{one.field} {one.left} -> {one.right}" for one in grave[:3])
        raise UserError(
            f"the host changed since the bisection began: {shown}", "restore it, or start with --vary FIELD"
        )
