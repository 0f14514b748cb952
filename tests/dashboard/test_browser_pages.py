"""The other pages in a real Chromium: they load, keep their view in the URL, and lead from numbers to raw lines."""

import pytest
from browsing import MARKS, brightness, overflows, settle

pytestmark = MARKS

PAGES = {
    "inbox": "Inbox",
    "series?series=mmu-lockless": "Patch series",
    "run?run=1&metric=dirty_memory_time": "Run",
    "hosts?host=bm3": "Hosts",
    "operation": "Operation",
}
REAL = "trends?benchmark=kvm-selftests%2Fdirty_log_perf_test&host=bm9&metric=dirty_memory_time.round1"


def _tables(page):
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
    return page.locator("[data-testid=stDataFrame]")


def _choose_first_row(page, table):
    """With the keyboard alone: into the table, down to its first row, Shift+Space."""
    table.locator("canvas").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Space")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_a_page_loads_and_fits(visit, path, scheme, width):
    page = visit(path, scheme=scheme, width=width)

    assert page.get_by_role("heading", name=PAGES[path], exact=True).count() == 1
    assert page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0
    assert not overflows(page)
    assert (brightness(page) < 80) == (scheme == "dark")


def test_a_point_of_a_trend_opens_its_run_with_the_raw_line_marked_and_back_returns(visit):
    page = visit(REAL)
    point = page.locator(".js-plotly-plot .scatterlayer .point").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    page.wait_for_url("**/run?*metric=dirty_memory_time.round1*")
    settle(page)
    marked = page.locator(".kvmperf-raw .meant")
    assert "Iteration 1 dirty memory time" in marked.inner_text()
    assert "dirty_memory_time.round1 #1 = " in marked.inner_text()

    page.go_back()
    page.get_by_role("heading", name="Trends").wait_for()
    settle(page)
    assert page.get_by_text("bm9").count() >= 1


def test_a_row_of_the_comparison_is_reached_by_keyboard_and_leads_to_history_and_run(visit):
    page = visit("compare?base=split-on&head=split-off&vary=kvm.eager_page_split&host=bm3")

    _choose_first_row(page, _tables(page).first)

    page.wait_for_url("**row=*")
    page.get_by_text("The same metric at every revision").wait_for()
    settle(page)
    assert page.locator(".js-plotly-plot").count() >= 2
    page.get_by_text("24 runs behind this row").click()
    behind = page.locator("[data-testid=stExpander]").filter(has_text="24 runs behind this row")
    runs = behind.locator("[data-testid=stDataFrame]")
    runs.scroll_into_view_if_needed()
    _choose_first_row(page, runs)
    page.wait_for_url("**/run?run=*")
    settle(page)
    assert page.get_by_text("$ ./dlp").count() == 1


def test_the_link_of_a_view_changed_inside_the_page_opens_it_in_another_browser(visit):
    page = visit("series?series=mmu-lockless")
    page.get_by_text("without a named patch").click()
    page.wait_for_url("**everything=1*")
    settle(page)
    page.get_by_role("button", name="Copy link").click()
    link = page.locator("[data-testid=stPopoverBody] code").inner_text()

    other = visit(link, fresh=True)

    assert "everything=1" in other.url
    assert other.locator("input[type=checkbox]:checked").count() == 1


def test_exports_are_word_for_word_what_the_command_line_prints(visit, databases, make_kvmperf, tmp_path):
    page = visit("compare?base=split-on&head=split-off&vary=kvm.eager_page_split&host=bm3")
    page.get_by_text("Copy for the cover letter, or download").click()
    words = ("split-on", "split-off", "--vary", "kvm.eager_page_split", "--host", "bm3", "--db", databases.sample)
    kvmperf = make_kvmperf(tmp_path / "unused.db")
    for button, options in (("JSON", ("--json",)), ("CSV", ("--format", "csv")), ("Text", ())):
        assert _downloaded(page, button) == kvmperf("compare", *words, *options).stdout


