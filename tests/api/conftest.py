import bundles
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ServerSettings
from db import engine as engines
from db import tokens
from db.words import Scope


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "incoming").mkdir()
    return ServerSettings(f"sqlite:///{tmp_path / 'server.db'}", incoming=tmp_path / "incoming")


@pytest.fixture
def token(settings):
    """Makes tokens of the server's database."""

    def make(*scopes, **more):
        with engines.writing(engines.connect(settings.database, create=True)) as connection:
            return tokens.create(connection, "test", scopes or tuple(Scope), **more)

    return make


@pytest.fixture
def client(settings, token):
    """A caller who may do everything."""
    with TestClient(create_app(settings), headers={"Authorization": f"Bearer {token()}"}) as found:
        yield found


@pytest.fixture
def anybody(settings):
    with TestClient(create_app(settings)) as found:
        yield found


@pytest.fixture
def bundle(tmp_path):
    """Eight runs of one program: two labels in two boots each, the second one a third slower."""
    files = {}
    parts = []
    for session, (label, boot) in enumerate((("a", "1"), ("a", "2"), ("b", "3"), ("b", "4")), start=1):
        for number in (1, 2):
            for name, content in bundles.output(number + 10 * session).items():
                slower = (
                    content.replace(b"dirty memory time: 0.0", b"dirty memory time: 0.1") if label == "b" else content
                )
                files[name.replace("s001", f"s{session:03d}")] = slower
        context = {"host": "bm1", "label": label, "boot_id": boot, "kernel": "6.12.0"}
        parts.append({"outputs": f"s{session:03d}", "facts": "", "context": context})
    return bundles.write(tmp_path / "b.tar", files, parts)


def send(client, path, kind="application/x-tar"):
    return client.post("/api/v1/uploads", content=path.read_bytes(), headers={"Content-Type": kind})
