"""Everything that is stored is text on every page: no script runs, no markdown is drawn, nothing is fetched."""

import json

import hostile_database
import pytest
from browsing import MARKS, Visits, dashboard

from dashboard.parts import drawing

pytestmark = MARKS

PAGES = {
    "inbox": "Inbox",
    "compare?show=everything&row=1": "Compare",
    "trends?raw=1": "Trends",
    "series?everything=1": "Patch series",
    "run": "Run",
    "run?run=1": "Run",
    "run?run=19": "Run",
    "operation?capture=19": "Operation",
}
ALIVE = (
    ":is(script, img[src='x'], img[src*='x.example'], a[href^='http://x.example'], a[href^='//x.example'],"
    " a[href^='javascript'], svg[onload], .katex, strong:text-is('bold'), :not(pre) > code:text-is('code'))"
)
OWN = json.dumps(drawing._SCRIPT % drawing.library())  # as it is: a script with anything else in it is found
OUTSIDE = (
    f"found => found.map(one => one.outerHTML).filter(html => !html.includes('window.kvmperfZoom') && html !== {OWN})"
)
UNPRINTABLE = r"/[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]/"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    with dashboard(hostile_database.build(tmp_path_factory.mktemp("hostile") / "h.db")) as (_, address):
        yield address


@pytest.fixture(scope="module")
def seen(chromium, hostile):
    """What each page shows, opened one after the other in one browser: (path, text, living elements, title, wrong)."""
    context = chromium.new_context()
    visits = Visits(chromium, context, hostile)
    found = {}
    for path in [*PAGES, "hosts?host=" + hostile_host()]:
        page = visits.open(path)
        _open_everything(page)
        text = page.evaluate("() => document.querySelector('[data-testid=stMain]').innerText")
        odd = page.evaluate(f"() => {UNPRINTABLE}.test(document.body.innerText)")
        alive = page.locator(f"[data-testid=stMain] {ALIVE}").evaluate_all(OUTSIDE)
        found[path] = (text, alive, odd, page.title(), list(visits.wrong))
        page.close()
    context.close()
    return found


def hostile_host():
    """The host's name as a query string carries it."""
    from urllib.parse import quote

    return quote(f"h {hostile_database.ALL}")


def _open_everything(page):
    """Open what is folded: what it holds is drawn only then."""
    for summary in page.locator("[data-testid=stExpander] summary").all():
        summary.click()
    page.wait_for_timeout(1500)


@pytest.mark.parametrize("path", [*PAGES, "hosts?host=" + hostile_host()])
def test_nothing_that_is_stored_comes_alive(seen, path):
    text, alive, odd, title, wrong = seen[path]

    assert (alive, odd, wrong) == ([], False, [])
    assert title == f"{PAGES.get(path, 'Hosts')} · kvmperf"
    assert "Traceback" not in text
    assert "This page failed" not in text


@pytest.mark.parametrize("path", ["compare?show=everything&row=1", "run?run=1", "operation?capture=19"])
def test_what_is_stored_is_shown_as_it_is(seen, path):
    text = seen[path][0].replace("\u2060", "")

    assert "<img src=x onerror=alert(1)>" in text
    assert "![i](http://x.example/i.png)" in text
    assert "**bold** `code` :red[r] :smile:" in text
    assert r"$\frac{a}{b}$" in text


def test_what_hovers_over_a_mark_is_text(chromium, hostile):
    visits = Visits(chromium, chromium.new_context(), hostile)
    page = visits.open("hosts?host=" + hostile_host())

    page.locator("[data-testid=stVegaLiteChart] [aria-roledescription=point]").first.hover()

    told = page.locator("#vg-tooltip-element")
    told.get_by_text("1. m <script>document.title=").wait_for()
    assert (told.locator("script, img, a").count(), visits.wrong) == (0, [])
    page.context.close()


def test_unprintable_characters_and_endless_lines_of_an_output_are_spelled_and_cut(seen):
    text = seen["run?run=1"][0]

    assert r"\u202egnp.exe\u2066" in text
    assert r"\x1b[31m\x00\x07" in text
    assert "</div></style></script>" in text
    assert "y" * 300 in text
    assert len(text) < 50_000
