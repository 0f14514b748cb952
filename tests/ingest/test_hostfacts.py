"""Host facts against captured hosts, the running machine, cut-off files, and an old Python."""

import ast
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pythons import old_python

from db.hoststate import differences, state_digest
from ingest.errors import InputError
from ingest.hostfacts import FactsError, read_folder, read_json, read_machine
from ingest.hostfacts.collect import collect
from ingest.hostfacts.given import read_given
from ingest.hostfacts.sources import Machine

ROOT = Path(__file__).resolve().parents[2]
HOSTS = ROOT / "fixtures" / "hosts"
LAB = ROOT.parent / "shared" / "corpus" / "kvm-lab" / "ab"
PACKAGE = ROOT / "ingest" / "hostfacts"
NAMES = ["tcg-6.1", "tcg-6.12"]

needs_lab = pytest.mark.skipif(not LAB.is_dir(), reason="the lab's captures are not on this machine")


@pytest.fixture
def host(tmp_path):
    return Path(shutil.copytree(HOSTS / "tcg-6.1", tmp_path / "host"))


@pytest.mark.parametrize("name", NAMES)
def test_captured_hosts_give_the_expected_facts(name):
    assert read_folder(HOSTS / name) == read_json(HOSTS / f"{name}.json")


@pytest.mark.parametrize("name", NAMES)
def test_json_returns_the_same_facts(name, tmp_path):
    facts = read_folder(HOSTS / name)
    (tmp_path / "facts.json").write_text(facts.to_json())

    assert read_json(tmp_path / "facts.json") == facts
    assert read_folder(tmp_path) == facts


def test_the_running_machine_is_read_twice_alike():
    first, second = read_machine(), read_machine()

    assert first.state
    assert first.kernel_release
    assert state_digest(first.state) == state_digest(second.state)


