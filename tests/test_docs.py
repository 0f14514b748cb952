"""What the documentation says is run: its commands, its links, its pictures."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from cli.main import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
_LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


def commands(page):
    """The `kvmperf …` lines of a page's code blocks, without their comments."""
    lines = [line.strip() for line in page.read_text().splitlines() if line.startswith("    kvmperf ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_exist(page):
    missing = [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()]

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_named_exists(page):
    root = get_command(app)
    for words in commands(page):
        command = root.commands[words[0]]
        if hasattr(command, "commands") and not _stands_alone(command, words):
            command = command.commands[words[1]]
        known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known | {"--help", "--"}, words


def _stands_alone(group, words):
    """Whether the name of a group is a command itself here: `kvmperf notify --config FILE`."""
    return group.invoke_without_command and (len(words) == 1 or words[1].startswith("-"))


def test_the_first_comparison_of_the_readme_works(kvmperf, tmp_path):
    """The commands of the README, in their order, on real outputs laid out as it says."""
    demo = ROOT / "fixtures" / "demo" / "eager-split"
    for folder, label in (("before", "split-on"), ("after", "split-off")):
        shutil.copytree(demo / label / "ic-il2", tmp_path / folder)
        (tmp_path / folder / "host").mkdir()
        (tmp_path / folder / "host.json").rename(tmp_path / folder / "host" / "facts.json")
    shutil.copy(tmp_path / "before" / "dlp-thp" / "01.out", tmp_path / "dlp.out")

    run = [words for words in commands(ROOT / "README.md") if words[0] not in ("dashboard", "demo")]
    for words in run:
        named = ["v6.12" if w == "BASE" else "mmu-lockless-v2" if w == "HEAD" else w for w in words]
        kvmperf(*[w for w in named if w != ">"][: named.index(">") if ">" in named else None], cwd=tmp_path)

    assert len(run) >= 6


def test_the_site_builds_without_a_broken_link(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )

    assert built.returncode == 0, built.stderr
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")}
    assert pages == {page.stem for page in (tmp_path / "site").glob("*.html")} - {"404"}
    foreign = re.compile(r"""(?:src|href)=["'](?:https?:)?//(?!squidfunk|github)""")
    assert [page.name for page in (tmp_path / "site").glob("*.html") if foreign.search(page.read_text())] == []
