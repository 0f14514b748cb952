"""An outbox with one message, and its clock."""

import json
import shutil
from datetime import timedelta

import pytest
from sample_notices import AT, OPENED

from alerts.notices import planning
from alerts.notices.notice import to_json
from db import outbox
from db.engine import connect, reading, writing
from db.outbox import NewMessage


class Outbox:
    """A database with messages, and a clock that tests set."""

    def __init__(self, path):
        self.url = f"sqlite:///{path}"
        self.engine = connect(self.url)
        self.now = AT + timedelta(minutes=1)

    def clock(self):
        return self.now

    def put(self, sink, *notices):
        """One message each to a sink, as planning would write it."""
        made = [
            NewMessage(
                f"group {one.group} {one.kind} to {sink.name}", sink.name, one.kind, None,
                json.dumps({"notices": [to_json(one)]}), planning.message_id(f"{one.group} {one.kind}", sink),
            )
            for one in notices or (OPENED,)
        ]  # fmt: skip
        with writing(self.engine) as connection:
            outbox.hand_over(connection, (), made, AT)

    def unsent(self):
        with reading(self.engine) as connection:
            return outbox.unsent(connection)

    def counts(self):
        with reading(self.engine) as connection:
            return outbox.counts(connection)


@pytest.fixture
def box(sqlite_with_tables, tmp_path):
    shutil.copy(sqlite_with_tables, tmp_path / "k.db")
    made = Outbox(tmp_path / "k.db")
    yield made
    made.engine.dispose()
