"""The command line of the collector. Runs on Python 3.8; everything for people goes to stderr."""

from __future__ import annotations

import argparse
import glob
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ingest.hostfacts.collect import read_machine

from . import VERSION, folder, pack
from .folder import Session
from .pack import PackError
from .rules import LAST_VERSION, troubles
from .running import Ended, TooMuchOutputError, run

_INTERRUPTED = 130
_EPILOG = """\
Example: python3 kvmperf-collect.pyz -n 5 --label mmu-lockless-v2 -- ./dirty_log_perf_test -v 8

Run it again to go on after an interruption, to add another command, or to add another boot: everything goes into the
same folder, and the bundle beside it is written anew. Then, wherever there is a network: kvmperf upload FOLDER.tar
"""


def main(words: Sequence[str] | None = None) -> int:
    """Collect; the exit status: 0 done, 1 the user can mend it, 2 wrong usage, 130 interrupted."""
    given = _given(list(sys.argv[1:] if words is None else words))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        if given.facts:
            sys.stdout.write(read_machine().to_json() + "\n")
            return 0
        return _collect(given)
    except PackError as error:
        return _refuse(str(error), error.hint)
    except TooMuchOutputError as error:
        return _refuse(f"{given.command[0]} printed {error}", "the run was thrown away: is this the program?")
    except OSError as error:
        place = error.filename or given.output
        return _refuse(f"{place}: {error.strerror}", "complete runs are kept: make room and start it again")


def _collect(given: argparse.Namespace) -> int:
    root = Path(given.output or "kvmperf-" + (os.uname().nodename or "host"))
    if given.command:
        _refuse_unrunnable(given.command[0])
    with folder.open_folder(root):
        interrupted = False
        if given.command:
            session = folder.session(root, read_machine(), _context(given))
            try:
                _run_all(session, given)
            except KeyboardInterrupt:
                interrupted = True
                _say("interrupted: the unfinished run was thrown away; the same command goes on where it stopped")
        _write_bundle(root)
    return _INTERRUPTED if interrupted else 0


def _run_all(session: Session, given: argparse.Namespace) -> None:
    done = session.done(given.command)
    shown = shlex.join(given.command)
    here = f"{_counted(done, 'run')} of {shown} {'is' if done == 1 else 'are'}"
    if done >= given.runs:
        _say(f"{here} already here in this boot: -n {done + 1} adds one")
    elif done:
        _say(f"{here} here: going on with run {done + 1}")
    slot = session.slot(given.command)
    (session.folder / slot).mkdir(exist_ok=True)
    for number in range(done + 1, given.runs + 1):
        label = f"[{number}/{given.runs}] {shown}"
        ended = _run_one(session, f"{slot}/{number:03d}", given, label)
        took = ended.ended_at - ended.started_at
        _say(f"{label}: {took:.1f} s{_trouble(ended, given.timeout)}", over=True)


def _run_one(session: Session, name: str, given: argparse.Namespace, label: str) -> Ended:
    folder.discard(session, name)
    stem = session.folder / name
    try:
        with Path(f"{stem}.out").open("wb") as out, Path(f"{stem}.err").open("wb") as err:
            ended = run(given.command, out, err, given.timeout, lambda elapsed: _tick(label, elapsed))
            for opened in (out, err):
                opened.flush()
                os.fsync(opened.fileno())
        folder.finish(session, name, given.command, ended)
    except BaseException:
        folder.discard(session, name)
        raise
    return ended


