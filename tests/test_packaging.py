"""What is installed is whole: the wheel outside of its checkout, the units and containers beside it."""

import ipaddress
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import httpx2
import pytest
import workspace
import yaml
from typer.main import get_command

from cli.main import app

ROOT = Path(__file__).resolve().parent.parent
UNITS = sorted((ROOT / "packaging" / "systemd").iterdir())
COMPOSE = ROOT / "packaging" / "compose.yaml"
CONTAINER = ROOT / "packaging" / "Containerfile"
ENVIRONMENT = ROOT / "packaging" / "environment"
INSTALL = ROOT / "docs" / "install.md"


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


def settings(unit):
    """The directives of a unit by section and name; one that stands twice keeps both."""
    found, section = {}, ""
    for line in unit.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line:
            name, _, value = line.partition("=")
            found[section, name] = f"{found.get((section, name), '')} {value}".strip()
    return found


SERVICES = {unit.stem.removeprefix("kvmperf-"): settings(unit) for unit in UNITS if unit.suffix == ".service"}


def test_services_by_hand_and_the_image_use_one_database():
    (told,) = re.findall(r"^KVMPERF_DB=(.*)$", ENVIRONMENT.read_text(), re.MULTILINE)

    assert all(f"KVMPERF_DB={told}" in one["Service", "Environment"].split() for one in SERVICES.values())
    assert f"KVMPERF_DB={told}" in CONTAINER.read_text()
    assert f"`{told.removeprefix('sqlite:///')}`" in INSTALL.read_text()


def test_services_have_the_folders_that_they_write_to():
    folders = {"StateDirectory": "/var/lib", "CacheDirectory": "/var/cache", "LogsDirectory": "/var/log"}
    for name, unit in SERVICES.items():
        made = [f"{top}/{one}" for key, top in folders.items() for one in unit.get(("Service", key), "").split()]
        named = re.findall(r"/var/\w+/\w+", " ".join(unit.values()))
        assert {place for place in named if place not in made} == set(), name
    for name in ("serve", "dashboard", "detect"):
        assert "NUMBA_CACHE_DIR=/var/cache/kvmperf" in SERVICES[name]["Service", "Environment"].split()
    (log,) = re.findall(r'path = "(/var/log/[^"]*)/', (ROOT / "docs" / "notifications.md").read_text())
    assert log == f"/var/log/{SERVICES['notify']['Service', 'LogsDirectory']}"


def test_services_wait_for_a_database_that_comes_back_late():
    for name in ("serve", "dashboard", "notify"):
        assert SERVICES[name]["Service", "Restart"] == "on-failure"
        assert int(SERVICES[name]["Service", "RestartSec"]) >= 10
    for name in ("serve", "dashboard"):
        assert SERVICES[name]["Unit", "StartLimitIntervalSec"] == "0"


def test_the_token_of_the_documentation_is_known_to_the_server(tmp_path):
    """The commands of "As services", with another folder in place of /var/lib."""
    lines = [line.strip() for line in INSTALL.read_text().splitlines()]
    start = lines.index("set -a; . /etc/kvmperf/environment; set +a")
    script = "\n".join(lines[start : start + 3]).replace("runuser -u kvmperf -- /opt/kvmperf/bin/kvmperf", "$KVMPERF")
    (tmp_path / "environment").write_text(ENVIRONMENT.read_text().replace("/var/lib/kvmperf", str(tmp_path)))
    unit = SERVICES["serve"]["Service", "Environment"].replace("/var/lib/kvmperf", str(tmp_path))
    server = {**os.environ, **dict(word.split("=", 1) for word in unit.split())}
    command = [sys.executable, "-m", "cli"]
    script = script.replace("/etc/kvmperf/environment", str(tmp_path / "environment"))
    with workspace.serving(server) as address:
        run(
            "sh",
            "-c",
            script,
            env={**os.environ, "KVMPERF": shlex.join(command), "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
        )
        token = (tmp_path / "bench1.token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx2.get(f"{address}/api/v1/runs", headers=headers, trust_env=False)

    assert answer.status_code == 403  # known, and it may upload only
    assert (tmp_path / "bench1.token").stat().st_mode & 0o777 == 0o600


def test_what_git_ignores_is_in_no_image():
    ignored = (ROOT / ".gitignore").read_text().split()
    lines = (ROOT / ".dockerignore").read_text().splitlines()

    assert {one for one in ignored if one not in lines and f"**/{one}" not in lines} == set()
    assert ".git" in lines


def test_every_loop_in_a_container_can_be_ended():
    services = yaml.safe_load(COMPOSE.read_text())["services"]

    assert all(one["init"] for name, one in services.items() if name != "database")
    assert "VOLUME /var/lib/kvmperf" in CONTAINER.read_text()


def test_the_server_in_a_container_believes_the_gateway_and_nobody_else():
    told = yaml.safe_load(COMPOSE.read_text())
    (network,) = told["networks"]["default"]["ipam"]["config"]

    assert told["services"]["serve"]["environment"]["FORWARDED_ALLOW_IPS"] == network["gateway"]
    assert ipaddress.ip_address(network["gateway"]) in ipaddress.ip_network(network["subnet"])
