"""How a run ended: from the exit status, assertion blocks, skip lines and test runner verdicts.

What the exit status says goes before what the text says, except that a usage text or a failed assertion is a failure
even with exit status 0 (some selftests leave with 0 after a wrong option).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ingest.parsers.lines import Line
from ingest.records import Status

_SIGNALS = {2: "SIGINT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV"} | {
    13: "SIGPIPE",
    14: "SIGALRM",
    15: "SIGTERM",
}
_ASSERTION = "==== Test Assertion Failure ===="
_FRAME = re.compile(r"\d{1,4}\s+(?:0x|\(inlined)|\(inlined by\)|pid=\d")
_SKIP = re.compile(r"1\.\.0 # SKIP(?:[ :-]+(?P<reason>.*))?\Z", re.IGNORECASE)
_USAGE = re.compile(r"usage: \S|Usage:(?: \S|\Z)", re.IGNORECASE)
_NOT_OK = re.compile(r"not ok \d+\b(?!.{0,400}# ?(?:SKIP|TODO|XFAIL))")
_KILLED = frozenset({"Killed", "Terminated", "Aborted", "Segmentation fault"})
_RUNNER_KILL = re.compile(r"# TIMEOUT (?P<limit>\d+) seconds")
_STARTS = frozenset({"==", "1.", "no", *(word[:2] for word in _KILLED), "us", "Us", "US", "uS"})
_BLOCK = 40  # lines of an assertion block that are looked at
_LONG = 200


@dataclass(slots=True)
class Signs:
    """What a text tells about how its run ended; empty strings mean that it does not."""

    assertion: str = ""
    message: str = ""
    skip: str = ""
    skipped: bool = False
    usage: bool = False
    not_ok: str = ""
    killed: str = ""
    timeout: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A status with what a reader should know about it."""

    status: Status
    warnings: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)


def signs_in(lines: Sequence[Line]) -> Signs:
    """Everything in the lines that tells how the run ended."""
    signs = Signs()
    for index, line in enumerate(lines):
        text = line.text
        if text[:2] not in _STARTS:
            continue
        if text.startswith(_ASSERTION) and not signs.assertion:
            signs.assertion, signs.message = _assertion(lines[index + 1 : index + _BLOCK])
        elif match := _SKIP.match(text):
            signs.skipped, signs.skip = True, (match["reason"] or "").strip()[:_LONG]
        elif text.startswith("not ok") and _NOT_OK.match(text):
            limit = _RUNNER_KILL.search(text)
            signs.timeout = limit["limit"] if limit else signs.timeout
            signs.not_ok = signs.not_ok or text[:_LONG]
        elif text in _KILLED:
            signs.killed = text
        elif text[:6].lower() == "usage:" and _USAGE.match(text):
            signs.usage = True
    return signs


def judge(exit_status: int | None, output: Signs, stderr: Signs, last_error: str = "") -> Outcome | None:
    """How the run ended, or None when neither exit status nor text tell. `last_error` is the last line of stderr."""
    failed = output if output.assertion or output.not_ok else stderr
    if exit_status:
        return _by_exit_status(exit_status, output, failed, last_error)
    found = _by_text(output, failed, "" if exit_status is None else " and left with exit status 0")
    if found is None and exit_status == 0:
        return Outcome(Status.PASS)
    if found is None and output.killed:
        return Outcome(Status.KILLED, (f"The shell says: {output.killed}.",))
    return found


def _by_text(output: Signs, failed: Signs, left: str) -> Outcome | None:
    if failed.assertion:
        return _failed(failed)
    if output.timeout:
        return Outcome(Status.TIMEOUT, (f"The test runner ended it after {output.timeout} seconds.",))
    if output.skipped:
        return _skipped(output.skip)
    if output.usage:
        return Outcome(Status.FAIL, (f"The program printed its usage text{left}: nothing was measured.",))
    if failed.not_ok:
        return Outcome(Status.FAIL, (f"A test inside failed: {failed.not_ok}.",))
    return None


def _by_exit_status(exit_status: int, output: Signs, failed: Signs, last_error: str) -> Outcome:
    if exit_status == 4:
        return _skipped(output.skip or last_error)
    if exit_status == 124:
        return Outcome(Status.TIMEOUT, ("A time limit ended the program before it was done.",))
    signal = -exit_status if exit_status < 0 else exit_status - 128
    if 0 < signal <= 64:
        name = _SIGNALS.get(signal, f"signal {signal}")
        return Outcome(Status.KILLED, (f"The program was ended by {name} (exit status {exit_status}).",))
    if failed.assertion:
        return _failed(failed)
    if output.usage:
        return Outcome(Status.FAIL, (f"The program printed its usage text (exit status {exit_status}).",))
    said = f": {last_error}" if last_error else ""
    return Outcome(Status.FAIL, (f"The program failed with exit status {exit_status}{said}.",))


def _failed(signs: Signs) -> Outcome:
    message = signs.message or signs.assertion
    return Outcome(
        Status.FAIL, (f"The program stopped at an assertion: {message.rstrip('.')}.",), {"assertion": signs.assertion}
    )


def _skipped(reason: str) -> Outcome:
    why = f": {reason.rstrip('.')}" if reason else " and gave no reason"
    return Outcome(Status.SKIP, (f"The program skipped itself{why}.",), {"skip_reason": reason} if reason else {})


def _assertion(block: Sequence[Line]) -> tuple[str, str]:
    """The failed condition with its place, and the program's own message (the first line that is no stack frame)."""
    texts = [line.text for line in block]
    place = texts[0][:_LONG] if texts else ""
    return place or "unknown", _message(texts[1:])


def _message(texts: Iterable[str]) -> str:
    for text in texts:
        if text.startswith(("ok ", "not ok ", _ASSERTION)):
            break
        if text and not _FRAME.match(text):
            return text[:_LONG]
    return ""
