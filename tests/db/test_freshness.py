from datetime import UTC, datetime

import numpy as np
from sqlalchemy import insert

from db.engine import connect, reading, writing
from db.models import Audit
from db.queries import freshness as token
from db.queries import series_freshness
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from db.writes import Writer


def _token(engine):
    with reading(engine) as connection:
        return token(connection)


def test_the_token_changes_with_an_upload_and_only_then(database):
    engine = connect(database)
    before = _token(engine)
    assert _token(engine) == before

    with writing(engine) as connection:
        context = CaptureContext("h", RevisionFacts(label="a"))
        Writer(connection, now=datetime(2026, 1, 1, tzinfo=UTC)).store(context, NewCapture("a.out", {"stdout": b"x"}))

    assert _token(engine) != before


def test_the_token_changes_with_a_line_of_the_audit_trail(database):
    engine = connect(database)
    before = _token(engine)

    with writing(engine) as connection:
        connection.execute(
            insert(Audit),
            {"at": datetime(2026, 1, 1, tzinfo=UTC), "actor": "a", "action": "x", "subject": "s", "detail": {}},
        )

    assert _token(engine) != before


def test_an_upload_without_new_time_series_leaves_those_fresh(database):
    engine = connect(database)

    def stored(content, metric):
        run = NewRun("suite/b", {}, "pass", "b", 1, (NewMeasurement(metric, "s", "lower", np.array([1.0])),))
        with writing(engine) as connection:
            context = CaptureContext("h", RevisionFacts(label="a"))
            Writer(connection).store(context, NewCapture("a.out", {"stdout": content}, runs=(run,)))
        with reading(engine) as connection:
            return series_freshness(connection)

    first, same, other = stored(b"1", "time"), stored(b"2", "time"), stored(b"3", "speed")

    assert first == same != other
