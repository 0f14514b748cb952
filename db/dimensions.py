"""What measurements hang on: hosts, boots, revisions, test cases, time series. Equal things become one row."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from db import models
from db.bulk import by_keys, table_of
from db.errors import DatabaseError
from db.joined import integers, text_of
from db.keys import digest, revision_key
from db.listed import is_one_digest_of, is_one_of
from db.origin import CaptureContext, RevisionFacts
from db.series import placed
from db.values import NewMeasurement

Places = dict[str, int | None]
_SERIES_KEY = ("test_case_id", "metric_id", "host_id")
_SeriesKey = tuple[int, int, int]  # as named above
_CHUNK = 500  # ids in one IN list
_MAKING = 5386011  # the advisory lock of PostgreSQL that transactions hold while they make such rows


class Dimensions:
    """Finds ids or makes them, in one open transaction, and remembers what it has seen.

    Use one per transaction: after a rollback its memory would be wrong.
    """

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._ids: dict[tuple[object, ...], int] = {}
        self._placed: dict[RevisionFacts, RevisionFacts] = {}
        self._contexts: dict[int, tuple[CaptureContext, Places]] = {}
        self._is_alone = False
        by_keys(connection)

    def placed(self, facts: RevisionFacts) -> RevisionFacts:
        """The facts with their place in a patch series, where one is known for their commit."""
        if facts not in self._placed:
            self._placed[facts] = placed(self._connection, facts)
        return self._placed[facts]

    def places(self, context: CaptureContext) -> Places:
        """Host, boot, host state and revision of a context. Contexts are told apart as objects: many share one."""
        known = self._contexts.get(id(context))
        if known is None:
            known = self._contexts[id(context)] = (context, self._places(context))  # keeps it alive, and its id taken
        return known[1]

    def revision(self, facts: RevisionFacts) -> int:
        """The id of a revision, stored where it is new."""
        version_id = self._series_version(facts) if facts.series else None
        columns = {
            "kernel": facts.kernel,
            "commit": facts.commit,
            "label": facts.label,
            "tree": facts.tree,
            "branch": facts.branch,
            "describe": facts.describe,
            "subject": facts.subject,
            "config_hash": facts.config_hash,
            "dirty": facts.dirty,
            "committed_at": facts.committed_at,
            "first_seen_at": self._now,
            "series_version_id": version_id,
            "patch_k": facts.patch,
        }
        return self.one(models.Revision, {"key": revision_key(facts, version_id)}, columns)

    def test_cases(self, wanted: Sequence[tuple[str, Mapping[str, object]]]) -> list[int]:
        """The ids of the test cases of many runs (benchmark, parameters), looked up together."""
        self._find_benchmarks({benchmark for benchmark, _ in wanted})
        named = [(self.one(models.Benchmark, {"name": one}), digest(dict(params))) for one, params in wanted]
        self._find_test_cases(named)
        return [
            self.one(models.TestCase, {"benchmark_id": benchmark_id, "digest": key}, {"params": params})
            for (benchmark_id, key), (_, params) in zip(named, wanted, strict=True)
        ]

    def _find_benchmarks(self, names: Collection[str]) -> None:
        """Look up benchmarks and all their metrics, for `one` to answer from memory."""
        unknown = sorted(name for name in names if (models.Benchmark, name) not in self._ids)
        if not unknown:
            return
        table = table_of(models.Benchmark)
        for start in range(0, len(unknown), _CHUNK):
            rows = self._connection.execute(
                select(table.c.id, table.c.name).where(table.c.name.in_(unknown[start : start + _CHUNK]))
            )
            found = {row.name: row.id for row in rows}
            self._ids |= {(models.Benchmark, name): number for name, number in found.items()}
            self._find_metrics(list(found.values()))

    def _find_test_cases(self, wanted: Iterable[tuple[int, str]]) -> None:
        """Look up test cases by benchmark and digest, for `one` to answer from memory."""
        unknown = {one for one in wanted if (models.TestCase, *one) not in self._ids}
        benchmarks, digests = {benchmark_id for benchmark_id, _ in unknown}, sorted({key for _, key in unknown})
        table = table_of(models.TestCase)
        for start in range(0, len(digests), _CHUNK):
            part = digests[start : start + _CHUNK]
            found = select(table.c.id, table.c.benchmark_id, table.c.digest)
            found = found.where(
                is_one_of(table.c.benchmark_id, sorted(benchmarks)), is_one_digest_of(table.c.digest, part)
            )
            rows = self._connection.execute(found)
            self._ids |= {(models.TestCase, row.benchmark_id, row.digest): row.id for row in rows}

    def time_series(self, wanted: Sequence[tuple[int, int | None, str, NewMeasurement]]) -> list[int]:
        """The ids of the time series of many measurements (test case, host, benchmark, measurement).

        Looked up and made in a few statements: one by one, that took longer than storing what was measured.
        """
        keys = [(case_id, host_id, new.metric, new.unit) for case_id, host_id, _, new in wanted]
        unknown: dict[tuple[object, ...], _SeriesKey] = {}
        ids = self._ids
        for key, (case_id, host_id, benchmark, new) in zip(keys, wanted, strict=True):
            if key not in ids and key not in unknown and host_id is not None:
                metric = ids.get((benchmark, new.metric, new.unit)) or self.metric(benchmark, new)
                unknown[key] = (case_id, metric, host_id)
        if unknown:
            found = self._series(unknown.values())
            if missing := [one for one in unknown.values() if one not in found]:
                self._alone()
                dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
                rows = [dict(zip(_SERIES_KEY, one, strict=True)) for one in missing]
                self._connection.execute(dialect.insert(models.TimeSeries).on_conflict_do_nothing(), rows)
                found |= self._series(missing)
            ids.update((key, found[one]) for key, one in unknown.items())
        return [ids[key] for key in keys]

    def metric(self, benchmark: str, new: NewMeasurement) -> int:
        """The id of a metric of a benchmark."""
        key = (benchmark, new.metric, new.unit)
        if key not in self._ids:
            benchmark_id = self.one(models.Benchmark, {"name": benchmark})
            if ("metrics of", benchmark_id) not in self._ids:
                self._find_metrics([benchmark_id])
            named = {"benchmark_id": benchmark_id, "name": new.metric, "unit": new.unit}
            self._ids[key] = self.one(models.Metric, named, {"better": new.better})
        return self._ids[key]

    def one(self, model: type[models.Base], named: Mapping[str, Any], rest: Mapping[str, Any] | None = None) -> int:
        """The id of the row with these identifying columns; inserted where new, even against another writer."""
        key = (model, *named.values())
        if key not in self._ids:
            table = table_of(model)
            find = select(table.c.id).where(*(table.c[name] == value for name, value in named.items()))
            found = self._connection.execute(find).scalar()
            if found is None:
                self._alone()
                dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
                row = {**named, **(rest or {})}
                self._connection.execute(dialect.insert(table).values(row).on_conflict_do_nothing())
                found = self._connection.execute(find).scalar_one()
            self._ids[key] = int(found)
        return self._ids[key]

    def _find_metrics(self, benchmark_ids: Sequence[int]) -> None:
        """Look up all metrics of benchmarks, for `one` to answer from memory."""
        table = table_of(models.Metric)
        wanted = select(table.c.benchmark_id, table.c.name, table.c.unit, table.c.id)
        for benchmark_id, name, unit, number in self._connection.execute(
            wanted.where(is_one_of(table.c.benchmark_id, benchmark_ids))
        ):
            self._ids[models.Metric, benchmark_id, name, unit] = number
        self._ids |= {("metrics of", benchmark_id): 1 for benchmark_id in benchmark_ids}

    def _series(self, keys: Iterable[_SeriesKey]) -> dict[_SeriesKey, int]:
        """The ids of those that are stored."""
        cases, _, hosts = (sorted(set(column)) for column in zip(*keys, strict=True))
        table = table_of(models.TimeSeries)
        columns = (text_of(self._connection, table.c[name]) for name in (*_SERIES_KEY, "id"))
        wanted = select(*columns).where(table.c.host_id.in_(hosts))
        found: dict[_SeriesKey, int] = {}
        for start in range(0, len(cases), _CHUNK):
            part = wanted.where(table.c.test_case_id.in_(cases[start : start + _CHUNK]))
            case, metric, host, ids = (integers([text or ""]).tolist() for text in self._connection.execute(part).one())
            found |= zip(zip(case, metric, host, strict=True), ids, strict=True)
        return found

    def _alone(self) -> None:
        """Wait on PostgreSQL until no other transaction makes such rows.

        Two that make the same rows in another order would wait for each other. On SQLite a writer is alone anyway.
        """
        if not self._is_alone and self._connection.dialect.name == "postgresql":
            self._connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MAKING})
        self._is_alone = True

    def _places(self, context: CaptureContext) -> Places:
        host_id = self._host(context)
        boot = {"host_id": host_id, "boot_id": context.boot_id}
        return {
            "host_id": host_id,
            "boot_id": self.one(models.Boot, boot) if context.boot_id else None,
            "host_state_id": self._state(context.state) if context.state else None,
            "revision_id": self.revision(self.placed(context.revision)),
        }

    def _host(self, context: CaptureContext) -> int:
        host_id = self.one(
            models.Host, {"name": context.host}, {"machine_id_hash": context.machine_id_hash, "created_at": self._now}
        )
        if context.machine_id_hash:
            self._connection.execute(
                update(models.Host)
                .where(models.Host.id == host_id, models.Host.machine_id_hash == "")
                .values(machine_id_hash=context.machine_id_hash)
            )
        return host_id

    def _state(self, state: Mapping[str, str]) -> int:
        return self.one(models.HostState, {"digest": digest(dict(state))}, {"fields": dict(state)})

    def _series_version(self, facts: RevisionFacts) -> int:
        if facts.version is None:
            raise DatabaseError(f"series {facts.series!r}: no version given", "add --version N")
        series_id = self.one(models.PatchSeries, {"name": facts.series}, {"subject": "", "change_id": ""})
        empty = {"subject": "", "message_id": "", "base_commit": "", "posted_at": None}
        return self.one(models.SeriesVersion, {"series_id": series_id, "version": facts.version}, empty)
