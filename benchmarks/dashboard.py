"""How long the pages take on a large database: the server's time, the time to the finished page, twenty sessions.

    python benchmarks/generate.py sqlite:////tmp/large.db      # once: 10 million values
    python benchmarks/dashboard.py sqlite:////tmp/large.db [--rounds 5] [--sessions 20]

Server: wall time of the script runs of a visit, inside a real server. Page: from navigation in a real Chromium (a new
tab) until Streamlit says that it has finished and every figure is on the screen. The browser has a profile on disk, as
people's browsers have, was here before (the program's own files are in its cache), and has no debugger open: what is
clicked and typed is measured with a driver, and a driver slows the start of a page (dashboard_tab.py).
"new data": the first visit after an upload, when nothing is cached; an empty upload is stored before each.
"from another page": a click in the navigation of a dashboard that is open, as people mostly come to a page.
"again": the next visit. "CPU" is the processor time of the script's thread, "all CPU" that of server and browser
together: where other work shares the machine, these say what a quiet one would need at most.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import dashboard_sessions  # noqa: E402
import dashboard_tab  # noqa: E402
import generate  # noqa: E402
from browsing import CHROMIUM, FLAGS  # noqa: E402
from dashboard_process import Server, processor_of_all  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402
from sqlalchemy import insert  # noqa: E402

from dashboard.parts.wording import parameters_text  # noqa: E402
from db.engine import connect, writing  # noqa: E402
from db.models import Upload  # noqa: E402


@dataclass(frozen=True)
class Budget:
    """Seconds that a page may take: inside the script, and to the finished page."""

    path: str
    page: float
    server: float | None = None


def large_figure() -> str:
    """The Trends page with the ten test cases by twenty metrics of `host00` that have a thousand nights."""
    cases = [parameters_text(generate.parameters(number)) for number in sorted(generate.LONG_CASES)]
    return "trends?" + urlencode({"benchmark": generate.BENCHMARKS[0], "host": "host00", "case": cases}, doseq=True)


PAGES = {
    "Inbox": Budget("inbox", 1.0),
    "Run": Budget("run?run=5000", 1.0),
    "Hosts": Budget("hosts", 1.0),
    "Hosts, one": Budget("hosts?host=host03", 1.0),
    "Compare, 350,000 rows": Budget("compare?base=release-3&head=release-4&host=host01", 2.0, 1.0),
    "Trends, 200 x 1,000": Budget(large_figure(), 2.0),
}
WIDE = "compare?base=release-3&head=release-4"
_PATIENCE_S = 180
_FINISHED = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  const busy = '[data-testid=stStatusWidget], [data-testid=stSkeleton], [data-testid=stSpinner]';
  if (!app || app.dataset.testScriptState !== 'notRunning' || document.querySelector(busy)) return false;
  if (!document.querySelector('[data-testid=stHeading], [data-testid=stAlert]')) return false;
  const figures = [...document.querySelectorAll('[data-testid=stPlotlyChart]')];
  const marks = [...document.querySelectorAll('[data-testid=stVegaLiteChart]')];
  return figures.every(figure => figure.querySelector('.main-svg')) && marks.every(one => one.querySelector('.marks'));
}"""
_ARRIVED = "name => document.querySelector('[data-testid=stHeading]')?.innerText.trim() === name"


