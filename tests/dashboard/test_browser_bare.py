"""Databases with nothing, with failures only, and a damaged one, in a real browser."""

import shutil
import sqlite3

import pytest
from browsing import MARKS, Visits, dashboard, overflows

pytestmark = MARKS

PAGES = ("inbox", "compare", "trends", "series", "run", "hosts", "operation")


@pytest.fixture(scope="module")
def texts(chromium, databases):
    """What every page says with these two databases, and whether it fits a telephone."""
    found = {}
    for kind, url in (("empty", databases.empty), ("failures", databases.failures)):
        with dashboard(url) as (_, address):
            context = chromium.new_context()
            visits = Visits(chromium, context, address)
            for word in PAGES:
                page = visits.open(word, width=400)
                found[kind, word] = page.locator("[data-testid=stMain]").inner_text(), overflows(page)
            context.close()
            assert visits.wrong == []
    return found


@pytest.mark.parametrize("word", PAGES)
def test_an_empty_database_says_what_to_type(texts, word):
    text, is_too_wide = texts["empty", word]

    assert "kvmperf demo" in text
    assert "kvmperf upload PATH --label NAME" in text
    assert not is_too_wide


@pytest.mark.parametrize("word", PAGES)
def test_a_database_of_failures_shows_them_or_says_what_is_missing(texts, word):
    text, is_too_wide = texts["failures", word]

    assert "This page failed" not in text
    assert len(text) > 100
    assert not is_too_wide


def test_a_page_that_fails_is_one_clear_line_and_the_rest_is_in_the_log(chromium, databases, tmp_path):
    shutil.copy(databases.sample.removeprefix("sqlite:///"), tmp_path / "damaged.db")
    with sqlite3.connect(tmp_path / "damaged.db") as damaged:
        damaged.execute("UPDATE test_case SET params = 'no JSON'")
    with (tmp_path / "log").open("w") as log, dashboard(f"sqlite:///{tmp_path}/damaged.db", log=log) as (_, address):
        visits = Visits(chromium, chromium.new_context(), address)

        page = visits.open("run?run=1")

        shown = page.evaluate("() => document.body.innerText")
        page.context.close()
    (line,) = [line for line in shown.splitlines() if "This page failed" in line]
    assert "Traceback" not in shown
    assert "JSONDecodeError" not in shown
    told = (tmp_path / "log").read_text()
    assert "JSONDecodeError" in told
    assert line.rsplit(" ", 1)[1].rstrip(".") in told
