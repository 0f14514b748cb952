"""The output tree of the KVM selftest runner: a folder a test, `PROGRAM/CASE.test`, with `stdout`, `stderr`, a status.

The runner writes how each test ended into the `log` at the top of the tree; other versions and scripts write a file
`status` beside the output. What was asked of the program stands in the test's own file, which the tree does not have.
"""

import re
from dataclasses import dataclass
from pathlib import Path

STDOUT = "stdout"
STDERR = "stderr"
_STATUS_FILES = ("status", "exit_status", "returncode", "rc")
_COMMAND_FILES = ("command", "cmd", "cmdline")
LOG = "log"
_LEVELS = 6  # folders above a test in which the runner's log is looked for
_LARGEST_LOG = 64 << 20
_EXIT_STATUS = {"passed": 0, "skipped": 4, "failed": 1, "timed_out": 124}
_LINE = re.compile(r"\[(?P<word>PASSED|FAILED|SKIPPED|TIMED_OUT|NO_RUN)\] (?P<path>\S{1,1000})")


@dataclass(frozen=True, slots=True)
class Ended:
    """How the runner says that a test ended: an exit status where it has one; the command line where it was kept."""

    exit_status: int | None
    command: str | None


def is_test(names: list[str]) -> bool:
    """Whether the names in a folder are those of one test's output."""
    return STDOUT in names


def relative_path(folder: Path, root: Path) -> str:
    """The output's path below the root, always with the program's and the case's name: they say what ran."""
    path = folder / STDOUT
    below = path.relative_to(root).as_posix()
    return below if below.count("/") > 1 else "/".join(path.resolve().parts[-3:])


def ended(folder: Path) -> Ended:
    """What stands beside the output, or in the log of the runner above it."""
    word = _first(folder, _STATUS_FILES)
    if word is None:
        word = _in_log(folder.resolve())
    return Ended(_exit_status(word or ""), _first(folder, _COMMAND_FILES))


def _first(folder: Path, names: tuple[str, ...]) -> str | None:
    for name in names:
        path = folder / name
        if path.is_file() and path.stat().st_size < 4096:
            return path.read_text(encoding="utf-8", errors="replace").strip() or None
    return None


def _exit_status(word: str) -> int | None:
    try:
        return int(word)
    except ValueError:
        return _EXIT_STATUS.get(re.sub(r"\W+", "_", word.lower()))


def log_above(folder: Path) -> Path | None:
    """The nearest folder above a test that holds a log of the runner, or None."""
    for top in list(folder.parents)[:_LEVELS]:
        log = top / LOG
        if log.is_file() and log.stat().st_size <= _LARGEST_LOG:
            return top
    return None


def _in_log(folder: Path) -> str | None:
    """The last word of the log on this test: a tree can be written into again."""
    top = log_above(folder)
    if top is None:
        return None
    wanted = folder.relative_to(top).as_posix()
    text = (top / LOG).read_text(encoding="utf-8", errors="replace")
    told = [match["word"] for match in _LINE.finditer(text) if match["path"].lstrip("./") == wanted]
    return told[-1] if told else None