@contextmanager
def chromium(address: str) -> Iterator[Callable[[str], Page]]:
    """Opens a page of the dashboard in a browser with a driver, to click and type in; returns it finished."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(_PATIENCE_S * 1000)

        def visit(path: str) -> Page:
            page = context.new_page()
            page.goto(address + path)
            page.wait_for_function(_FINISHED, polling=20)
            return page

        yield visit
        browser.close()


Open = Callable[[str], dashboard_tab.Tab]


@contextmanager
def tabs(address: str) -> Iterator[Open]:
    """Opens a page of the dashboard in a new tab, as by hand; returns it finished."""
    with dashboard_tab.browser(CHROMIUM, FLAGS) as browser:

        def opened(path: str) -> dashboard_tab.Tab:
            tab = browser(address + path)
            tab.wait_for(_FINISHED)
            return tab

        yield opened


def alone(place: Path, rounds: int) -> None:
    """What an empty page costs: Streamlit, the browser, and this machine as it is now."""
    script = place / "empty.py"
    script.write_text("import streamlit as st\nst.title('Nothing')\n")
    server = Server("", place / "empty", str(script))
    try:
        with tabs(server.address) as opened:
            warm(opened, [""])
            told("Streamlit alone: one heading", [measured(server, opened, "") for _ in range(rounds)], None)
    finally:
        server.stop()


def warm(opened: Open, paths: Sequence[str]) -> None:
    """Come three times: files are in the cache then, and what machine code the browser keeps."""
    for _ in range(3):
        for path in paths:
            opened(path).close()


def new_data(url: str) -> None:
    """Store an empty upload: whatever was cached is of the past now."""
    with writing(connect(url)) as connection:
        connection.execute(insert(Upload.__table__), [{"received_at": datetime.now(UTC), "origin": "benchmark"}])


def p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


Row = tuple[float, float, float, float]  # server wall and processor, page, processor of server and browser


def measured(server: Server, opened: Open, path: str) -> Row:
    server.runs()
    before = processor_of_all()
    tab = opened(path)
    took = tab.seconds()
    used = processor_of_all() - before
    tab.close()
    wall, processor, _ = server.runs()
    return wall, processor, took, used


def told(name: str, rows: Sequence[Row], budget: Budget | None) -> bool:
    """Print one line; whether the medians are within the budget."""
    wall, processor, page = ([row[i] for row in rows] for i in range(3))
    middle, server = statistics.median(page), statistics.median(wall)
    used = statistics.median(row[3] for row in rows)
    line = f"{name:<38}{server:>8.2f}{p95(wall):>7.2f}{statistics.median(processor):>8.2f}"
    line += f"{middle:>9.2f}{p95(page):>7.2f}{used:>8.2f}"
    if budget is None:
        print(f"{line}   (no budget)", flush=True)
        return True
    is_met = middle <= budget.page and (budget.server is None or server <= budget.server)
    limits = f"page {budget.page:g}" + (f", server {budget.server:g}" if budget.server else "")
    print(f"{line}   {limits}: {'met' if is_met else 'MISSED'}", flush=True)
    return is_met


def pages(url: str, server: Server, opened: Open, rounds: int) -> dict[str, bool]:
    met = {}
    for name, budget in PAGES.items():
        fresh, again = [], []
        for _ in range(rounds):
            new_data(url)
            fresh.append(measured(server, opened, budget.path))
            again.append(measured(server, opened, budget.path))
        met[f"{name}, new data"] = told(f"{name}, new data", fresh, budget)
        met[f"{name}, again"] = told(f"{name}, again", again, budget)
    new_data(url)
    told("Compare, all hosts (600,000), new data", [measured(server, opened, WIDE)], None)
    told("Compare, all hosts (600,000), again", [measured(server, opened, WIDE)], None)
    return met


def act(server: Server, page: Page, work: Callable[[], object]) -> Row:
    """Do something to a page and wait until the run that it causes has finished, here and there.

    A short run is over before the browser has drawn that it began, so that the server is asked.
    """
    server.runs()
    before, began = processor_of_all(), time.perf_counter()
    work()
    while not server.has_run() and time.perf_counter() - began < _PATIENCE_S:
        page.wait_for_timeout(5)
    page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    page.wait_for_function(_FINISHED, polling=20)
    took = time.perf_counter() - began
    wall, processor, _ = server.runs()
    return wall, processor, took, processor_of_all() - before


def within(server: Server, visit: Callable[[str], Page], rounds: int) -> dict[str, bool]:
    """From page to page by the navigation, in one tab: without and with new data."""
    met = {}
    page = visit("operation")
    for name in ("Inbox", "Run", "Hosts"):
        fresh, again = [], []
        for rows, before in ((fresh, True), (again, False)):
            for _ in range(rounds):
                if before:
                    new_data(server.url)
                went(server, page, "Operation")
                rows.append(went(server, page, name))
        for kind, rows in (("new data", fresh), ("again", again)):
            title = f"{name}, from another page, {kind}"
            met[title] = told(title, rows, Budget("", 1.0))
    page.close()
    return met


def went(server: Server, page: Page, name: str) -> Row:
    """Click a page's link in the navigation and wait until that page is finished."""
    server.runs()
    before, began = processor_of_all(), time.perf_counter()
    page.get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_function(_ARRIVED, arg=name, polling=20)
    page.wait_for_function(_FINISHED, polling=20)
    took = time.perf_counter() - began
    used = processor_of_all() - before
    wall, processor, _ = server.runs()
    return wall, processor, took, used


def changes(server: Server, visit: Callable[[str], Page], rounds: int) -> dict[str, bool]:
    """Filter changes on pages that are open."""
    met = {}
    limit = Budget("", 1.0)
    page = visit(PAGES["Compare, 350,000 rows"].path)
    shown = page.get_by_test_id("stButtonGroup").first
    words = ("everything", "regressions", "improvements", "changes")
    found = [
        act(server, page, lambda word=word: shown.get_by_role("radio", name=word, exact=True).click())
        for _ in range(rounds)
        for word in words
    ]
    met["Compare: what is shown"] = told("Compare: what is shown", found, limit)
    page.close()
    page = visit(PAGES["Inbox"].path)
    page.get_by_text("Filters", exact=True).click()
    page.get_by_role("combobox", name="Hosts").wait_for()
    found = [act(server, page, lambda host=host: pick(page, "Hosts", host)) for host in hosts_of(page)[: 2 * rounds]]
    met["Inbox: a host more"] = told("Inbox: a host more", found, limit)
    page.close()
    page = visit(PAGES["Trends, 200 x 1,000"].path)
    label = "Metrics"
    found = [act(server, page, lambda i=i: pick(page, label, f"metric_{i:02}")) for i in range(4, 4 + rounds)]
    met["Trends: a metric chosen"] = told("Trends: a metric chosen", found, limit)
    page.close()
    return met


