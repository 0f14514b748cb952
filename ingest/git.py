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
    """What git prints. Raises InputError with git's words, on one line, where it fails or is not there."""
    # Settings of the user could change what is printed: no pager, no colours, no advice, no localised messages.
    environment = {**os.environ, "LC_ALL": "C", "GIT_PAGER": "cat", "GIT_OPTIONAL_LOCKS": "0"}
    settings = ["color.ui=false", "diff.noprefix=false", "advice.detachedHead=false"]
    command = ["git", *(word for setting in settings for word in ("-c", setting)), *words]
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
        said = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise InputError(f"git {words[0]}: {said or f'exit {done.returncode}'}")
    return done.stdout.decode("utf-8", "surrogateescape")


def between(repository: Path, good: str, bad: str) -> tuple[str, ...]:
    """The commits from good to bad, both included, along first parents: each stands for what it merged.

    Raises InputError where good is no ancestor of bad on that line.
    """
    first, last = commit(repository, good), commit(repository, bad)
    listed = run(["rev-list", "--reverse", "--first-parent", "--end-of-options", f"{first}..{last}"], cwd=repository)
    found = (first, *listed.split())
    parent = run(["rev-parse", "--verify", "--quiet", f"{found[1]}^"], cwd=repository).strip() if found[1:] else ""
    if parent != first:
        raise InputError(f"{good} is no first-parent ancestor of {bad}", "`git merge-base` names a common ancestor")
    return found


def commit(repository: Path, name: str) -> str:
    """The full id of the commit that a name means."""
    try:
        return run(
            ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"], cwd=repository
        ).strip()
    except InputError as error:
        raise InputError(f"{name!r}: no commit in {repository.resolve()}") from error


def subject(repository: Path, name: str) -> str:
    """The first line of a commit's message."""
    return run(["show", "-s", "--format=%s", "--end-of-options", name], cwd=repository).strip()


def git_dir(repository: Path) -> Path:
    """The directory of the tree's own git state (that of the worktree, where there are several)."""
    return Path(run(["rev-parse", "--absolute-git-dir"], cwd=repository).strip())


def where(repository: Path) -> str:
    """What is checked out: a branch, or the commit of a detached head."""
    name = run(["rev-parse", "--abbrev-ref", "HEAD"], cwd=repository).strip()
    return commit(repository, "HEAD") if name == "HEAD" else name


def checkout(repository: Path, name: str) -> None:
    """Check a branch or a commit out; local changes that are in the way are an error."""
    run(["checkout", "-q", name, "--"], cwd=repository)


def refuse_local_changes(repository: Path) -> None:
    """Raise InputError where tracked files are not as the commit has them: it is not the commit that is measured."""
    # Submodules may lag behind: git itself leaves them where they are when it checks a commit out.
    listed = run(["diff", "--name-only", "--ignore-submodules=all", "HEAD", "--"], cwd=repository).splitlines()
    if listed:
        more = f" and {len(listed) - 1} more" if len(listed) > 1 else ""
        raise InputError(f"local changes: {listed[0]}{more}", "commit or stash them: what is measured must be a commit")
