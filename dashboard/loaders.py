"""What pages read, cached by database, arguments and the state of the database (a token that every upload changes).

The values are frozen, so that the same objects can be handed out again without a copy: `cache_resource`, not
`cache_data`, which would pickle a whole comparison on every click.
"""

from collections.abc import Sequence
from threading import Thread

import streamlit as st
from sqlalchemy import Engine

from dashboard.parts import choice
from dashboard.parts.choice import Catalog
from db import queries, run_queries
from db import runs as stored
from db.engine import connect, reading
from db.host_queries import InState
from db.queries import Filters
from db.run_queries import RunLine
from db.values import BootRow, RevisionRow, RunCount, SampleTable, SeriesRow
from ingest.reading import Asked, Reading, read_again
from report import comparison as comparisons
from report import hosts as host_reports
from report import inbox as inboxes
from report import operation as operations
from report import run as runs
from report import series_pages, trend
from report.comparison import Report, Request
from report.hosts import HostReport, Stretch
from report.inbox import InboxReport
from report.noise import NoiseReport
from report.operation import OperationReport
from report.run import RunReport
from report.selection import Chosen
from report.series import SeriesReport, SeriesRequest
from report.series_pages import Known
from report.spellings import spellings
from report.steps import Step, prepare
from report.steps import steps as change_points
from report.trend import Line, RawPoint

_KEPT = 64  # answers of each kind
_LONG = 4000  # levels in which machine code finds changes noticeably faster
_MANY = 200  # lines of one figure


@st.cache_resource(show_spinner=False, max_entries=8)
def engine(url: str) -> Engine:
    """The engine of a database whose schema is ours; a UserError otherwise, asked again on the next run."""
    return connect(url)


def token(url: str) -> str:
    """What changes whenever something new is stored. Never cached."""
    with reading(engine(url)) as connection:
        return queries.freshness(connection)


@st.cache_resource(show_spinner="Reading the revisions …", max_entries=_KEPT)
def revisions(url: str, token: str) -> tuple[RevisionRow, ...]:  # noqa: ARG001 (the token is part of the cache key)
    """All revisions in their order in time."""
    with reading(engine(url)) as connection:
        return queries.revisions(connection)


@st.cache_resource(show_spinner="Reading the revisions …", max_entries=_KEPT)
def names(url: str, token: str) -> dict[int, str]:
    """The shortest unambiguous name of each revision, in their order in time."""
    return spellings(revisions(url, token))


def series(url: str, token: str) -> tuple[SeriesRow, ...]:
    """All time series. Read again only where there are others than before: most uploads bring no new ones."""
    return _series(url, _series_token(url, token))


@st.cache_resource(show_spinner=False, max_entries=_KEPT)
def _series_token(url: str, token: str) -> str:  # noqa: ARG001
    with reading(engine(url)) as connection:
        return queries.series_freshness(connection)


@st.cache_resource(show_spinner="Reading the time series …", max_entries=8)
def _series(url: str, token: str) -> tuple[SeriesRow, ...]:  # noqa: ARG001
    with reading(engine(url)) as connection:
        return queries.series(connection)


@st.cache_resource(show_spinner="Reading the names …", max_entries=_KEPT)
def stored_names(url: str, token: str) -> dict[str, tuple[str, ...]]:  # noqa: ARG001
    """What filters can be picked from."""
    with reading(engine(url)) as connection:
        return queries.stored_names(connection)


@st.cache_resource(show_spinner="Reading the boots …", max_entries=_KEPT)
def boots(url: str, token: str) -> tuple[BootRow, ...]:  # noqa: ARG001
    """All boots."""
    with reading(engine(url)) as connection:
        return queries.boots(connection)


@st.cache_resource(show_spinner="Counting the runs …", max_entries=_KEPT)
def run_counts(url: str, token: str) -> tuple[RunCount, ...]:
    """How all runs ended, per revision, host, test case and status."""
    ids = [revision.id for revision in revisions(url, token)]
    with reading(engine(url)) as connection:
        return queries.run_counts(connection, ids, Filters())