def hosts_of(page: Page) -> list[str]:
    page.get_by_role("combobox", name="Hosts").click()
    found = page.get_by_role("option").all_inner_texts()
    page.keyboard.press("Escape")
    return [one for one in found if one.startswith("host")]


def pick(page: Page, label: str, option: str) -> None:
    box = page.get_by_role("combobox", name=label)
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).click()


def zoom(server: Server, visit: Callable[[str], Page]) -> bool:
    """Drag a range in the large figure: how long until it is drawn, and whether the server heard of it."""
    page = visit(PAGES["Trends, 200 x 1,000"].path)
    server.runs()
    place = page.locator("[data-testid=stPlotlyChart] .nsewdrag").first.bounding_box()
    assert place is not None
    drawn = "() => { window.drawn = 0; const f = document.querySelector('.js-plotly-plot'); f.on('plotly_relayout', () => requestAnimationFrame(() => window.drawn += 1)); }"  # noqa: E501
    took = []
    for part in (0.3, 0.6):
        page.evaluate(drawn)
        page.mouse.move(place["x"] + place["width"] * part, place["y"] + place["height"] / 2)
        page.mouse.down()
        page.mouse.move(place["x"] + place["width"] * (part + 0.2), place["y"] + place["height"] / 2, steps=5)
        began = time.perf_counter()
        page.mouse.up()
        page.wait_for_function("() => window.drawn > 0", polling=10)
        took.append(time.perf_counter() - began)
    page.wait_for_timeout(500)
    runs = server.runs()[2]
    page.close()
    print(f"{'Trends: zoom':<38}{'':>23}{statistics.median(took):>9.2f}   {runs} script runs")
    return runs == 0


def crowd(server: Server, sessions: int, each: int) -> bool:
    """Twenty people who look at a page, think some seconds, and look at the next."""
    wanted = {name: budget.path for name, budget in PAGES.items()}
    think = (2.0, 6.0)
    alone, _ = dashboard_sessions.visits(server.address, wanted, sessions=1, each=each, think=(0.0, 0.0))
    single = {name: statistics.median(s for n, s in alone if n == name) for name in wanted}
    many, errors = dashboard_sessions.visits(server.address, wanted, sessions=sessions, each=each, think=think)
    single_p95, crowd_p95 = p95([s for _, s in alone]), p95([s for _, s in many])
    ratio = p95([seconds / single[name] for name, seconds in many])
    print(f"\n{sessions} sessions, {len(many)} pages, thinking {think[0]:g} to {think[1]:g} s in between: ", end="")
    print(f"median {statistics.median(s for _, s in many):.2f} s, p95 {crowd_p95:.2f} s, errors {errors}")
    print(f"one session: median {statistics.median(s for _, s in alone):.2f} s, p95 {single_p95:.2f} s")
    is_met = crowd_p95 <= 3 * single_p95 and not errors
    print(f"p95 {crowd_p95 / single_p95:.1f} x one session's p95; page by page {ratio:.1f} x its median alone")
    return is_met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sessions", type=int, default=20)
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'seconds':<38}{'server':>8}{'p95':>7}{'CPU':>8}{'page':>9}{'p95':>7}{'all CPU':>8}")
    with tempfile.TemporaryDirectory() as place:
        alone(Path(place), given.rounds)
        server = Server(given.url, Path(place) / "runs")
        try:
            with tabs(server.address) as opened:
                warm(opened, [budget.path for budget in PAGES.values()])
                met = pages(given.url, server, opened, given.rounds)
            with chromium(server.address) as visit:
                met |= within(server, visit, given.rounds)
                met |= changes(server, visit, given.rounds)
                met["Trends: zoom without a script run"] = zoom(server, visit)
            met[f"{given.sessions} sessions: p95 within 3 times one session's, no error"] = crowd(
                server, given.sessions, 6
            )
        finally:
            server.stop()
    print(f"\nload {os.getloadavg()[0]:.1f}")
    for name, is_met in met.items():
        print(f"conclusion: {name}: {'within its budget' if is_met else 'OVER ITS BUDGET'}")


if __name__ == "__main__":
    main()
