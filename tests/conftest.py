"""Fixtures for everything: no test touches the developer's own database, network proxies or settings."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
settings.load_profile("suite")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(autouse=True)
def _private_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("KVMPERF_") and name != "KVMPERF_UPDATE_GOLDEN":
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def shared() -> Path:
    """The corpus that lies beside a development checkout; nothing in the project needs it."""
    if not SHARED.is_dir():
        pytest.skip("the corpus ../shared is not here: this test compares against it")
    return SHARED


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[..., str]]:
    """Makes PostgreSQL databases and returns their addresses; with tables, or `empty=True` without."""
    import postgres

    from db.engine import connect

    number = itertools.count()
    with postgres.running() as server:
        server.execute("CREATE DATABASE with_tables")
        connect(server.url("with_tables"), create=True).dispose()

        def make(*, empty: bool = False) -> str:
            name = f"test{next(number)}"
            source = "template1" if empty else "with_tables"
            server.execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")
            return server.url(name)

        yield make


@pytest.fixture(scope="session")
def sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file to copy: running the migrations for each test would take longer than most tests."""
    from db.engine import connect

    path = tmp_path_factory.mktemp("sqlite") / "with-tables.db"
    connect(f"sqlite:///{path}", create=True).dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, sqlite_with_tables: Path) -> str:
    """The address of a new database with tables, on each engine in turn."""
    if request.param == "postgresql":
        made: str = request.getfixturevalue("postgresql")()
        return made
    shutil.copy(sqlite_with_tables, tmp_path / "each.db")
    return f"sqlite:///{tmp_path / 'each.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database in which nothing is yet, on each engine in turn."""
    if request.param == "postgresql":
        made: str = request.getfixturevalue("postgresql")(empty=True)
        return made
    return f"sqlite:///{tmp_path / 'empty.db'}"


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def kvmperf(tmp_path: Path) -> Run:
    """Runs the real command in a process of its own, as a user does; its database is a private one."""
    return runner(tmp_path / "k.db")


@pytest.fixture(scope="session")
def make_kvmperf() -> Callable[[Path], Run]:
    """Makes the command on a database of the caller's choice."""
    return runner


@pytest.fixture
def bound_kvmperf(tmp_path: Path) -> Run:
    """The same as somebody whom file permissions bind, also where the tests run as root."""
    import unprivileged

    return runner(tmp_path / "k.db", unprivileged.words())


def runner(database: Path, before: Sequence[str] = ()) -> Run:
    """The command on a database; `before` are words that stand before it."""
    environment = {**os.environ, "KVMPERF_DB": f"sqlite:///{database}"}

    def run(
        *words: object, code: int = 0, stdin: str = "", cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [*before, sys.executable, "-m", "cli", *map(str, words)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, input=stdin, cwd=cwd, check=False, timeout=300
        )
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        assert "Traceback" not in done.stderr
        return done

    return run