@st.cache_resource(show_spinner="Comparing …", show_time=True, max_entries=_KEPT)
def comparison(url: str, token: str, request: Request) -> Report:  # noqa: ARG001
    """The judged comparison."""
    with reading(engine(url)) as connection:
        return comparisons.build(connection, request)


@st.cache_resource(show_spinner="Reading the history …", show_time=True, max_entries=_KEPT)
def lines(url: str, token: str, series_ids: Sequence[int], boot: str = "") -> tuple[Line, ...]:  # noqa: ARG001
    """The trend of exactly these time series, over all revisions."""
    with reading(engine(url)) as connection:
        found = trend.build(connection, Chosen(boot=boot, ids=frozenset(series_ids)), limit=_MANY)
    if sum(len(line.points) for line in found) > _LONG:
        _machine_code()
    return found


@st.cache_resource(show_spinner="Reading the runs …", max_entries=_KEPT)
def raw(url: str, token: str, series_id: int) -> tuple[RawPoint, ...]:  # noqa: ARG001
    """One value per run of a time series."""
    with reading(engine(url)) as connection:
        return trend.raw(connection, series_id)


@st.cache_resource(show_spinner="Reading the values …", max_entries=_KEPT)
def samples(url: str, token: str, series_id: int, revision_ids: Sequence[int], boot: str = "") -> SampleTable:  # noqa: ARG001
    """Every value of a time series at these revisions."""
    with reading(engine(url)) as connection:
        chosen = {one.id for one in queries.boots(connection, boot)} if boot else None
        return queries.samples(connection, [series_id], revision_ids, chosen)


@st.cache_resource(show_spinner="Reading the run …", max_entries=_KEPT)
def run(url: str, token: str, run_id: int) -> RunReport:  # noqa: ARG001
    """One run with its context."""
    with reading(engine(url)) as connection:
        return runs.build(connection, run_id)


@st.cache_resource(show_spinner=False, max_entries=8)
def raw_files(url: str, token: str, run_id: int) -> dict[str, bytes]:
    """The bytes of a run's files by name. Few are kept: outputs can be long."""
    with reading(engine(url)) as connection:
        return runs.raw(connection, run(url, token, run_id))


@st.cache_resource(show_spinner=False, max_entries=8)
def artifact(url: str, token: str, sha256: str) -> bytes:  # noqa: ARG001
    """Raw bytes by their digest."""
    with reading(engine(url)) as connection:
        return queries.artifact(connection, sha256)


@st.cache_resource(show_spinner="Reading the output …", show_time=True, max_entries=8)
def marked(url: str, token: str, run_id: int) -> Reading:
    """The lines of a run's output and the numbers in them: the one place where a page asks a parser."""
    one = run(url, token, run_id).run
    return read_again(
        Asked(
            files=raw_files(url, token, run_id),
            position=one.position,
            source=one.source,
            command=one.command,
            exit_status=one.exit_status,
            started_at=one.started_at.timestamp() if one.started_at else None,
            ended_at=one.ended_at.timestamp() if one.ended_at else None,
        )
    )


@st.cache_resource(show_spinner="Reading the runs …", max_entries=_KEPT)
def newest_runs(url: str, token: str, status: str = "") -> tuple[RunLine, ...]:  # noqa: ARG001
    """The runs stored last."""
    with reading(engine(url)) as connection:
        return run_queries.newest(connection, status)


@st.cache_resource(show_spinner="Reading the hosts …", max_entries=_KEPT)
def hosts(url: str, token: str) -> tuple[HostReport, ...]:  # noqa: ARG001
    """All hosts with their newest state."""
    with reading(engine(url)) as connection:
        return host_reports.hosts(connection)


@st.cache_resource(show_spinner="Reading the host's history …", max_entries=_KEPT)
def host_history(url: str, token: str, host_id: int) -> tuple[Stretch, ...]:  # noqa: ARG001
    """The states that a host went through."""
    with reading(engine(url)) as connection:
        return host_reports.history(connection, host_id)


@st.cache_resource(show_spinner="Reading the boots …", max_entries=_KEPT)
def host_boots(url: str, token: str, host_id: int) -> tuple[InState, ...]:  # noqa: ARG001
    """The boots of a host."""
    with reading(engine(url)) as connection:
        return host_reports.boots(connection, host_id)


