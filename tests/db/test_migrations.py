import multiprocessing

import numpy as np
import pytest
from sqlalchemy import text

from db import engine as engines

OLD_ROWS = (
    "INSERT INTO host VALUES (1, 'bm1', '', '2026-01-01')",
    """INSERT INTO revision (id, key, kernel, "commit", label, tree, branch, describe, subject, config_hash, dirty,
       first_seen_at) VALUES (1, 'k', '6.12', '', '', '', '', '', '', '', 0, '2026-01-01')""",
    "INSERT INTO upload VALUES (1, '2026-01-01', 'cli')",
    """INSERT INTO capture (id, identity, upload_id, host_id, revision_id, source, tags, reported, quarantined)
       VALUES (1, 'i', 1, 1, 1, '01.out', '{}', 0, '')""",
)
SERIES_ROWS = (
    "INSERT INTO benchmark VALUES (1, 'suite/b')",
    "INSERT INTO test_case VALUES (1, 1, 'd', '{}')",
    "INSERT INTO metric VALUES (1, 1, 'time', 's', 'lower')",
    "INSERT INTO time_series VALUES (1, 1, 1, 1)",
    *(
        f"INSERT INTO run VALUES ({run}, 1, {run}, 1, 1, 1, NULL, NULL, 'pass', NULL, 'b', 1, '[]', '{{}}', 0)"  # noqa: S608
        for run in (1, 2)
    ),
)


def test_0002_keeps_old_rows_and_goes_back(tmp_path):
    engine = engines.open_any(f"sqlite:///{tmp_path / 'old.db'}", create=True)
    engines.upgrade(engine, "0001")
    with engines.writing(engine) as connection:
        for statement in OLD_ROWS:
            connection.execute(text(statement))

    engines.upgrade(engine)
    with engines.reading(engine) as connection:
        new = connection.execute(
            text("SELECT u.origin, u.digest, u.token, u.receipt, c.source, c.parsed_with FROM upload u, capture c")
        ).all()
    engines.downgrade(engine, "0001")
    with engines.reading(engine) as connection:
        old = connection.execute(text("SELECT * FROM upload")).all()

    assert new == [("cli", None, "", None, "01.out", "")]
    assert old == [(1, "2026-01-01", "cli")]


def test_0003_keeps_old_patches_and_goes_back(tmp_path):
    engine = engines.open_any(f"sqlite:///{tmp_path / 'old.db'}", create=True)
    engines.upgrade(engine, "0002")
    with engines.writing(engine) as connection:
        for statement in (
            "INSERT INTO patch_series VALUES (1, 's', '', '')",
            "INSERT INTO series_version VALUES (1, 1, 2, '', 'c@x', '', NULL)",
            "INSERT INTO patch VALUES (1, 1, 1, 'step', '', '', '')",
        ):
            connection.execute(text(statement))

    engines.upgrade(engine)
    with engines.reading(engine) as connection:
        new = connection.execute(text("SELECT subject, author, diff FROM patch")).all()
        versions = connection.execute(text("SELECT message_id, prefix FROM series_version")).all()
    engines.downgrade(engine, "0002")
    with engines.reading(engine) as connection:
        old = connection.execute(text("SELECT * FROM patch")).all()

    assert (new, versions) == ([("step", "", "")], [("c@x", "")])
    assert old == [(1, 1, 1, "step", "", "", "")]


def test_0004_keeps_time_series_takes_alerts_and_goes_back(tmp_path):
    engine = engines.open_any(f"sqlite:///{tmp_path / 'old.db'}", create=True)
    engines.upgrade(engine, "0003")
    with engines.writing(engine) as connection:
        for statement in (
            "INSERT INTO host VALUES (1, 'bm1', '', '2026-01-01')",
            "INSERT INTO benchmark VALUES (1, 'suite/b')",
            "INSERT INTO test_case VALUES (1, 1, 'd', '{}')",
            "INSERT INTO metric VALUES (1, 1, 'time', 's', 'lower')",
            "INSERT INTO time_series VALUES (1, 1, 1, 1)",
        ):
            connection.execute(text(statement))

    engines.upgrade(engine)
    with engines.writing(engine) as connection:
        connection.execute(text("INSERT INTO detection VALUES (1, 3, 9, x'', x'')"))
        connection.execute(
            text(
                """INSERT INTO alert_group (id, kind, evidence, line, subject, detail, opened_at, closed_because,
                   triage, owner, note, link, mute_reason) VALUES (1, 'missing data', 'confirmed', '', 'host bm1',
                   '{}', '2026-01-01', '', 'new', '', '', '', '')"""
            )
        )
        connection.execute(text("DELETE FROM time_series"))
        left = connection.execute(text("SELECT (SELECT count(*) FROM detection), count(*) FROM alert_group")).one()
    engines.downgrade(engine, "0003")
    with engines.reading(engine) as connection:
        hosts = connection.execute(text("SELECT name FROM host")).scalars().all()

    assert tuple(left) == (0, 1)
    assert hosts == ["bm1"]


