"""The statements of docs/scale.md that need nothing but PostgreSQL, on a database with measurements."""

import re
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from db import engine as engines
from db import queries
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from db.writes import Writer

PAGE = Path(__file__).resolve().parent.parent / "docs" / "scale.md"


def statements(heading):
    """The statements between BEGIN and COMMIT below a heading."""
    section = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    block = re.search(r"    BEGIN;\n(.*?)    COMMIT;", section, re.DOTALL)
    return [one.strip() for one in block[1].split(";") if one.strip()]


@pytest.mark.parametrize("heading", ["Partitions", "Citus"])
def test_the_statements_keep_every_measurement_and_uploads_go_on(postgresql, heading):
    engine = engines.connect(postgresql())
    store(engine, "a")
    before = values(engine)

    with engines.writing(engine) as connection:
        for statement in statements(heading):
            connection.execute(text(statement))

    assert values(engine) == before
    store(engine, "b")
    assert len(values(engine)) == 2 * len(before)
    engine.dispose()


def store(engine, label):
    told = tuple(NewMeasurement(f"m{i}", "s", "lower", np.arange(1.0, 6.0) + i) for i in range(40))
    run = NewRun("suite/prog", {}, "pass", "prog", 1, told)
    with engines.writing(engine) as connection:
        context = CaptureContext("bm1", RevisionFacts(label=label), "boot1")
        Writer(connection).store(context, NewCapture(f"{label}.out", {"stdout": label.encode()}, runs=(run,)))


def values(engine):
    with engines.reading(engine) as connection:
        return queries.samples(connection, [one.id for one in queries.series(connection)]).values.tobytes()
