# ruff: noqa: S314 (what is parsed was written here)
"""Alerts over HTTP: who may read, who may say what, and what stays written down."""

import base64
from xml.etree import ElementTree as ET

import pytest
import sample_alerts
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ServerSettings
from db import engine as engines
from db import tokens
from db.words import Scope


class Service:
    """A service with three alerts, and tokens to ask it with."""

    def __init__(self, folder):
        self.settings = ServerSettings(
            f"sqlite:///{folder / 's.db'}", incoming=folder, dashboard="https://perf.example.org", requests_per_s=1e6
        )
        self.client = TestClient(create_app(self.settings))
        self.engine = engines.connect(self.settings.database)
        self.regression, self.improvement, self.silent = sample_alerts.fill(self.engine)
        with engines.writing(self.engine) as connection:
            self._tokens = {one: tokens.create(connection, f"some {one}", [one]) for one in Scope}

    def get(self, path, scope=Scope.READ):
        return self.client.get(path, headers=self.headers(scope))

    def say(self, number, scope=Scope.TRIAGE, **word):
        return self.client.post(f"/api/v1/alerts/{number}/triage", json=word, headers=self.headers(scope))

    def headers(self, scope):
        return {"Authorization": f"Bearer {self._tokens[scope]}"}

    def password(self, scope):
        return {"Authorization": "Basic " + base64.b64encode(f"me:{self._tokens[scope]}".encode()).decode()}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    return Service(tmp_path_factory.mktemp("alerts"))


@pytest.fixture
def fresh(tmp_path):
    return Service(tmp_path)


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("", ["missing data", "regression"]),
        ("state=all", ["missing data", "improvement", "regression"]),
        ("state=closed", ["improvement"]),
        ("kind=regression&kind=improvement&state=all", ["improvement", "regression"]),
        ("triage=acknowledged", []),
        ("owner=bob&state=all", ["improvement"]),
        ("benchmark=dirty_log*", ["regression"]),
        ("host=bm7", ["missing data"]),
        ("host=bm3", ["regression"]),
    ],
)
def test_alerts_are_filtered(service, query, kinds):
    assert [one["kind"] for one in service.get(f"/api/v1/alerts?{query}").json()["alerts"]] == kinds


def test_alerts_come_in_pages(service):
    seen, after = [], 0
    while after is not None:
        page = service.get(f"/api/v1/alerts?state=all&limit=1&after={after}").json()
        seen += [one["id"] for one in page["alerts"]]
        after = page["next"]

    assert seen == [service.silent, service.improvement, service.regression]


def test_an_alert_comes_with_its_series_and_history(service):
    told = service.get(f"/api/v1/alerts/{service.regression}").json()

    assert told["title"].startswith("28.7% regression of dirty_log_perf_test.clear_dirty_log_time on v3")
    assert told["why"]
    assert (told["base"], told["head"]) == ("v2", "v3")
    assert [one["host"] for one in told["members"]] == ["bm3"]
    assert [(one["who"], one["action"]) for one in told["history"]] == [("detect", "announced")]
    assert {"acknowledge", "mute", "assign"} <= set(told["actions"])


def test_what_is_said_stays_with_who_said_it(fresh):
    number = fresh.regression
    said = fresh.say(number, action="acknowledge", text="looking at it").json()
    fresh.say(number, action="mute", text="host moves", until="2099-01-01T00:00:00Z")
    fresh.say(number, action="undo")
    after = fresh.say(number, action="undo").json()

    assert (said["triage"], said["note"]) == ("acknowledged", "looking at it")
    assert (after["triage"], after["note"], after["muted_until"]) == ("new", "", None)
    assert [one["action"] for one in after["history"]] == ["announced", "acknowledge", "mute", "undo", "undo"]
    assert all(one["who"].startswith("some triage (token ") for one in after["history"][1:])


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ({"action": "sing"}, 422),
        ({"action": "note", "text": "x" * 5000}, 422),
        ({"action": "note", "more": 1}, 422),
        ({"action": "mute", "text": "why"}, 400),
        ({"action": "mute", "text": "why", "until": "2099-01-01T00:00:00"}, 422),
        ({"action": "mute", "text": "why", "until": "9999-12-31T23:59:59-14:00"}, 422),
        ({"action": "link", "text": "javascript:alert(1)"}, 400),
        ({"action": "reopen"}, 400),
        ({}, 422),
    ],
)
def test_what_makes_no_sense_changes_nothing(service, word, status):
    answer = service.say(service.regression, **word)

    assert answer.status_code == status
    assert set(answer.json()) == {"error", "hint"}
    assert len(service.get(f"/api/v1/alerts/{service.regression}").json()["history"]) == 1


@pytest.mark.parametrize(("scope", "status"), [(Scope.READ, 403), (Scope.UPLOAD, 403)])
def test_only_tokens_for_triage_may_say_something(service, scope, status):
    assert service.say(service.regression, scope, action="acknowledge").status_code == status


def test_without_a_token_nothing_is_told(service):
    paths = ["/api/v1/alerts", f"/api/v1/alerts/{service.silent}", "/alerts.atom", "/alerts.json"]

    assert [service.client.get(path).status_code for path in paths] == [401] * 4
    assert service.client.post(f"/api/v1/alerts/{service.silent}/triage", json={"action": "undo"}).status_code == 401


@pytest.mark.parametrize("number", ["999", str(2**63 - 1)])
def test_an_alert_that_is_not_there_is_404(service, number):
    assert service.get(f"/api/v1/alerts/{number}").status_code == 404
    assert service.say(number, action="acknowledge").status_code == 404


def test_the_feeds_tell_the_newest_alerts(service):
    answer = service.get("/alerts.atom")
    root = ET.fromstring(answer.content)
    told = service.get("/alerts.json").json()

    names = {"a": "http://www.w3.org/2005/Atom"}
    titles = [one.text for one in root.findall("a:entry/a:title", names)]
    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert root.find("a:id", names).text == "tag:perf.example.org,2026:alerts"
    assert len(titles) == len(told["items"]) == 3
    assert titles == [one["title"] for one in told["items"]]
    assert told["items"][2]["url"] == f"https://perf.example.org/inbox?alert={service.regression}"
    assert root.find("a:updated", names).text == "2026-03-03T12:30:00Z"


def test_a_feed_reader_may_send_its_token_as_a_password(service):
    asked = service.client.get("/alerts.atom")
    answered = service.client.get("/alerts.atom", headers=service.password(Scope.READ))
    wrong = service.client.get("/alerts.atom", headers={"Authorization": "Basic !"})
    triage = service.client.post(
        f"/api/v1/alerts/{service.silent}/triage",
        json={"action": "acknowledge"},
        headers=service.password(Scope.TRIAGE),
    )

    assert asked.headers["www-authenticate"].startswith("Basic ")
    assert (answered.status_code, wrong.status_code) == (200, 401)
    assert triage.status_code == 401  # browsers send passwords by themselves
