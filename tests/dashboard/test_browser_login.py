"""Log-in by OpenID Connect against a provider of the test's own, and the local user, in a real browser."""

import contextlib
import re
import secrets

import identity_provider
import pytest
from browsing import MARKS, Visits, dashboard, free_port, settle

pytestmark = MARKS
JANE = {"sub": "7", "email": "jane@x.example", "email_verified": True, "name": "**Jane** <b>"}


@contextlib.contextmanager
def _served(database, folder, people=""):
    port = free_port()
    with identity_provider.provider(JANE) as issuer:
        (folder / "login.toml").write_text(
            f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
            f'cookie_secret = "{secrets.token_hex()}"\nclient_id = "{identity_provider.CLIENT}"\n'
            f'client_secret = "{identity_provider.SECRET}"\n'
            f'server_metadata_url = "{issuer}/.well-known/openid-configuration"\n{people}'
        )
        with dashboard(database, "--login", str(folder / "login.toml"), port=port) as (_, address):
            yield address


@pytest.fixture(autouse=True)
def _straight(monkeypatch):
    """Loopback is never behind a proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def _opened(chromium, address, path="hosts"):
    visits = Visits(chromium, chromium.new_context(), address)
    return visits.open(path)


def test_a_person_logs_in_is_named_and_logs_out(chromium, databases, tmp_path):
    with _served(databases.empty, tmp_path) as address:
        page = _opened(chromium, address)
        assert page.get_by_text("jane@").count() == 0

        page.get_by_role("button", name="Log in").click()
        name = page.get_by_role("button", name=re.compile("jane@\u2060?x.example"))
        name.wait_for()
        settle(page)
        name.click()
        page.get_by_role("button", name="Log out").click()

        page.get_by_role("button", name="Log in").wait_for()
        page.context.close()


def test_whoever_is_not_listed_reads_only(chromium, databases, tmp_path):
    with _served(databases.empty, tmp_path, '[kvmperf]\npeople = ["*@y.example"]\n') as address:
        page = _opened(chromium, address)

        page.get_by_role("button", name="Log in").click()

        page.get_by_role("button", name="Read only").wait_for()
        assert page.get_by_text("jane@").count() == 0
        page.context.close()


def test_the_local_user_is_named_and_needs_no_log_in(chromium, databases):
    with dashboard(databases.empty, "--local-user", "max") as (_, address):
        page = _opened(chromium, address)

        page.locator("[data-testid=stMain]").get_by_text("max").first.wait_for()
        assert page.get_by_role("button", name="Log in").count() == 0
        page.context.close()
