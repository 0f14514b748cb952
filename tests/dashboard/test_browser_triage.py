"""Triage in a real browser: an alert is acknowledged with a note, that is undone, and the history shows both."""

import browsing
import pytest
import sample_alerts
from browsing import MARKS, overflows, settle

from db import alert_queries
from db.engine import connect, reading

pytestmark = MARKS


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('triage') / 'a.db'}"
    engine = connect(url, create=True)
    numbers = sample_alerts.fill(engine)
    yield url, engine, numbers
    engine.dispose()


@pytest.fixture
def page(database, chromium):
    with browsing.dashboard(database[0], "--local-user", "max") as (_, address):
        visits = browsing.Visits(chromium, chromium.new_context(), address)
        yield visits.open("inbox")
        visits.close()
        assert visits.wrong == []


def test_an_alert_is_acknowledged_and_that_is_undone(page, database):
    _, engine, (regression, *_) = database
    page.goto(page.url.split("?")[0] + f"?alert={regression}")
    settle(page)

    page.get_by_label("Note", exact=True).fill("looking at it")
    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_role("button", name="Undo: acknowledge by max").wait_for()
    settle(page)
    noted = page.get_by_text("note: looking at it").count()
    with reading(engine) as connection:
        acknowledged = sample_alerts.only(connection, regression)
    page.get_by_role("button", name="Undo: acknowledge by max").click()
    page.get_by_role("button", name="Acknowledge").wait_for()
    page.get_by_role("button", name="Undo: acknowledge by max").wait_for(state="detached")
    settle(page)
    with reading(engine) as connection:
        undone = sample_alerts.only(connection, regression)
        history = [(one.actor, one.action) for one in alert_queries.events(connection, regression)]

    assert noted == 1
    assert (acknowledged.triage, acknowledged.note) == ("acknowledged", "looking at it")
    assert (undone.triage, undone.note) == ("new", "")
    assert history == [("detect", "announced"), ("max", "acknowledge"), ("max", "undo")]
    trail = page.get_by_text("max: undo (acknowledge)")
    assert trail.is_visible()
    assert "max: acknowledge (looking at it)" in trail.inner_text()
    page.set_viewport_size({"width": 400, "height": 900})
    settle(page)
    assert not overflows(page)
