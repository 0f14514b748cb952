"""Runs one command and keeps what it prints. Runs on Python 3.8.

The output comes through pipes and not straight into a file: a program that does not notice a full disk would leave a
cut output that looks complete, the collector notices and throws the run away.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

MAX_BYTES = 256 << 20  # what `kvmperf upload` takes as one output
_PIECE_BYTES = 1 << 16
_WAKE_S = 1.0
_GRACE_S = 5.0
_TIMED_OUT = 124  # as `timeout` exits


class TooMuchOutputError(Exception):
    """A program printed more than anybody can read."""


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit status as a shell tells it (128+N: signal N; 124: timed out), start and end in epoch s."""

    exit_status: int
    started_at: float
    ended_at: float


def run(
    command: Sequence[str],
    out: BinaryIO,
    err: BinaryIO,
    timeout_s: float | None = None,
    tick: Callable[[float], None] = lambda _elapsed: None,
) -> Ended:
    """Run a command to its end, its output into the two files. Whatever goes wrong here ends the command too."""
    started_at, began = time.time(), time.monotonic()
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches the collector, which ends the whole group
    )
    try:
        in_time = _pump(process, out, err, _Watch(began, timeout_s, tick))
        if in_time:
            in_time = _wait(process, timeout_s, began)
    except BaseException:
        _end(process)
        raise
    finally:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    if not in_time:
        _end(process)
    # The end is counted from the start: a clock that is set meanwhile must not make a run end before it began.
    ended_at = started_at + (time.monotonic() - began)
    return Ended(_as_shell(process.returncode) if in_time else _TIMED_OUT, started_at, ended_at)


@dataclass(frozen=True)
class _Watch:
    """When the run began (monotonic), how long it may take, and who wants to see the time pass."""

    began: float
    timeout_s: float | None
    tick: Callable[[float], None]

    def is_over(self) -> bool:
        elapsed = time.monotonic() - self.began
        self.tick(elapsed)
        return self.timeout_s is not None and elapsed >= self.timeout_s

    def wake_s(self) -> float:
        """How long to sleep at most: seldom woken, a collector does not show in the numbers."""
        if self.timeout_s is None:
            return _WAKE_S
        return max(0.0, min(_WAKE_S, self.began + self.timeout_s - time.monotonic()))


def _pump(process: subprocess.Popen[bytes], out: BinaryIO, err: BinaryIO, watch: _Watch) -> bool:
    """Copy both streams until they end; false when the time was over first."""
    left = MAX_BYTES
    gone_at: float | None = None
    with selectors.DefaultSelector() as waiting:
        for pipe, target in ((process.stdout, out), (process.stderr, err)):
            waiting.register(pipe, selectors.EVENT_READ, target)  # type: ignore[arg-type]  # both are pipes
        while waiting.get_map():
            left -= _copy(waiting, watch.wake_s())
            if left < 0:
                raise TooMuchOutputError(f"more than {MAX_BYTES >> 20} MiB of output")
            if watch.is_over():
                return False
            if gone_at is None and process.poll() is not None:
                gone_at = time.monotonic()
            if gone_at is not None and time.monotonic() - gone_at > _GRACE_S:
                return True  # a daemon it left behind keeps the pipe open
    return True


def _copy(waiting: selectors.BaseSelector, wait_s: float) -> int:
    """Pass on what is there; how many bytes that was."""
    copied = 0
    for key, _ in waiting.select(wait_s):
        piece = os.read(key.fd, _PIECE_BYTES)
        key.data.write(piece)
        copied += len(piece)
        if not piece:
            waiting.unregister(key.fileobj)
    return copied


def _wait(process: subprocess.Popen[bytes], timeout_s: float | None, began: float) -> bool:
    """Wait for the end of a command that has closed its output; false when the time was over first."""
    try:
        process.wait(None if timeout_s is None else max(0.0, began + timeout_s - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and everything it started: asked first, then forced."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        except PermissionError:  # a command that became another user
            process.send_signal(number)
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _as_shell(returncode: int) -> int:
    return 128 - returncode if returncode < 0 else returncode


__all__ = ["MAX_BYTES", "Ended", "TooMuchOutputError", "run"]
