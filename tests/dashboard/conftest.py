"""The dashboard's tests: sample databases, pages without a browser, and one server with one Chromium for all."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import browsing
import pytest
import sample_databases
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

APP = Path(__file__).parents[2] / "dashboard" / "app.py"


@dataclass(frozen=True)
class Databases:
    """Addresses of the sample databases, and the hostile name in one of them."""

    sample: str
    empty: str
    failures: str
    hostile: str = sample_databases.HOSTILE


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    folder = tmp_path_factory.mktemp("databases")
    return Databases(
        sample_databases.build(folder / "sample.db"),
        sample_databases.empty(folder / "empty.db"),
        sample_databases.failures_only(folder / "failures.db"),
    )


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open a page of the dashboard on a database, with a query string as keywords."""

    def opened(database: str, page: str, **query: str | list[str]) -> AppTest:
        monkeypatch.setenv("KVMPERF_DB", database)
        app = AppTest.from_file(str(APP), default_timeout=60)
        app._page_hash = calc_hash(page)  # switch_page knows files only, our pages are functions
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return opened


@pytest.fixture
def unfold() -> Callable[..., AppTest]:
    """Unfold parts of a page, by their keys."""

    def unfolded(app: AppTest, *keys: str) -> AppTest:
        for key in keys:
            app.session_state[key] = True
        return app.run()

    return unfolded


@pytest.fixture
def as_local_user(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let pages be opened as `kvmperf dashboard --local-user NAME` would serve them."""

    def set_up(name: str, address: str = "127.0.0.1") -> None:
        monkeypatch.setenv("KVMPERF_LOCAL_USER", name)
        told = st.get_option
        monkeypatch.setattr(st, "get_option", lambda name: address if name == "server.address" else told(name))

    return set_up


@pytest.fixture
def words() -> Callable[[AppTest], str]:
    """Everything a page says, tables included."""

    def said(app: AppTest) -> str:
        kinds = ("title", "subheader", "text", "caption", "markdown", "info", "warning", "error", "success", "code")
        parts = [str(element.value) for kind in kinds for element in getattr(app, kind)]
        parts += [table.value.to_string() for table in app.dataframe]
        parts += [str(button.label) for button in app.button]
        parts += [unescape(re.sub(r"<[^>]+>", "", element.proto.body)) for element in app.get("html")]
        return "\n".join(parts)

    return said


@pytest.fixture(scope="session")
def server(databases):
    with browsing.dashboard(databases.sample) as (_, address):
        yield address


@pytest.fixture(scope="session")
def chromium():
    with browsing.chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def shared_context(chromium):
    """One context for what needs no fresh browser: scripts are read and compiled once."""
    context = chromium.new_context()
    yield context
    context.close()


@pytest.fixture
def visit(chromium, shared_context, server):
    """Open an address, in a fresh browser if asked; a page error or a foreign request fails the test."""
    visits = browsing.Visits(chromium, shared_context, server)
    yield visits.open
    visits.close()
    assert visits.wrong == []
