"""Uploads in portions: interrupted anywhere and sent again, everything is there once, and nobody waits meanwhile."""

import os
import signal

import bundles
import numpy as np
import pytest
from sqlalchemy import event, func, select, table, text

from db import engine as engines
from db import uploads
from db.engine import reading, writing
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from ingest.receive import Sender, receive_bundle
from ingest.storing import Batches, Portion

FEW = Portion(captures=3)
CONTEXT = CaptureContext("bm1", RevisionFacts(label="a"), "b1")
OUTPUTS = 8


@pytest.fixture
def engine(tmp_path):
    return engines.connect(f"sqlite:///{tmp_path / 'k.db'}", create=True)


@pytest.fixture
def bundle(tmp_path):
    """Eight runs, one of which no parser understands."""
    files = {name: content for number in range(1, OUTPUTS) for name, content in bundles.output(number).items()}
    files["s001/dlp-1/999.out"] = b"nothing that a parser knows\n"
    return bundles.write(tmp_path / "b.tar", files)


def counts(engine):
    tables = ("upload", "capture", "capture_file", "artifact", "run", "measurement", "time_series", "host", "boot")
    with reading(engine) as connection:
        return {name: connection.execute(select(func.count()).select_from(table(name))).scalar() for name in tables}


def without_time(told):
    return {name: value for name, value in told.items() if name != "received_at"}


def test_portions_store_what_one_transaction_stores(engine, bundle, tmp_path):
    whole = engines.connect(f"sqlite:///{tmp_path / 'whole.db'}", create=True)

    in_portions = receive_bundle(engine, bundle, Sender(tmp_path), portion=FEW)
    at_once = receive_bundle(whole, bundle, Sender(tmp_path))

    assert without_time(in_portions) == without_time(at_once)
    assert counts(engine) == counts(whole)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.93, 0.97, 0.99, 1.0])
def test_killed_at_any_statement_and_sent_again_everything_is_stored_once(engine, bundle, tmp_path, share):
    reference = engines.connect(f"sqlite:///{tmp_path / 'reference.db'}", create=True)
    statements = _count(reference)
    told = receive_bundle(reference, bundle, Sender(tmp_path), portion=FEW)
    engine.dispose()

    killed = _in_a_child(f"sqlite:///{tmp_path / 'k.db'}", bundle, tmp_path, int(share * (len(statements) - 1)))
    again = receive_bundle(engine, bundle, Sender(tmp_path), portion=FEW)

    assert killed == signal.SIGKILL
    assert without_time(again) == without_time(told)
    assert counts(engine) == counts(reference)
    assert receive_bundle(engine, bundle, Sender(tmp_path)) == {**again, "repeated": True}
    assert counts(engine) == counts(reference)


def test_a_bundle_that_somebody_else_stored_meanwhile_gets_their_receipt(engine, bundle, tmp_path, monkeypatch):
    first = receive_bundle(engine, bundle, Sender(tmp_path))
    monkeypatch.setattr(uploads, "receipt", _after_one_look(uploads.receipt))

    assert receive_bundle(engine, bundle, Sender(tmp_path)) == {**first, "repeated": True}


def test_others_can_write_while_outputs_are_read(engine):
    """No transaction is open while the next output is read and parsed: that is where the time goes."""

    def slowly():
        for number in range(5):
            with writing(engine) as connection:  # fails where the lock is held
                connection.execute(text("UPDATE host SET name = name"))
            yield CONTEXT, one(number)

    stored = list(Batches(engine, origin="test", portion=Portion(captures=2)).store_all(slowly()))

    assert [found.outcome for found in stored] == ["stored"] * 5
    assert counts(engine)["upload"] == 1


@pytest.mark.parametrize("portion", [Portion(values=1), Portion(raw_bytes=0), Portion(captures=1)])
def test_a_portion_ends_at_any_of_its_limits(engine, portion):
    commits = []
    event.listen(engine, "commit", commits.append)

    list(Batches(engine, origin="test", portion=portion).store_all((CONTEXT, one(number)) for number in range(4)))

    assert len(commits) == 4


def test_an_error_on_the_way_keeps_whole_portions_only(engine):
    def breaking():
        yield from ((CONTEXT, one(number)) for number in range(5))
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        list(Batches(engine, origin="test", portion=FEW).store_all(breaking()))
    again = list(Batches(engine, origin="test", portion=FEW).store_all((CONTEXT, one(number)) for number in range(5)))

    assert [found.outcome for found in again] == ["duplicate"] * 3 + ["stored"] * 2


def one(number):
    """A capture with one run of two values."""
    measured = NewMeasurement("m", "s", "lower", np.array([1.0, number]))
    run = NewRun("suite/prog", {}, "pass", "prog", 1, (measured,))
    return NewCapture(f"{number}.out", {"stdout": b"%d" % number}, runs=(run,))


def _count(engine):
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *words: statements.append(words[2]))
    event.listen(engine, "commit", lambda _connection: statements.append("COMMIT"))
    return statements


def _in_a_child(url, bundle, folder, deadly):
    """Store in a process that kills itself before its N-th statement or commit; the signal it died of."""
    child = os.fork()
    if child == 0:
        statements = []

        def die(*_words):
            statements.append(1)
            if len(statements) > deadly:
                os.kill(os.getpid(), signal.SIGKILL)

        engine = engines.connect(url)
        event.listen(engine, "before_cursor_execute", die)
        event.listen(engine, "commit", die)
        receive_bundle(engine, bundle, Sender(folder), portion=FEW)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def _after_one_look(real):
    looks = []

    def receipt(connection, digest):
        looks.append(1)
        return {} if len(looks) == 1 else real(connection, digest)

    return receipt