def test_exports_of_a_series_are_what_the_command_line_prints(visit, databases, make_kvmperf, tmp_path):
    kvmperf = make_kvmperf(tmp_path / "unused.db")
    page = visit("series?series=mmu-lockless")
    page.get_by_text("Copy, or download").click()

    words = ("series", "show", "mmu-lockless", "--version", "2", "--db", databases.sample)
    assert _downloaded(page, "JSON") == kvmperf(*words, "--json").stdout
    assert _downloaded(page, "Text") == kvmperf(*words).stdout


def _downloaded(page, button):
    """What a button gives. On a busy machine Streamlit may lose a click while it draws; a reader then clicks again."""
    late = pytest.importorskip("playwright.sync_api").TimeoutError
    found = page.get_by_role("button", name=button, exact=True)
    found.wait_for()
    settle(page)
    try:
        with page.expect_download(timeout=15_000) as download:
            found.click()
    except late:
        with page.expect_download() as download:
            found.click()
    return download.value.path().read_text()


def test_filters_of_each_page_are_in_the_url_and_restored_elsewhere(visit):
    page = visit("run")
    page.get_by_text("skip", exact=True).click()
    page.wait_for_url("**status=skip*")
    settle(page)
    page.get_by_text("No run ended like this.").wait_for()

    page.goto(page.url.replace("run?status=skip", "series?series=mmu-lockless"))
    settle(page)
    page.get_by_placeholder("text").fill("clear_dirty")
    page.keyboard.press("Enter")
    page.wait_for_url("**metric=clear_dirty*")
    settle(page)
    page.get_by_text("without a named patch").click()
    page.wait_for_url("**everything=1*")
    settle(page)

    other = visit(page.url, fresh=True)

    assert other.get_by_placeholder("text").input_value() == "clear_dirty"
    assert other.get_by_text("3 metrics: ").count() == 1
    assert other.locator("input[type=checkbox]:checked").count() == 1


def test_the_keyboard_reaches_every_control_in_the_order_of_reading(visit):
    page = visit("trends")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => (e => e.ariaLabel || e.innerText || e.tagName)(document.activeElement)"))

    told = "\n".join(reached)
    order = [told.find(word) for word in ("Inbox", "Operation", "Copy link", "Benchmark", "Test cases", "Metrics")]
    assert -1 not in order
    assert order == sorted(order)
    assert "Revisions and axes" in told
    assert "Table and download" in told


def test_zoom_and_hidden_lines_are_in_the_url_without_a_run_and_restored_elsewhere(visit):
    page = visit("trends?benchmark=kvm-selftests%2Fdirty_log_perf_test&host=bm3&host=bm4&metric=dirty_memory_time")
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.8, steps=5)
    page.mouse.up()
    page.wait_for_url("**zoom=xaxis*")
    page.locator(".js-plotly-plot .legendtoggle").first.click()
    page.wait_for_url("**hide=*")
    page.get_by_role("button", name="Copy link").click()
    link = page.locator("[data-testid=stPopoverBody] code").inner_text()
    state = "() => { const p = document.querySelector('.js-plotly-plot');"
    state += " return [p.layout.xaxis.range, p.layout.yaxis.range].flat().map(x => x.toPrecision(4)).concat("
    state += " p.data.filter(t => t.visible === 'legendonly').length) }"

    other = visit(link, fresh=True)

    assert other.evaluate(state) == page.evaluate(state)
    assert other.evaluate(state)[-1] >= 1


def test_a_mark_of_noise_tells_metric_level_and_interval(visit):
    page = visit("hosts?host=bm4")
    figure = page.get_by_test_id("stVegaLiteChart")
    figure.locator("svg.marks").wait_for()
    figure.scroll_into_view_if_needed()

    figure.locator("[aria-roledescription=point]").first.hover()

    told = page.locator("#vg-tooltip-element")
    told.get_by_text("within a run").wait_for()
    assert {"metric", "1.", "level", "spread"} <= set(told.inner_text().split())
