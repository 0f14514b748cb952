"""The OpenAPI document against the service: no request that it allows, and none near it, makes a server error."""

from pathlib import Path

import bundles
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ServerSettings
from db import engine as engines
from db import tokens
from db.words import Scope

TRY_AGAIN = {503, 507}  # busy, disk full: told to the client, who waits


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory):
    """The service on a database with a few runs, asked by somebody who may do everything."""
    folder = tmp_path_factory.mktemp("openapi")
    settings = ServerSettings(f"sqlite:///{folder / 's.db'}", incoming=folder, requests_per_s=1e6, burst=10**6)
    app = create_app(settings)
    with engines.writing(engines.connect(settings.database)) as connection:
        token = tokens.create(connection, "everything", tuple(Scope))
    headers = {"Authorization": f"Bearer {token}"}
    with TestClient(app, headers=headers) as client:
        path = _bundle(folder)
        told = client.post("/api/v1/uploads", content=path.read_bytes(), headers={"Content-Type": "application/x-tar"})
        assert told.status_code == 201
        yield app, headers


def test_no_request_makes_a_server_error(service):
    app, headers = service
    operations = [one.ok() for one in schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations()]
    for operation in operations:
        _try(operation, headers)

    assert {"/api/v1/uploads", "/api/v1/runs", "/api/v1/comparisons"} <= {one.path for one in operations}


def _try(operation, headers):
    @settings(max_examples=40, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy())
    def check(case):
        answer = case.call(headers={**(case.headers or {}), **headers})
        assert answer.status_code < 500 or answer.status_code in TRY_AGAIN, (operation.label, answer.text)
        if answer.status_code >= 400:
            assert set(answer.json()) <= {"error", "hint"}

    check()


def _bundle(folder: Path) -> Path:
    files = {}
    for number in (1, 2):
        files.update(bundles.output(number))
    context = {"host": "bm1", "label": "a", "boot_id": "1", "kernel": "6.12.0"}
    return bundles.write(folder / "b.tar", files, [{"outputs": "s001", "facts": "", "context": context}])
