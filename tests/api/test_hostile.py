"""Who may not, may not, at every address that the service has; and what is sent wrong is refused, never half stored."""

import itertools
import re
from datetime import UTC, datetime, timedelta

import bundles
import mutations
import pytest

from db import engine as engines
from db import tokens
from db.words import Scope

OPEN = {"/healthz"}
ALLOWED = {200, 201, 400, 408, 413, 415, 422}


def routes(client):
    """Every method and path of the OpenAPI document, with something in the place of each parameter."""
    document = client.get("/openapi.json").json()["paths"]
    found = [(method, path) for path, methods in document.items() for method in methods if path not in OPEN]
    assert len(found) >= 9
    return [(method, re.sub(r"\{[^}]*\}", "1", path)) for method, path in found]


@pytest.mark.parametrize("kind", ["none", "wrong", "expired", "revoked", "no bearer", "nothing of a token"])
def test_every_address_refuses(anybody, settings, token, kind):
    good = token()
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")
    expired = token(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    revoked = token()
    with engines.writing(engines.connect(settings.database)) as connection:
        tokens.revoke(connection, revoked.split("_")[1])
    headers = {
        "none": {},
        "wrong": {"Authorization": f"Bearer {wrong}"},
        "expired": {"Authorization": f"Bearer {expired}"},
        "revoked": {"Authorization": f"Bearer {revoked}"},
        "no bearer": {"Authorization": f"Basic {good}"},
        "nothing of a token": {"Authorization": "Bearer ' OR 1=1 --"},
    }[kind]

    told = {route: anybody.request(*route, headers=headers).status_code for route in routes(anybody)}

    assert set(told.values()) <= {401, 429}, told  # 429: too many wrong ones from one address
    assert 401 in told.values()


def test_every_address_has_a_scope_and_keeps_to_it(anybody, token):
    """One scope opens an address, the other two are refused there."""
    for method, path in routes(anybody):
        refused = []
        for scope in Scope:
            told = anybody.request(method, path, headers={"Authorization": f"Bearer {token(scope)}"})
            refused += [scope] if told.status_code == 403 else []
        assert len(refused) == len(Scope) - 1, (method, path, refused)


def test_no_token_lies_in_the_database_or_the_log(client, token, settings, caplog, bundle):
    secret = token().split("_", 2)[2]
    client.post("/api/v1/uploads", content=bundle.read_bytes(), headers={"Content-Type": "application/x-tar"})
    client.get("/api/v1/runs", headers={"Authorization": f"Bearer kvmperf_abcdefgh_{secret}"})
    files = settings.incoming.parent.glob("server.db*")

    assert not any(secret.encode() in path.read_bytes() for path in files)
    assert secret not in caplog.text


def test_damaged_uploads_are_answered_and_never_half_stored(client, bundle):
    """A short form of benchmarks/mutated_uploads.py; a stored bundle is stored whole."""
    whole = bundle.read_bytes()
    for headers, body in itertools.islice(mutations.uploads(1, whole, bundles.DIRTY_LOG), 400):
        told = client.post("/api/v1/uploads", content=body, headers=headers)
        while told.status_code == 429:
            told = client.post("/api/v1/uploads", content=body, headers=headers)
        assert told.status_code in ALLOWED, told.text
        if told.status_code >= 400:
            assert set(told.json()) <= {"error", "hint"}
            assert "\n" not in told.json()["error"]
        else:
            receipt = told.json()
            assert receipt["stored"] + receipt["duplicate"] + receipt["quarantined"] in {1, 8}


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-01", "1e9"])
def test_no_time_makes_a_server_error(client, since):
    told = client.get("/api/v1/runs", params={"since": since})

    assert told.status_code == 422
    assert told.json()["error"].startswith("since: ")
