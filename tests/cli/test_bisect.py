"""A planted 5 % change in a git tree under 2 % noise, found by bisection: alone, under git, after a kill."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from random_histories import WHO
from typer.testing import CliRunner

from cli.main import app

SUPPORT = Path(__file__).resolve().parents[1] / "support"
METRIC = ("--metric", "clear_dirty_log_time.round1", "--benchmark", "dirty_log_perf_test")


def git(tree, *words, check=True, env=()):
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, **dict(env)}
    environment |= {f"GIT_{who}": "a@example.org" for who in WHO}
    return subprocess.run(["git", *words], cwd=tree, env=environment, capture_output=True, text=True, check=check)


def make_tree(tmp_path, commits=8, first_bad=5, broken=(), effect=1.05):
    """A tree whose commits are tagged c0, c1, ...; from `first_bad` on clearing takes 5 % longer."""
    tree = tmp_path / "tree"
    tree.mkdir()
    git(tree, "init", "-q", "-b", "main")
    for k in range(commits + 1):
        cost = 0.02 * (effect if k >= first_bad else 1.0) * (1 + 1e-6 * k)
        (tree / "cost").write_text(f"{cost:.12f}\n")
        (tree / "broken").unlink(missing_ok=True)
        if k in broken:
            (tree / "broken").touch()
        git(tree, "add", "-A")
        git(tree, "commit", "-q", "-m", f"mm: step {k}")
        git(tree, "tag", f"c{k}")
    shutil.copy(SUPPORT / "fake_bench.py", tmp_path / "bench.py")
    return tree


def start(kvmperf, tmp_path, tree, *words, good="c0", bad="main", code=0):
    bench = ("--", sys.executable, tmp_path / "bench.py")
    place = ("--host", "lab", "--boot-id", "b1")
    return kvmperf(
        "bisect", "start", "--good", good, "--bad", bad, *METRIC, *place, *words, *bench, cwd=tree, code=code
    )


def test_the_planted_commit_is_found_and_the_tree_left_alone(kvmperf, tmp_path):
    tree = make_tree(tmp_path)
    start(kvmperf, tmp_path, tree)

    done = kvmperf("bisect", "resume", cwd=tree)

    assert done.stdout.splitlines()[0] == f"{git(tree, 'rev-parse', 'c5').stdout.strip()} is the first bad commit"
    assert "slower: clear_dirty_log_time.round1" in done.stdout
    assert git(tree, "rev-parse", "--abbrev-ref", "HEAD").stdout.strip() == "main"
    again = kvmperf("bisect", "resume", cwd=tree)
    assert again.stdout == done.stdout
    logged = [json.loads(line) for line in kvmperf("bisect", "log", "--json", cwd=tree).stdout.splitlines()]
    assert [row["place"] for row in logged] == list(range(9))
    assert (logged[4]["bad"] < 0.05, logged[5]["bad"] > 0.94) == (True, True)
    text = kvmperf("bisect", "log", cwd=tree).stdout
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 72


def test_git_bisect_run_finds_it_too(kvmperf, tmp_path):
    tree = make_tree(tmp_path, commits=6, first_bad=3)
    start(kvmperf, tmp_path, tree)
    git(tree, "bisect", "start", "main", "c0")
    step = [sys.executable, "-m", "cli", "bisect", "step"]
    root = Path(__file__).resolve().parents[2]

    done = git(
        tree, "bisect", "run", *step,
        env={"KVMPERF_DB": f"sqlite:///{tmp_path / 'k.db'}", "PYTHONPATH": str(root)}.items(),
    )  # fmt: skip

    assert f"{git(tree, 'rev-parse', 'c3').stdout.strip()} is the first bad commit" in done.stdout.replace("\n", " ")


def test_commits_that_cannot_be_built_are_passed_over(kvmperf, tmp_path):
    tree = make_tree(tmp_path, commits=5, first_bad=3, broken=(2,))
    start(kvmperf, tmp_path, tree)

    lines = kvmperf("bisect", "resume", cwd=tree).stdout.splitlines()

    wanted = [git(tree, "rev-parse", name).stdout.strip() for name in ("c3", "c2")]
    assert lines[:3] == ["the first bad commit is one of:", *wanted] or lines[0].startswith(wanted[0])


def test_a_changed_host_stops_git_and_says_why(kvmperf, tmp_path):
    tree = make_tree(tmp_path, commits=2, first_bad=1)
    facts = Path(__file__).resolve().parents[2] / "fixtures" / "demo" / "series" / "ic-1" / "host.json"
    mine = tmp_path / "host.json"
    shutil.copy(facts, mine)
    start(kvmperf, tmp_path, tree, "--host-facts", mine)
    kvmperf("bisect", "step", cwd=tree)
    told = json.loads(mine.read_text())
    told.get("state", told)["thp.enabled"] = "never"
    mine.write_text(json.dumps(told))

    done = kvmperf("bisect", "step", cwd=tree, code=129)

    assert "the host changed since the bisection began: thp.enabled" in done.stderr
    assert git(tree, "rev-parse", "--abbrev-ref", "HEAD").stdout.strip() == "main"


def test_after_a_kill_it_goes_on_where_it_was(kvmperf, tmp_path):
    """Killed while the bad end was measured; the last line of the journal is broken off as well."""
    tree = make_tree(tmp_path, commits=2, first_bad=1)
    start(kvmperf, tmp_path, tree, bad="c2")
    git(tree, "checkout", "-q", "-b", "mine", "c0")
    bench = tmp_path / "bench.py"
    real = bench.read_text()
    bench.write_text("import os\nos.kill(os.getppid(), 9)\n")
    kvmperf("bisect", "step", cwd=tree, code=-9)
    bench.write_text(real)
    assert git(tree, "rev-parse", "--abbrev-ref", "HEAD").stdout.strip() == "HEAD"
    with (tree / ".git" / "kvmperf-bisect.jsonl").open("a") as file:
        file.write('{"event": "ski')

    kvmperf("bisect", "step", cwd=tree)

    (row,) = [json.loads(line) for line in kvmperf("bisect", "log", "--json", cwd=tree).stdout.splitlines()]
    assert (row["place"], row["runs"]) == (2, 3)
    assert git(tree, "rev-parse", "--abbrev-ref", "HEAD").stdout.strip() == "mine"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"good": "nowhere"}, "'nowhere': no commit in"),
        ({"good": "main", "bad": "c0"}, "is no first-parent ancestor of"),
    ],
)
def test_ends_that_cannot_be_meant_are_refused(kvmperf, tmp_path, words, says):
    tree = make_tree(tmp_path, commits=1)

    assert says in start(kvmperf, tmp_path, tree, **words, code=1).stderr


def test_trouble_is_never_an_answer_for_git(kvmperf, tmp_path):
    tree = make_tree(tmp_path, commits=1)
    assert "no bisection was started" in kvmperf("bisect", "step", cwd=tree, code=129).stderr
    kvmperf("bisect", "step", cwd=tmp_path, code=129)
    bench = tmp_path / "bench"
    bench.touch(mode=0o755)
    kvmperf("bisect", "start", "--good", "c0", "--bad", "main", *METRIC, "--host", "lab", "--", bench, cwd=tree)
    bench.unlink()
    assert f"{bench}: No such file" in kvmperf("bisect", "step", cwd=tree, code=129).stderr


def test_a_program_that_is_not_there_is_refused_at_the_start(kvmperf, tmp_path):
    tree = make_tree(tmp_path, commits=1)
    (tree / "plain.sh").touch(mode=0o644)
    words = ("bisect", "start", "--good", "c0", "--bad", "main", *METRIC, "--")

    for name, says in (
        ("./nosuch.sh", "no such program"),
        ("no-such", "no such program"),
        ("./plain.sh", "is not exe"),
    ):
        assert f"kvmperf: {name}: {says}" in kvmperf(*words, name, cwd=tree, code=1).stderr
    assert not (tree / ".git" / "kvmperf-bisect.jsonl").exists()


def test_a_tree_with_local_changes_is_not_measured(kvmperf, tmp_path):
    tree = make_tree(tmp_path, commits=2, first_bad=1)
    start(kvmperf, tmp_path, tree)
    git(tree, "checkout", "-q", "--detach", "main")  # the bad end, which is measured first
    (tree / "cost").write_text("1.0\n")

    refused = [
        kvmperf("bisect", "resume", cwd=tree, code=1).stderr,
        kvmperf("bisect", "step", cwd=tree, code=129).stderr,
        start(kvmperf, tmp_path, tree, code=1).stderr,
    ]
    git(tree, "stash")
    git(tree, "bisect", "start", "main", "c0")
    (tree / "cost").write_text("1.0\n")
    refused.append(kvmperf("bisect", "step", cwd=tree, code=129).stderr)

    says = "kvmperf: local changes: cost\n  hint: commit or stash them: what is measured must be a commit\n"
    assert refused == [says] * 4
    assert not (tmp_path / "count").exists(), "the benchmark ran"


def test_what_git_says_is_shown_whole_on_one_line(kvmperf, tmp_path):
    tree = make_tree(tmp_path, commits=2, first_bad=1, broken=(2,))
    start(kvmperf, tmp_path, tree, bad="main")
    git(tree, "checkout", "-q", "c0")
    (tree / "broken").write_text("mine\n")

    (line,) = kvmperf("bisect", "resume", cwd=tree, code=1).stderr.splitlines()

    assert line.startswith("kvmperf: git checkout: error: The following untracked working tree files would be")
    assert "checkout: broken Please move or remove them" in line


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (
            ("--metric", "clear_dirty_log_tme.round1"),
            "what came out: clear_dirty_log_time.round1, clear_dirty_log_time",
        ),
        (
            ("--benchmark", "dirty_lgo"),
            "--benchmark, --param or --host leave out clear_dirty_log_time.round1 of dirty_log",
        ),
    ],
)
def test_a_metric_that_does_not_come_out_ends_it_after_one_visit(kvmperf, tmp_path, words, hint):
    tree = make_tree(tmp_path, commits=2, first_bad=1)
    start(kvmperf, tmp_path, tree, *words)

    said = kvmperf("bisect", "resume", cwd=tree, code=1).stderr

    assert "kvmperf: the bad end cannot be tested: no value of 'clear_dirty_log_" in said
    assert f"  hint: {hint}" in said
    assert (tmp_path / "count").read_text() == "3"


def test_earlier_runs_that_count_are_told(kvmperf, tmp_path):
    tree = make_tree(tmp_path, commits=2, first_bad=1, effect=1.5)
    assert "earlier" not in start(kvmperf, tmp_path, tree).stderr
    kvmperf("bisect", "resume", cwd=tree)
    measured = (tmp_path / "count").read_text()

    said = [start(kvmperf, tmp_path, tree).stderr, kvmperf("bisect", "resume", cwd=tree).stderr]

    line = f"{measured} earlier runs count: this database has measured these commits (start with --db to use another)"
    assert [text.splitlines()[0] for text in said] == [line, line]
    assert (tmp_path / "count").read_text() == measured


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("step", "--nonsense"), 130),
        (("step", "extra"), 130),
        (("stepp",), 130),
        (("--x", "step"), 130),
        ((), 130),
        (("start",), 2),
        (("log", "--nonsense"), 2),
    ],
)
def test_wrong_usage_is_no_answer_for_git_either(words, code):
    """`git bisect run` takes 1 to 127 for "bad"."""
    done = CliRunner().invoke(app, ["bisect", *words])

    assert done.exit_code == code