def test_0005_keeps_values_drops_their_summaries_and_goes_back(tmp_path):
    engine = engines.open_any(f"sqlite:///{tmp_path / 'old.db'}", create=True)
    engines.upgrade(engine, "0004")
    packed = [np.array(values).tobytes() for values in ([9.0, 1.0, 3.0, 2.0], [7.0])]
    rows = [
        {"run": 1, "n": 4, "warmup": 1, "packed": packed[0], "mean": 2.0, "low": 1.0, "high": 3.0, "spread": 1.0},
        {"run": 2, "n": 1, "warmup": 1, "packed": packed[1], "mean": 7.0, "low": 7.0, "high": 7.0, "spread": None},
    ]
    with engines.writing(engine) as connection:
        for statement in (
            *OLD_ROWS[:2],
            "INSERT INTO upload (id, received_at, origin) VALUES (1, '2026-01-01', 'cli')",
        ):
            connection.execute(text(statement))
        for statement in (*OLD_ROWS[3:], *SERIES_ROWS):
            connection.execute(text(statement))
        connection.execute(
            text("INSERT INTO measurement VALUES (1, :run, :n, :warmup, :mean, :mean, :low, :high, :spread, :packed)"),
            rows,
        )
        before = connection.execute(text("SELECT * FROM measurement ORDER BY run_id")).mappings().all()

    engines.upgrade(engine)
    with engines.reading(engine) as connection:
        new = connection.execute(text("SELECT * FROM measurement ORDER BY run_id")).all()
        indexes = connection.execute(text("SELECT name FROM pragma_index_list('measurement')")).scalars().all()
    engines.downgrade(engine, "0004")
    with engines.reading(engine) as connection:
        after = connection.execute(text("SELECT * FROM measurement ORDER BY run_id")).mappings().all()

    assert new == [(1, 1, 4, 1, packed[0]), (1, 2, 1, 1, packed[1])]
    assert "ix_measurement_run_id" in indexes
    assert [dict(row) for row in after] == [dict(row) for row in before]


OLD_DATA = (
    "INSERT INTO host VALUES (1, 'bm1', '', '2026-01-01')",
    "INSERT INTO upload (id, received_at, origin) VALUES (1, '2026-01-01', 'cli')",
    """INSERT INTO revision (id, key, kernel, "commit", label, tree, branch, describe, subject, config_hash, dirty,
       first_seen_at) VALUES (1, 'k', '6.12', '', '', '', '', '', '', '', false, '2026-01-01')""",
    """INSERT INTO capture (id, identity, upload_id, host_id, revision_id, source, tags, reported, quarantined)
       VALUES (1, 'i', 1, 1, 1, '01.out', '{"a": "b"}', false, '')""",
    "INSERT INTO artifact VALUES (1, 'x', 1, '')",
)


def test_an_old_database_with_data_goes_up_and_down_on_each_engine(empty_database):
    engine = engines.open_any(empty_database, create=True)
    engines.upgrade(engine, "0001")
    with engines.writing(engine) as connection:
        for statement in OLD_DATA:
            connection.execute(text(statement))

    engines.upgrade(engine)
    told = "SELECT h.name, u.origin, u.token, r.kernel, c.source, c.tags FROM host h, upload u, revision r, capture c"
    with engines.reading(engine) as connection:
        after = connection.execute(text(told)).one()
    engines.downgrade(engine, "0001")
    with engines.reading(engine) as connection:
        back = connection.execute(text(told.replace("u.token", "''"))).one()
    engine.dispose()

    assert tuple(after)[:5] == ("bm1", "cli", "", "6.12", "01.out")
    assert tuple(after) == tuple(back)


@pytest.mark.parametrize("processes", [2])
def test_two_processes_may_upgrade_an_old_database_at_once(empty_database, processes):
    engine = engines.open_any(empty_database, create=True)
    engines.upgrade(engine, "0001")
    with engines.writing(engine) as connection:
        for statement in OLD_DATA:
            connection.execute(text(statement))
    engine.dispose()

    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        versions = pool.map(_upgrade, [empty_database] * processes)

    assert versions == [engines.HEAD] * processes


def _upgrade(address: str) -> str:
    engine = engines.open_any(address)
    engines.upgrade(engine)
    with engines.reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM capture")).scalar() == 1
    return engines.schema_version(engine)
