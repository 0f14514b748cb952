import pytest

from db import alert_queries
from db import engine as engines
from db.alert_queries import GroupFilters


@pytest.fixture
def engine(tmp_path):
    opened = engines.connect(f"sqlite:///{tmp_path / 'alerts.db'}", create=True)
    yield opened
    opened.dispose()


@pytest.fixture
def groups(engine):
    """Reads the groups: all of them, or those that pass filters."""

    def read(**filters):
        with engines.reading(engine) as connection:
            return alert_queries.groups(connection, GroupFilters(**{"is_open": None, "thin": True, **filters}))

    return read