@st.cache_resource(show_spinner="Weighing the noise …", show_time=True, max_entries=_KEPT)
def noise(url: str, token: str, series_ids: Sequence[int]) -> NoiseReport:
    """The noise of the first of these time series."""
    wanted = set(series_ids)
    with reading(engine(url)) as connection:
        return host_reports.noise_of(connection, [one for one in series(url, token) if one.id in wanted])


@st.cache_resource(show_spinner="Reading the patch series …", max_entries=_KEPT)
def patch_series(url: str, token: str) -> tuple[Known, ...]:  # noqa: ARG001
    """All patch series, the one measured last first."""
    with reading(engine(url)) as connection:
        return series_pages.known(connection)


@st.cache_resource(show_spinner="Attributing changes to patches …", show_time=True, max_entries=_KEPT)
def series_report(url: str, token: str, request: SeriesRequest) -> SeriesReport:  # noqa: ARG001
    """One version of a series, patch by patch."""
    with reading(engine(url)) as connection:
        return series_pages.version(connection, request)


@st.cache_resource(show_spinner="Comparing the versions …", show_time=True, max_entries=_KEPT)
def between_versions(url: str, token: str, name: str, vary: Sequence[str]) -> tuple[str, ...]:
    """What the versions of a series did against each other, in sentences."""
    one = next(one for one in patch_series(url, token) if one.series.name == name)
    with reading(engine(url)) as connection:
        return series_pages.between_versions(connection, one, vary)


@st.cache_resource(show_spinner="Reading what came in …", max_entries=_KEPT)
def inbox(url: str, token: str) -> InboxReport:  # noqa: ARG001
    """What needs somebody's attention."""
    with reading(engine(url)) as connection:
        return inboxes.build(connection)


@st.cache_resource(show_spinner="Measuring the database …", ttl=30, max_entries=8)
def operation(url: str, token: str) -> OperationReport:  # noqa: ARG001
    """The state of the database; tokens and acts change without an upload, so it does not last."""
    with reading(engine(url)) as connection:
        return operations.build(engine(url), connection)


@st.cache_resource(show_spinner="Reading the output …", max_entries=8)
def capture_files(url: str, token: str, capture_id: int) -> dict[str, bytes]:  # noqa: ARG001
    """The bytes of a capture's files by name."""
    with reading(engine(url)) as connection:
        return {name: queries.artifact(connection, sha) for name, sha in stored.files(connection, capture_id).items()}


def catalog(url: str, token: str) -> Catalog:
    """All time series as the Trends page picks from them."""
    return _catalog(url, _series_token(url, token))


@st.cache_resource(show_spinner="Reading the time series …", max_entries=8)
def _catalog(url: str, token: str) -> Catalog:
    return choice.catalog(_series(url, token))


@st.cache_resource(show_spinner="Looking for changes …", show_time=True, max_entries=_KEPT)
def steps(url: str, token: str, series_ids: Sequence[int], boot: str = "") -> tuple[Step, ...]:
    """The change points of these time series over their whole history."""
    return change_points(lines(url, token, series_ids, boot))


@st.cache_resource(show_spinner=False)
def _machine_code() -> Thread:
    """Starts the compiler when the first long history was read: changes are found in a hundredth of the time."""
    thread = Thread(target=prepare, daemon=True)
    thread.start()
    return thread


@st.cache_resource(show_spinner="Reading the test cases …", max_entries=_KEPT)
def histories(url: str, token: str) -> tuple[tuple[str, int, int, int], ...]:  # noqa: ARG001
    """How far the history of each test case reaches."""
    with reading(engine(url)) as connection:
        return run_queries.longest(connection)


def richest(url: str, token: str, benchmark: str = "") -> tuple[str, int] | tuple[()]:
    """Benchmark and test case measured at the most revisions: of one benchmark, or of all."""
    found = [one for one in histories(url, token) if benchmark in ("", one[0])]
    best = max(found, key=lambda one: (one[2], one[3], -one[1]), default=None)
    return best[:2] if best else ()
