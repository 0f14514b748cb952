from datetime import UTC, datetime

from db.engine import connect, reading, writing
from db.queries import freshness as token
from db.values import CaptureContext, NewCapture, RevisionFacts
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
