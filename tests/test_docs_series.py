"""The session of docs/series.md, replayed: its commands in their order, and what they print."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from random_histories import WHO
from series_story import make
from warm_kvmperf import install

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "series.md"
_PART = re.compile(r"(?:^    .*\n|^\n(?=    ))+|^```text\n(?:.*\n)*?```$", re.MULTILINE)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?![0-9a-f]*[a-f])")


def parts(text):
    """Commands and printed texts in their order, up to the heading `More`."""
    session = text[: text.index("\n## More\n")]
    return [match[0] for match in _PART.finditer(session) if match[0].strip()]


def run(block, tree, environment):
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", re.sub(r"^    ", "", block, flags=re.MULTILINE)],
        cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.fixture
def session(tmp_path):
    """A tree, the stand-in for the benchmark, and an environment in which `kvmperf` is the real one."""
    tree = tmp_path / "tree"
    tree.mkdir()
    make(tree)
    bench = tmp_path / "bench"
    bench.write_text(f"#!{sys.executable} -S\n" + (ROOT / "tests" / "support" / "fake_bench.py").read_text())
    bench.chmod(0o755)
    server = install(tmp_path)
    who = {f"GIT_{one}": "dev@example.org" for one in WHO}
    who |= {"SEED": "106", "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z"}
    git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
    mine = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "KVMPERF_DB": f"sqlite:///{tmp_path / 'k.db'}"}
    yield tree, {**os.environ, **who, **git, **mine}
    server.kill()
    server.wait()


def alike(printed, written):
    """The same words, and numbers that another NumPy or another git may have rounded otherwise."""
    texts = [" ".join(text.split()) for text in (printed, written)]
    numbers = [[float(n) for n in _NUMBER.findall(text)] for text in texts]
    return _NUMBER.sub("#", texts[0]) == _NUMBER.sub("#", texts[1]) and numbers[0] == pytest.approx(
        numbers[1], rel=0.05, abs=0.3
    )


def test_the_session_prints_what_the_page_says(session):
    text = PAGE.read_text()
    printed, told, anew = "", 0, text
    for part in parts(text):
        if not part.startswith("```"):
            printed = run(part, *session)
            continue
        written = part.removeprefix("```text\n").removesuffix("```")
        told += 1
        anew = anew.replace(part, f"```text\n{printed}```", 1)
        if "KVMPERF_UPDATE_GOLDEN" not in os.environ:
            assert alike(printed, written), f"printed:\n{printed}\nthe page says:\n{written}"
    if "KVMPERF_UPDATE_GOLDEN" in os.environ:
        PAGE.write_text(anew)

    assert told >= 8
    assert all(len(line) <= 72 for line in printed.splitlines())