class _Capturing(Machine):
    """Writes down what it reads, as a capture script does."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def raw(self, path):
        found = super().raw(path)
        if found and not path.endswith(".gz"):
            self._write(path, found)
        return found

    def names(self, path):
        found = super().names(path)
        for name in found:
            entry = self.folder / path.lstrip("/") / name
            if not entry.exists():
                entry.mkdir(parents=True)
        return found

    def command(self, name):
        found = super().command(name)
        self._write(name + ".txt", found.encode())
        return found

    def _write(self, path, content):
        file = self.folder / path.lstrip("/")
        if file.is_dir():
            file.rmdir()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def test_a_capture_of_the_running_machine_gives_its_state(tmp_path):
    running = collect(_Capturing(tmp_path))
    (tmp_path / "uname-a.txt").write_text(Machine().uname())
    captured = read_folder(tmp_path)

    known = {field for field in captured.state if not field.startswith("kernel.debug.")}  # config.gz is not copied
    assert {field: captured.state[field] for field in known} == {field: running.state[field] for field in known}
    assert {field for field in running.state if not field.startswith("kernel.debug.")} == known
    assert (captured.hostname, captured.boot_id) == (running.hostname, running.boot_id)


def test_the_machine_id_leaves_its_host_only_as_a_salted_hash(host):
    (host / "machine-id.txt").write_text("0123456789abcdef0123456789abcdef\n")

    facts = read_folder(host)

    assert len(facts.machine_id_hash) == 64
    assert facts.machine_id_hash != hashlib.sha256(b"0123456789abcdef0123456789abcdef").hexdigest()
    assert "0123456789abcdef" not in facts.to_json()


def test_a_captured_boot_id_is_known(host):
    (host / "boot_id.txt").write_text("235f6ac6-d0f7-43e3-8912-f8db7391ae7c\n")

    assert read_folder(host).boot_id == "235f6ac6-d0f7-43e3-8912-f8db7391ae7c"


def test_what_is_missing_is_absent_and_named(host):
    (host / "proc-cmdline.txt").unlink()
    (host / "lscpu.json").unlink()

    facts = read_folder(host)

    assert "kernel.cmdline" not in facts.state
    assert {"/proc/cmdline", "lscpu"} <= set(facts.unreadable)
    assert facts.state["cpu.model"] == "QEMU TCG CPU version 2.5+"


def test_lscpu_stands_in_for_a_missing_cpuinfo(host):
    whole = read_folder(host)
    (host / "proc-cpuinfo.txt").unlink()

    without = read_folder(host)

    assert [d.field for d in differences(whole.state, without.state)] == ["microcode"]


def test_any_file_cut_off_anywhere_gives_facts(host):
    for file in sorted(path for path in host.rglob("*") if path.is_file()):
        whole = file.read_bytes()
        parts = 8 if file.parent == host else 2  # below sys/ a file holds one value
        for part in range(parts):
            file.write_bytes(whole[: len(whole) * part // parts])
            assert read_folder(host).kernel_release
        file.write_bytes(b"\xff\xfe\x00" + whole)
        assert read_folder(host).state
        file.write_bytes(whole)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("{}", "not host facts"),
        ("[]", "not host facts"),
        ('{"format": "kvmperf-facts", "version": 99}', "version 99"),
        ('{"format": "kvmperf-facts", "version": 1, "state": []}', "named values"),
        ('{"format": "kvmperf-facts", "version": 1, "state": {"a": 1}}', "text"),
        ('{"format": "kvmperf-facts", "version": 1, "unreadable": "x"}', "list"),
    ],
)
def test_other_json_is_refused_in_words(content, says, tmp_path):
    (tmp_path / "x.json").write_text(content)

    with pytest.raises(FactsError, match=says):
        read_json(tmp_path / "x.json")


def test_a_prefix_of_a_facts_json_is_refused_or_read(tmp_path):
    whole = (HOSTS / "tcg-6.1.json").read_text()
    for end in range(0, len(whole) - 2, 97):
        (tmp_path / "x.json").write_text(whole[:end])
        with pytest.raises(FactsError):
            read_json(tmp_path / "x.json")


def test_a_path_without_facts_says_what_to_do(tmp_path):
    for path in (tmp_path, tmp_path / "missing", tmp_path / "missing.json"):
        with pytest.raises(InputError, match=str(path)) as caught:
            read_given(path)
        assert caught.value.hint


@pytest.mark.parametrize("python", [sys.executable, old_python()], ids=["this", "3.8"])
def test_the_package_alone_reads_facts(python, tmp_path):
    if not python:
        pytest.skip("there is no python3.8 here")
    shutil.copytree(PACKAGE, tmp_path / "hostfacts", ignore=shutil.ignore_patterns("given.py", "__pycache__"))
    program = "import sys, hostfacts, pathlib; print(hostfacts.read_folder(pathlib.Path(sys.argv[1])).to_json())"

    done = subprocess.run(
        [python, "-c", program, HOSTS / "tcg-6.12"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout == (HOSTS / "tcg-6.12.json").read_text()


@pytest.mark.parametrize("file", sorted(PACKAGE.glob("*.py")), ids=lambda file: file.name)
def test_collecting_files_keep_to_python_3_8_and_to_themselves(file):
    if file.name == "given.py":
        pytest.skip("the collector leaves it out")
    tree = ast.parse(file.read_text(), feature_version=(3, 8))

    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 0]
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    tops = {name.split(".")[0] for name in named + [str(node.module) for node in imported]}
    assert tops <= sys.stdlib_module_names


@needs_lab
def test_only_the_parameter_under_test_differs_between_two_sides():
    left, right = (read_folder(LAB / side / "ic-il2" / "host").state for side in ("a1", "b"))

    assert [d.field for d in differences(left, right)] == ["kvm.eager_page_split"]
    assert differences(left, right, ["kvm.eager_page_split"]) == ()


@needs_lab
def test_two_boots_of_one_host_have_one_state():
    first, second = (read_folder(LAB / "a2" / boot / "host") for boot in ("mt-il1", "mt-il2"))

    assert differences(first.state, second.state) == ()
    assert state_digest(first.state) == state_digest(second.state)
