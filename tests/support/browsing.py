"""The dashboard served on loopback, and a real Chromium that looks at it."""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 60_000
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="BROWSER TESTS SKIPPED: no Chromium here (Debian: apt install chromium)"),
]


def free_port():
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextlib.contextmanager
def dashboard(url, *options, port=0, log=subprocess.DEVNULL):
    """`kvmperf dashboard` on a database: the process and its address, once it answers."""
    port = port or free_port()
    command = [sys.executable, "-c", "from cli.main import main; main()", "dashboard", "--db", url, "--port", str(port)]
    child = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert child.stdout is not None
        told = child.stdout.readline()
        while told and "http://" not in told:
            told = child.stdout.readline()
        assert f"http://127.0.0.1:{port}" in told
        yield child, f"http://127.0.0.1:{port}/"
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            child.wait(15)


@contextlib.contextmanager
def chromium():
    """The system's Chromium without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="BROWSER TESTS SKIPPED: playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(FLAGS))
        yield browser
        browser.close()


class Visits:
    """Pages opened in a test. `wrong` collects page errors, dialogs and requests to anywhere but the server."""

    def __init__(self, browser, context, server):
        self._browser, self._context, self._server = browser, context, server
        self._pages = []
        self.wrong = []

    def open(self, path, *, fresh=False, scheme="light", width=1280):
        """A page, drawn to its end."""
        page = (self._browser.new_context() if fresh else self._context).new_page()
        self._pages.append((page, fresh))
        page.set_default_timeout(PATIENCE_MS)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", lambda dialog: self.wrong.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: self._is_ours(request.url) or self.wrong.append(request.url))
        page.goto(path if path.startswith("http") else self._server + path)
        settle(page)
        return page

    def close(self):
        """Close what was opened."""
        for page, fresh in self._pages:
            page.close()
            if fresh:
                page.context.close()

    def _is_ours(self, url):
        return url.startswith((self._server, self._server.replace("http", "ws"), "data:", "blob:"))


def settle(page):
    """Wait until Streamlit has run and drawn everything."""
    page.wait_for_selector("[data-testid=stHeading], [data-testid=stAlert]")
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton]') &&"
        " document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
    )


def overflows(page):
    """Whether the page scrolls sideways, also after its figures had five seconds to follow the window."""
    return page.evaluate(
        "async () => { for (let look = 0; look < 50; look++) {"
        " const boxes = [document.documentElement, document.querySelector('[data-testid=stMain]')];"
        " if (boxes.every(box => box.scrollWidth <= box.clientWidth)) return false;"
        " await new Promise(next => setTimeout(next, 100)) } return true }"
    )


def brightness(page):
    """The mean of the background's colours, 0 to 255."""
    return page.evaluate(
        "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
        ".match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3"
    )
