"""What is installed is whole: the wheel outside of its checkout, the units and containers beside it."""

import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from cli.main import app

ROOT = Path(__file__).resolve().parent.parent
UNITS = sorted((ROOT / "packaging" / "systemd").iterdir())
COMPOSE = ROOT / "packaging" / "compose.yaml"


def run(*words, **more):
    done = subprocess.run(
        [str(word) for word in words], check=False, capture_output=True, text=True, timeout=300, **more
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The `kvmperf` of a virtual environment that has the wheel; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a build leaves files behind
    ignored = shutil.ignore_patterns(".*", "tests", "build", "__pycache__", "*.db")
    shutil.copytree(ROOT, source, ignore=ignored)
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, source)
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    (wheel,) = folder.glob("kvmperf-*.whl")
    python = folder / "venv" / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel)
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").strip()
    (Path(packages) / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "venv" / "bin" / "kvmperf"


def test_the_demo_runs_from_the_wheel(installed, tmp_path):
    told = run(installed, "demo", "--no-serve", cwd=tmp_path)

    assert "regression" in told
    assert "clear_dirty_log_time" in told


def test_the_wheel_is_our_packages_and_the_licence(installed):
    packages = next(installed.parents[1].glob("lib/python*/site-packages"))

    assert {path.name for path in packages.iterdir() if (path / "__init__.py").exists()} >= {"cli", "db", "stats"}
    assert not (packages / "tests").exists()
    assert list(packages.glob("kvmperf-*.dist-info/licenses/LICENSE"))
    assert list(packages.glob("db/migrations/versions/0*.py"))


def commands():
    """Every `kvmperf …` that a unit or a container starts."""
    for unit in UNITS:
        for line in re.findall(r"^ExecStart=\S*/kvmperf (.*)$", unit.read_text(), re.MULTILINE):
            yield shlex.split(line)
    for service in yaml.safe_load(COMPOSE.read_text())["services"].values():
        if isinstance(service.get("command"), list):
            yield service["command"]
        for line in re.findall(r"kvmperf (\w+)", " ".join(service.get("entrypoint", ()))):
            yield [line]


def test_units_and_containers_start_commands_that_exist():
    root = get_command(app)
    found = list(commands())
    for name, *options in found:
        known = {option for parameter in root.commands[name].params for option in parameter.opts}
        assert {word for word in options if word.startswith("--")} <= known, (name, options)

    assert {"serve", "dashboard", "detect", "notify"} <= {name for name, *_ in found}


def test_no_container_has_a_password_of_its_own():
    text = COMPOSE.read_text()

    assert re.findall(r"PASSWORD[^\n]*", text)
    assert all("${KVMPERF_DB_PASSWORD:?" in line for line in text.splitlines() if "PASSWORD: " in line)
    assert all(port.startswith("127.0.0.1:") for port in re.findall(r'ports: \["([^"]+)"\]', text))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here: units were not verified")
def test_systemd_knows_every_line_of_the_units(installed, tmp_path):
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/kvmperf/bin/kvmperf", str(installed)))
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
