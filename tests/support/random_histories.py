"""Git histories from a few numbers: two versions of a series on one base, made by one `git fast-import`."""

import os
import subprocess

LINES = 60  # lines of the file that all patches change; blank at their beginning, so that no line names a function

WHO = ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL")


def git(repository, *words, content=None):
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{
            f"GIT_{who}_{what}": f"{what.lower()}@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    done = subprocess.run(
        ["git", *words], cwd=repository, env=environment, input=content, capture_output=True, check=True
    )
    return done.stdout.decode()


def make(repository, versions):
    """Branches v1, v2, ... on a base; each version is a list of (line, word): a patch that writes the word there."""
    git(repository, "init", "-q", "-b", "base")
    lines = [f" line {i}" for i in range(LINES)]
    stream = _commit("base", "base", lines, mark=1)
    for number, patches in enumerate(versions, start=1):
        text, parent = list(lines), ":1"
        for k, (line, word) in enumerate(patches, start=1):
            text[line] = f" {word}"
            mark = number * 1000 + k
            stream += _commit(f"v{number}", f"write {word.split('-')[0]}", text, mark=mark, parent=parent)
            parent = f":{mark}"
        if not patches:
            stream += f"reset refs/heads/v{number}\nfrom :1\n\n"
    git(repository, "fast-import", "--quiet", content=stream.encode())


def _commit(branch, subject, lines, *, mark, parent=""):
    text = "\n".join(lines) + "\n"
    source = f"from {parent}\n" if parent else ""
    return (
        f"commit refs/heads/{branch}\nmark :{mark}\nauthor A <a@example.org> {1700000000 + mark} +0000\n"
        f"committer A <a@example.org> {1700000000 + mark} +0000\ndata {len(subject)}\n{subject}\n{source}"
        f"M 100644 inline walk.c\ndata {len(text)}\n{text}\n"
    )
