"""The dashboard in a real Chromium, served by `kvmperf dashboard` on loopback."""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="BROWSER TESTS SKIPPED: playwright is not installed")

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
JUDGED = "compare?base=split-on&head=split-off&vary=kvm.eager_page_split"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="BROWSER TESTS SKIPPED: no Chromium here (Debian: apt install chromium)"),
]


@contextlib.contextmanager
def _dashboard(url):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from cli.main import main; main()", "dashboard", "--db", url, "--port", str(port)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
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


@pytest.fixture(scope="module")
def server(databases):
    with _dashboard(databases.sample) as (_, address):
        yield address


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shared_context(chromium):
    """One context for what needs no fresh browser: scripts are read and compiled once."""
    context = chromium.new_context()
    yield context
    context.close()


@pytest.fixture
def visit(chromium, shared_context, server):
    """Open an address, in a fresh browser if asked; a page error or a foreign request fails the test."""
    pages, wrong = [], []

    def visited(path, *, fresh=False, scheme="light"):
        page = (chromium.new_context() if fresh else shared_context).new_page()
        pages.append((page, fresh))
        page.set_default_timeout(PATIENCE_MS)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: _is_ours(request.url, server) or wrong.append(request.url))
        page.goto(path if path.startswith("http") else server + path)
        _settle(page)
        return page

    yield visited
    for page, fresh in pages:
        page.close()
        if fresh:
            page.context.close()
    assert wrong == []


def _is_ours(url, server):
    return url.startswith((server, server.replace("http", "ws"), "data:", "blob:"))


def _settle(page):
    """Wait until Streamlit has run and drawn everything."""
    page.wait_for_selector("[data-testid=stHeading], [data-testid=stAlert]")
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton]') &&"
        " document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
    )


def _overflow(page):
    return page.evaluate(
        "() => [document.documentElement, document.querySelector('[data-testid=stMain]')]"
        ".some(box => box.scrollWidth > box.clientWidth)"
    )


def _brightness(page):
    return page.evaluate(
        "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
        ".match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [f"{JUDGED}&row=1", "trends"])
def test_a_page_fits_wide_and_narrow_in_light_and_dark(visit, path, scheme):
    page = visit(path, scheme=scheme)

    assert page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0
    assert page.locator(".js-plotly-plot").count() >= 1
    assert not _overflow(page)
    assert (_brightness(page) < 80) == (scheme == "dark")

    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_timeout(500)
    assert not _overflow(page)


def test_the_bare_address_opens_the_first_page(visit):
    page = visit("")

    page.wait_for_url("**/compare*")
    assert page.get_by_role("heading", name="Compare").count() == 1


def test_a_view_is_restored_in_another_browser(visit):
    page = visit(JUDGED)
    page.get_by_role("button", name="Show everything").click()
    page.wait_for_url("**show=everything*")
    _settle(page)

    other = visit(page.url, fresh=True)

    assert other.get_by_role("radio", name="everything").get_attribute("aria-checked") == "true"
    assert other.get_by_text("are hidden").count() == 0
    assert other.get_by_text("Judged 24 of 24").first.is_visible()


def test_the_back_button_returns_to_the_view_before(visit):
    page = visit(JUDGED)
    page.get_by_role("button", name="Show everything").click()
    page.wait_for_url("**show=everything*")
    _settle(page)

    page.go_back()

    page.get_by_text("are hidden").wait_for()


def test_hostile_names_are_text_in_the_browser(visit, databases):
    query = urlencode({"base": databases.hostile, "head": f"{databases.hostile} 2", "vary": "microcode", "row": "25"})
    page = visit(f"compare?{query}")

    page.get_by_role("heading", name="<i>time</i>*[a-z]*").wait_for()
    seen = page.locator("[data-testid=stMain]").inner_text()
    assert "<script>alert(1)</script> **bold** $x^2$ :smile: [a](http" in seen
    inside = "[data-testid=stMain] :is(script, img[src=x], a[href*='x.example'], .katex)"
    assert page.locator(inside).count() == 0


def test_the_dashboard_ends_with_its_command(databases):
    with _dashboard(databases.empty) as (child, address):
        build_opener(ProxyHandler({})).open(f"{address}_stcore/health", timeout=5).close()

        child.send_signal(signal.SIGTERM)

        assert child.wait(15) == 0
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and _answers(address):
            time.sleep(0.1)
        assert not _answers(address)


def _answers(address):
    port = int(address.rstrip("/").rsplit(":", 1)[1])
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