def _write_bundle(root: Path) -> None:
    members, parts = folder.members(root), folder.parts(root)
    if not members:
        _say("no complete run: no bundle was written")
        return
    target = root.with_name(root.name + ".tar")
    for left_over in target.parent.glob(f".{glob.escape(target.name)}.*.part"):  # of a collector that was killed
        pack.remove(left_over)
    told = pack.manifest(members, parts, f"kvmperf-collect {VERSION}")
    pack.write_file(target, told, members)
    runs = sum(len(one.runs) for one in folder.sessions(root))
    _say(f"{target}: {_counted(runs, 'run')} in {_counted(len(parts), 'session')}, SHA-256 {told['digest']}")
    _say(f"next: kvmperf upload {shlex.quote(str(target))}")


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _context(given: argparse.Namespace) -> dict[str, object]:
    """What the user said, under the names that `kvmperf upload` uses; nothing that was left unsaid."""
    names = ("label", "kernel", "commit", "host", "series", "version", "patch")
    said: dict[str, object] = {name: getattr(given, name) for name in names if getattr(given, name)}
    tags: list[str] = list(given.tag)
    if given.boot_note:
        tags.append("boot-note=" + given.boot_note)
    return {**said, "tags": tags} if tags else said


def _given(words: list[str]) -> argparse.Namespace:
    cut = words.index("--") if "--" in words else len(words)
    parser = _parser()
    given = parser.parse_args(words[:cut])
    given.command = words[cut + 1 :]
    if not (given.command or given.facts or given.pack):
        parser.error("no command: kvmperf-collect.pyz [options] -- COMMAND ARGS")
    for message, hint in troubles(_context(given)):
        parser.error(f"{message} ({hint})")
    return given


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "kvmperf-collect.pyz",
        usage="%(prog)s [options] -- COMMAND [ARGS]",
        description="Run a benchmark N times; keep outputs, exit statuses, times and host facts in a bundle.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("-n", "--runs", type=_count, default=1, metavar="N", help="runs of the command in this boot (default: 1)")
    add("-o", "--output", default="", metavar="FOLDER", help="folder to collect in; the bundle is FOLDER.tar")
    add("--timeout", type=_seconds, metavar="S", help="end a run after S seconds; it is kept as timed out")
    add("--boot-note", "--boots-note", default="", metavar="TEXT", help="a note about this boot")
    add("--tag", action="append", default=[], metavar="K=V", help="a note on the runs (repeatable)")
    add("--label", default="", help="a name for what is measured when the code alone does not tell")
    add("--kernel", default="", help="kernel release (default: the running one)")
    add("--commit", default="", help="git commit that is measured")
    add("--host", default="", help="name of this host (default: its hostname)")
    add("--series", default="", help="patch series that is measured")
    add("--version", type=_version, metavar="N", help="version of the series")
    add("--patch", default="", metavar="K/M", help="after patch K of M; 0/M is the base")
    add("--pack", action="store_true", help="run nothing, only write the bundle of what is there")
    add("--facts", action="store_true", help="run nothing, print this host's facts as JSON")
    return parser


def _count(text: str) -> int:
    return _whole(text, 100000)


def _version(text: str) -> int:
    return _whole(text, LAST_VERSION)


def _whole(text: str, most: int) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"{text!r}: not a whole number from 1 to {most}")
    return int(text)


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 < float(text) < 1e7:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r}: not a number of seconds above 0")


def _refuse_unrunnable(program: str) -> None:
    if shutil.which(program) is None:
        what = "is not executable" if Path(program).exists() else "no such program"
        raise PackError(f"{program}: {what}", "name it as you would in a shell: ./dirty_log_perf_test")


def _trouble(ended: Ended, timeout_s: float | None) -> str:
    if ended.exit_status == 124 and timeout_s is not None:
        return ", timed out"
    return f", exit status {ended.exit_status}" if ended.exit_status else ""


def _tick(label: str, elapsed_s: float) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{label}: {elapsed_s:.0f} s ")
        sys.stderr.flush()


def _say(text: str, over: bool = False) -> None:
    start = "\r\x1b[K" if over and sys.stderr.isatty() else ""
    sys.stderr.write(f"{start}kvmperf-collect: {text}\n")


def _refuse(message: str, hint: str) -> int:
    _say(message)
    if hint:
        sys.stderr.write(f"  hint: {hint}\n")
    return 1


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
