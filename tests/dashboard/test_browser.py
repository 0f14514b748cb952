"""The dashboard in a real Chromium, served by `kvmperf dashboard` on loopback."""

import contextlib
import signal
import socket
import time
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import pytest
from browsing import MARKS, brightness, dashboard, overflows, settle

from dashboard.parts import drawing

JUDGED = "compare?base=split-on&head=split-off&vary=kvm.eager_page_split"

pytestmark = MARKS


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [f"{JUDGED}&row=1", "trends"])
def test_a_page_fits_wide_and_narrow_in_light_and_dark(visit, path, scheme):
    page = visit(path, scheme=scheme)

    assert page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0
    assert page.locator(".js-plotly-plot").count() >= 1
    assert not overflows(page)
    assert (brightness(page) < 80) == (scheme == "dark")

    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_timeout(500)
    assert not overflows(page)


def test_the_bare_address_opens_the_first_page(visit):
    page = visit("")

    page.wait_for_url("**/inbox*")
    assert page.get_by_role("heading", name="Inbox").count() == 1


def test_a_view_is_restored_in_another_browser(visit):
    page = visit(JUDGED)
    page.get_by_role("button", name="Show everything").click()
    page.wait_for_url("**show=everything*")
    settle(page)

    other = visit(page.url, fresh=True)

    assert other.get_by_role("radio", name="everything").get_attribute("aria-checked") == "true"
    assert other.get_by_text("are hidden").count() == 0
    assert other.get_by_text("Judged 24 of 24").first.is_visible()


def test_the_back_button_returns_to_the_view_before(visit):
    page = visit(JUDGED)
    page.get_by_role("button", name="Show everything").click()
    page.wait_for_url("**show=everything*")
    settle(page)

    page.go_back()

    page.get_by_text("are hidden").wait_for()


def test_hostile_names_are_text_in_the_browser(visit, databases):
    query = urlencode({"base": databases.hostile, "head": f"{databases.hostile} 2", "vary": "microcode", "row": "25"})
    page = visit(f"compare?{query}")

    page.get_by_role("heading", name="<i>time</i>*[a-z]*").wait_for()
    seen = page.locator("[data-testid=stMain]").inner_text()
    assert "<script>alert(1)</script> **bold** $x^2$ :smile: [a](http" in seen
    assert page.locator("[data-testid=stMain] :is(img[src=x], a[href*='x.example'], .katex)").count() == 0
    scripts = page.locator("[data-testid=stMain] script").all_text_contents()
    assert {f"<script>{text}</script>" for text in scripts} == {drawing._SCRIPT % drawing.library()}


def test_the_dashboard_ends_with_its_command(databases):
    with dashboard(databases.empty) as (child, address):
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


def test_a_page_finds_its_server_at_once(visit, server):
    page = visit("inbox", fresh=True)

    asked = "() => performance.getEntriesByType('resource').map(one => one.name).filter(one => one.includes('_stcore'))"
    assert page.evaluate(asked) == [f"{server}_stcore/health", f"{server}_stcore/host-config"]


def test_the_heading_stands_below_the_navigation_without_a_hole(visit):
    page = visit("hosts")

    heading = page.get_by_role("heading", name="Hosts").bounding_box()
    link = page.get_by_role("link", name="Hosts").bounding_box()
    assert 0 < heading["y"] - link["y"] - link["height"] < 60


def test_the_figure_library_is_fetched_once_and_leaves_no_gap(visit):
    page = visit("trends")

    asked = "() => performance.getEntriesByType('resource').filter(one => one.name.includes('PlotlyChart')).length"
    places = (
        "() => [...document.querySelectorAll('script')].filter(one => one.textContent.includes('PlotlyChart'))"
        ".map(one => getComputedStyle(one.closest('[data-testid=stElementContainer]')).display)"
    )
    assert page.evaluate(asked) == 1
    assert page.evaluate(places) == ["none"]
