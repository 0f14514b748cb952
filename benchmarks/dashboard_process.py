"""The dashboard in a process of its own, what it wrote down of its script runs, and what it and its browser use."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

ROOT = Path(__file__).resolve().parent.parent


class Server:
    """The dashboard in a process of its own, and what it wrote down of its script runs."""

    def __init__(self, url: str, lines: Path, *script: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url, self.address = url, f"http://127.0.0.1:{port}/"
        self._lines, self._read = lines, 0
        lines.touch()
        command = [sys.executable, str(ROOT / "benchmarks" / "dashboard_server.py"), str(port), str(lines), *script]
        environment = {**os.environ, "KVMPERF_DB": url, "PYTHONPATH": str(ROOT)}
        self._child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        opener = build_opener(ProxyHandler({}))
        for _ in range(600):
            try:
                opener.open(f"{self.address}_stcore/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.1)

    def runs(self) -> tuple[float, float, int]:
        """Wall and processor seconds of the script runs since the last question, and how many they were."""
        for _ in range(100):  # a run is written down after its last word to the browser
            if self._lines.stat().st_size > self._read:
                break
            time.sleep(0.01)
        with self._lines.open() as told:
            told.seek(self._read)
            found = [json.loads(line) for line in told.read().splitlines()]
            self._read = told.tell()
        return sum(one["wall"] for one in found), sum(one["cpu"] for one in found), len(found)

    def has_run(self) -> bool:
        """Whether a run has ended since the last question."""
        return self._lines.stat().st_size > self._read

    def stop(self) -> None:
        """End the process."""
        self._child.terminate()
        self._child.wait(20)


def processor_of_all() -> float:
    """Processor seconds of this process's descendants: the server, the browser and its pages."""
    parents: dict[int, tuple[int, float]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        parents[int(place.parent.name)] = (int(fields[1]), sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK"))
    wanted, found = [os.getpid()], 0.0
    for process in wanted:
        own = [(child, used) for child, (parent, used) in parents.items() if parent == process]
        wanted += [child for child, _ in own]
        found += sum(used for _, used in own)
    return found
