"""What we ask git: patch-ids, ranges, states of a tree. Argument lists only, never a shell."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ingest.errors import InputError

_TIMEOUT_S = 120.0


def patch_ids(diffs: Sequence[str]) -> list[str]:
    """The `git patch-id --stable` of each diff; empty for an empty diff, and everywhere where git is not installed."""
    if not any(diffs) or shutil.which("git") is None:
        return [""] * len(diffs)
    # One process for all: git takes `From <id>` for the beginning of a patch and repeats the id in its answer.
    fed = "".join(f"From {i + 1:040x} Mon Sep 17 00:00:00 2001\n\n{_whole(d)}" for i, d in enumerate(diffs) if d)
    done = run(["patch-id", "--stable"], content=fed.encode("utf-8", "surrogateescape"))
    found = dict(line.split() for line in done.splitlines())
    by_number = {int(number, 16): patch_id for patch_id, number in found.items()}
    return [by_number.get(i + 1, "") for i in range(len(diffs))]


def _whole(diff: str) -> str:
    return diff if diff.endswith("\n") else diff + "\n"


def format_patch(repository: Path, commits: str) -> bytes:
    """The mbox that `git format-patch` makes of a range, with `base-commit`."""
    base, dots, _ = commits.partition("..")
    if not dots or not base:
        raise InputError(f"{commits!r}: no range of commits", "for example --range v6.12..my-branch")
    words = ["format-patch", "--stdout", "--no-cover-letter", "--numbered", f"--base={base}", "--no-signature"]
    return run([*words, "--end-of-options", commits], cwd=repository).encode("utf-8", "surrogateescape")


def run(words: Sequence[str], *, cwd: Path | None = None, content: bytes | None = None) -> str:
    """What git prints. Raises InputError with git's first words where it fails or is not there."""
    # Settings of the user could change what is printed: no pager, no colours, no localised messages.
    environment = {**os.environ, "LC_ALL": "C", "GIT_PAGER": "cat", "GIT_OPTIONAL_LOCKS": "0"}
    command = ["git", "-c", "color.ui=false", "-c", "diff.noprefix=false", *words]
    try:
        done = subprocess.run(
            command, cwd=cwd, input=content, env=environment, capture_output=True, check=False, timeout=_TIMEOUT_S
        )
    except FileNotFoundError as error:
        raise InputError("git is not installed", "install git; kvmperf asks it about commits") from error
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"git {words[0]}: no answer within {_TIMEOUT_S:.0f} s", "is the tree on a slow disk?"
        ) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise InputError(f"git {words[0]}: {said[0] if said else f'exit {done.returncode}'}")
    return done.stdout.decode("utf-8", "surrogateescape")
