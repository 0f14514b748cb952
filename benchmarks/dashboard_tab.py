"""A browser without a driver: pages are opened as by hand and asked only whether they are finished.

A driver switches the debugger on, and V8 then finds out for each error that a script throws and catches where it was
thrown: it reads the library of the figures (4.7 MB) four times more, which nobody sees who has no debugger open.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from websockets.sync.client import connect

_OPENER = build_opener(ProxyHandler({}))  # loopback is never behind a proxy
_PATIENCE_S = 180.0
_LOOK_S = 0.01


class Tab:
    """One page of the browser. `evaluate` asks it something, and switches nothing on for that."""

    def __init__(self, browser: str, url: str) -> None:
        wanted = Request(f"{browser}/json/new?{quote(url, safe='')}", method="PUT")  # noqa: S310 (our own browser)
        with _OPENER.open(wanted) as answer:
            told = json.load(answer)
        self._browser, self._id, self._asked = browser, told["id"], 0
        self._line = connect(told["webSocketDebuggerUrl"], proxy=None, max_size=None)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page, or what its promise holds; None where there is none, or an error."""
        self._asked += 1
        told = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        self._line.send(json.dumps({"id": self._asked, "method": "Runtime.evaluate", "params": told}))
        while True:
            answer = json.loads(self._line.recv(timeout=_PATIENCE_S))
            if answer.get("id") == self._asked:
                return answer["result"].get("result", {}).get("value")

    def wait_for(self, function: str) -> None:
        """Wait until a function without arguments is true in the page."""
        end = time.monotonic() + _PATIENCE_S
        while not self.evaluate(f"({function})()"):
            if time.monotonic() > end:
                raise TimeoutError(function)
            time.sleep(_LOOK_S)

    def seconds(self) -> float:
        """From the start of the navigation until what stands on the page now is on the screen, too."""
        drawn = "new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
        return float(self.evaluate(f"{drawn}.then(() => performance.now())")) / 1000

    def close(self) -> None:
        """Close the page."""
        self._line.close()
        _OPENER.open(f"{self._browser}/json/close/{self._id}").close()


@contextmanager
def browser(program: str, flags: Sequence[str]) -> Iterator[Callable[[str], Tab]]:
    """Start a browser with a profile of its own, which keeps what it fetches; yields what opens a page."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        place = [f"--user-data-dir={profile}", "--remote-debugging-port=0"]
        shape = ["--headless=new", "--window-size=1280,1000"]
        child = subprocess.Popen([program, *flags, *shape, *place, "about:blank"], stderr=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{_port(Path(profile))}"
            yield lambda url: Tab(address, url)
        finally:
            child.terminate()
            child.wait(20)


def _port(profile: Path) -> int:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        try:
            return int((profile / "DevToolsActivePort").read_text().splitlines()[0])
        except (OSError, IndexError, ValueError):
            time.sleep(0.05)
    raise TimeoutError("the browser did not start")
