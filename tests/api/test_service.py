import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from api import errors
from api.app import create_app
from api.limits import Bucket
from db import engine as engines
from db import tokens
from db.words import Scope

READS = ["/api/v1/runs", "/api/v1/revisions", "/api/v1/time-series", "/api/v1/patch-series", "/api/v1/runs/1"]


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def test_health_needs_no_token(anybody):
    told = anybody.get("/healthz")

    assert (told.status_code, told.json()) == (200, {"status": "ok", "schema": engines.HEAD})


@pytest.mark.parametrize("path", [*READS, "/api/v1/comparisons?base=a&head=b", "/api/v1/trends"])
def test_reading_needs_a_token(anybody, path):
    told = anybody.get(path)

    assert told.status_code == 401
    assert told.headers["www-authenticate"] == "Bearer"
    assert told.json()["error"] == "a token is needed"


def test_public_read_opens_reading_and_nothing_else(settings):
    with TestClient(create_app(replace(settings, public_read=True))) as open_to_all:
        reading = open_to_all.get("/api/v1/runs").status_code
        writing = open_to_all.post("/api/v1/uploads", content=b"").status_code

    assert (reading, writing) == (200, 401)


def test_only_an_active_token_opens(anybody, settings, token):
    engine = engines.connect(settings.database)
    good, late, gone = token(), token(expires_at=datetime.now(UTC) - timedelta(seconds=1)), token()
    with engines.writing(engine) as connection:
        tokens.revoke(connection, gone.split("_")[1])
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")

    told = [anybody.get("/api/v1/runs", headers=bearer(one)) for one in (good, late, gone, wrong, "x", "kvmperf__")]

    assert [one.status_code for one in told] == [200, 401, 401, 401, 401, 401]
    assert [one.json()["error"].split()[-1] for one in told[1:3]] == ["expired", "revoked"]


def test_uploading_rights_are_no_rights_to_read(anybody, token):
    assert anybody.get("/api/v1/runs", headers=bearer(token(Scope.UPLOAD))).status_code == 403


def test_guessing_is_slowed_down(anybody, token):
    told = [anybody.get("/api/v1/runs", headers=bearer(f"kvmperf_0000000{n}_x")) for n in range(12)]

    assert [one.status_code for one in told] == [401] * 10 + [429] * 2
    assert int(told[-1].headers["retry-after"]) >= 1
    assert anybody.get("/api/v1/runs", headers=bearer(token())).status_code == 200


def test_who_asks_too_often_waits(settings):
    with TestClient(create_app(replace(settings, burst=3, requests_per_s=0.01))) as hasty:
        told = [hasty.get("/healthz") for _ in range(4)]

    assert [one.status_code for one in told] == [200, 200, 200, 429]
    assert int(told[-1].headers["retry-after"]) > 1


def test_a_bucket_refills_and_forgets():
    bucket = Bucket(per_s=2, burst=1)

    assert [bucket.take("a", now) for now in (0.0, 0.1, 0.6)] == [0.0, pytest.approx(0.4), 0.0]
    for number in range(20_000):
        bucket.take(str(number), 1.0)
    assert len(bucket._seen) == 10_000


def test_every_answer_has_security_headers(anybody):
    for path in ("/healthz", "/docs", "/openapi.json", "/nowhere", "/api/v1/runs"):
        headers = anybody.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers


def test_the_pages_name_every_address_and_load_nothing(anybody):
    page = anybody.get("/docs").text
    paths = anybody.get("/openapi.json").json()["paths"]

    assert {"/api/v1/uploads", "/api/v1/runs", "/api/v1/comparisons", "/api/v1/time-series", "/healthz"} <= set(paths)
    assert all(path in page for path in paths)
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page


def test_errors_are_json_of_one_line(client):
    told = [
        client.get("/nowhere"),
        client.delete("/api/v1/runs"),
        client.get("/api/v1/runs?limit=abc"),
        client.get("/api/v1/runs?since=2026-11-01"),
        client.get("/api/v1/runs?revision=nothing"),
        client.get("/api/v1/comparisons?base=a"),
    ]

    assert [one.status_code for one in told] == [404, 405, 422, 422, 404, 422]
    for one in told:
        assert set(one.json()) == {"error", "hint"}
        assert one.json()["error"]
        assert "\n" not in one.json()["error"] + one.json()["hint"]


@pytest.mark.parametrize("status", [408, 429, 503, 507])
def test_what_may_pass_says_when_to_try_again(status):
    assert errors.answer(status, "x").headers["retry-after"] == "5"
    assert "retry-after" not in errors.answer(400, "x").headers


def test_a_bug_is_500_without_its_insides(settings, monkeypatch, caplog):
    monkeypatch.setattr("api.reads.queries.revisions", lambda _connection: 1 / 0)
    with TestClient(create_app(replace(settings, public_read=True)), raise_server_exceptions=False) as broken:
        told = broken.get("/api/v1/revisions")

    assert told.status_code == 500
    assert "division" not in told.text
    assert told.json()["hint"].split()[-1] in caplog.text


def test_no_secret_reaches_the_log(anybody, token, caplog):
    caplog.set_level(logging.DEBUG)
    good = token(Scope.UPLOAD)
    for text in (good, "kvmperf_12345678_guess"):
        anybody.get("/api/v1/runs", headers=bearer(text))

    assert good.split("_", 2)[2] not in caplog.text
    assert "guess" not in caplog.text


def test_the_last_use_of_a_token_is_noted(settings, token):
    with TestClient(create_app(settings)) as caller:
        caller.get("/api/v1/runs", headers=bearer(token()))
    engine = engines.connect(settings.database)
    end = datetime.now(UTC) + timedelta(seconds=10)
    used = None
    while used is None and datetime.now(UTC) < end:
        with engines.reading(engine) as connection:
            (used,) = (one.last_used_at for one in tokens.listed(connection))

    assert used is not None
