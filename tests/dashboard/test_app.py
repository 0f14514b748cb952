import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from dashboard.app import PAGES as APP_PAGES
from db.engine import connect, writing

ROOT = Path(__file__).parents[2]
PAGES = [word for word, *_ in APP_PAGES]
PACKAGES = ("ingest", "db", "stats", "report", "alerts", "dashboard", "api", "cli")


def test_no_file_of_the_dashboard_shadows_a_package_under_streamlit_run():
    ours = {path.stem for path in (ROOT / "dashboard").iterdir() if not path.name.startswith("__")}

    assert not ours & {*PACKAGES, *sys.stdlib_module_names}
    assert not ours & {"streamlit", "plotly", "pandas", "numpy", "scipy", "sqlalchemy", "alembic"}


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_database_says_what_to_do(open_page, databases, words, page):
    app = open_page(databases.empty, page)

    assert not app.exception
    assert "kvmperf demo" in words(app)
    assert "kvmperf upload PATH --label NAME" in words(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_missing_database_is_an_error_in_plain_words(open_page, tmp_path, page):
    app = open_page(f"sqlite:///{tmp_path}/nothing.db", page)

    assert not app.exception
    assert len(app.error) == 1
    assert "no database here" in app.error[0].value
    assert "What to do" in app.error[0].value


def test_a_newer_database_is_refused(open_page, tmp_path):
    url = f"sqlite:///{tmp_path}/newer.db"
    engine = connect(url, create=True)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    app = open_page(url, "compare")

    assert "newer" in app.error[0].value


def test_without_a_database_the_page_names_the_command(open_page):
    app = open_page("", "compare")

    assert "kvmperf dashboard" in app.error[0].value


def test_the_bare_address_leads_to_the_first_page(open_page, databases):
    app = open_page(databases.sample, "", host="bm3")

    assert not app.exception
    assert [title.value for title in app.subheader] == ["Inbox"]
    assert app.multiselect[0].value == ["bm3"]


@pytest.mark.parametrize("page", ["compare", "trends", "run", "inbox"])
def test_a_database_of_failures_lists_them(open_page, databases, words, page):
    app = open_page(databases.failures, page)

    assert not app.exception
    assert "memslot_perf_test slots=512" in words(app)
    assert "fail" in words(app)
