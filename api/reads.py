"""What can be asked: runs, raw files, time series, trends, patch series, comparisons. Reads only."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response
from sqlalchemy import Engine

from api.auth import Gate
from api.errors import ApiError
from api.times import in_utc
from db import queries, runs
from db.engine import reading
from db.queries import Filters
from db.runs import RunFilters
from db.values import RevisionRow
from db.words import Scope
from db.words import Status as RunStatus
from report import comparison, trend, trend_rows
from report.asked import ask
from report.markup import json_row
from report.names import resolve

_MOST = 1000
_LARGEST_ID = 2**63 - 1  # what a database can look up
Glob = Annotated[str, Query(max_length=200, description="Shell glob; empty: all")]
Exact = Annotated[str, Query(max_length=200)]
Json = dict[str, Any]  # Any: JSON


def router(engine: Engine, gate: Gate) -> APIRouter:
    """The routes for reading."""
    routes = APIRouter(prefix="/api/v1", tags=["reads"], dependencies=[Depends(gate.needs(Scope.READ))])
    _runs(routes, engine)
    _series(routes, engine)
    _comparisons(routes, engine)
    return routes


def _runs(routes: APIRouter, engine: Engine) -> None:
    @routes.get("/runs")
    def list_runs(
        filters: Annotated[RunFilters, Depends(_run_filters)],
        revision: Exact = "",
        after: Annotated[int, Query(ge=0, le=_LARGEST_ID, description="`next` of the page before")] = 0,
        limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
    ) -> Json:
        """Runs in the order in which they were stored; `next` is null on the last page."""
        with reading(engine) as connection:
            known = {one.id: one for one in queries.revisions(connection)}
            if revision:
                meant = resolve(revision, list(known.values())).id
                filters = RunFilters(**{**asdict(filters), "revision_id": meant})
            found = runs.runs(connection, filters, after, limit)
        rows = [_run(one, known) for one in found]
        return {"runs": rows, "next": found[-1].id if len(found) == limit else None}

    @routes.get("/runs/{run_id}")
    def show_run(run_id: Annotated[int, Path(ge=1, le=_LARGEST_ID)]) -> Json:
        """One run with its values and the digests of its raw files."""
        with reading(engine) as connection:
            found = runs.run(connection, run_id)
            if not found:
                raise ApiError(404, f"no run {run_id}", "GET /api/v1/runs lists them")
            known = {one.id: one for one in queries.revisions(connection)}
            measured = runs.measured(connection, run_id)
            files = runs.files(connection, found[0].capture_id)
        values = [{**asdict(one), "values": one.values.tolist()} for one in measured]
        return {**_run(found[0], known), "measurements": values, "files": files}

    @routes.get("/artifacts/{sha256}", response_class=Response)
    def raw_file(sha256: str) -> Response:
        """The raw bytes of a file as they were uploaded."""
        with reading(engine) as connection:
            content = queries.artifact(connection, sha256)
        if not content:
            raise ApiError(404, "no file with this digest", "GET /api/v1/runs/ID lists the files of a run")
        return Response(content, media_type="text/plain; charset=utf-8", headers={"Content-Disposition": "attachment"})


def _series(routes: APIRouter, engine: Engine) -> None:
    @routes.get("/time-series")
    def time_series(filters: Annotated[Filters, Depends(_filters)]) -> Json:
        """The time series that pass the filters, the first thousand."""
        with reading(engine) as connection:
            found = queries.series(connection, filters)
        return {"time_series": [asdict(one) for one in found[:_MOST]], "left_off": max(0, len(found) - _MOST)}

    @routes.get("/trends")
    def trends(
        filters: Annotated[Filters, Depends(_filters)],
        revision: Annotated[list[str], Query(description="Only revisions with this in their name")] = [],  # noqa: B006 (FastAPI copies it)
        limit: Annotated[int, Query(ge=1, le=200, description="Time series at most")] = 20,
    ) -> Json:
        """The level of each revision in order, with its interval: the rows of `kvmperf trend`."""
        with reading(engine) as connection:
            lines = trend.build(connection, filters, revisions=revision, limit=limit)
        return {"points": [{**row, "params": json.loads(str(row["params"]))} for row in trend_rows.rows(lines)]}

    @routes.get("/revisions")
    def revisions() -> Json:
        """Every revision in order, under the names that comparisons take."""
        with reading(engine) as connection:
            found = queries.revisions(connection)
        return {"revisions": [_revision(one) for one in found]}

    @routes.get("/patch-series")
    def patch_series() -> Json:
        """Patch series with their versions and the patches that were measured of each."""
        with reading(engine) as connection:
            found = [one for one in queries.revisions(connection) if one.series]
        series: dict[str, dict[int, list[Json]]] = {}
        for one in found:
            series.setdefault(one.series, {}).setdefault(one.version or 0, []).append(_revision(one))
        rows = [
            {
                "series": name,
                "versions": [{"version": v, "revisions": states} for v, states in sorted(versions.items())],
            }
            for name, versions in sorted(series.items())
        ]
        return {"patch_series": rows}


def _comparisons(routes: APIRouter, engine: Engine) -> None:
    @routes.get("/comparisons")
    def compare(
        filters: Annotated[Filters, Depends(_filters)],
        base: Annotated[str, Query(min_length=1, max_length=300)],
        head: Annotated[list[str], Query(min_length=1, max_length=10)],
        vary: Annotated[list[str], Query(description="Host-state field under comparison itself")] = [],  # noqa: B006
        margin: Annotated[float, Query(ge=0, lt=1, description="0.02 is 2%")] = 0.02,
        unit: Annotated[str, Query(description="boot or run")] = "boot",
    ) -> Json:
        """A verdict per metric: the rows of `kvmperf compare BASE HEAD... --json`."""
        request = ask([base, *head], filters, vary, margin, unit)
        with reading(engine) as connection:
            report = comparison.build(connection, request)
        verdicts: dict[str, int] = {}
        for row in report.rows:
            verdicts[row.result.verdict.value] = verdicts.get(row.result.verdict.value, 0) + 1
        return {
            "base": _revision(report.base),
            "heads": [_revision(one) for one in report.heads],
            "verdicts": verdicts,
            "rows": [json_row(row) for row in report.rows],
        }


def _filters(benchmark: Glob = "", metric: Glob = "", host: Glob = "", boot: Glob = "") -> Filters:
    return Filters(benchmark=benchmark, metric=metric, host=host, boot=boot)


def _run_filters(
    benchmark: Exact = "",
    host: Exact = "",
    boot: Exact = "",
    status: RunStatus | None = None,
    since: datetime | None = None,
) -> RunFilters:
    known = in_utc("since", since) if since is not None else None
    return RunFilters(benchmark=benchmark, host=host, boot=boot, status=status.value if status else "", since=known)


def _run(one: runs.RunRow, known: dict[int, RevisionRow]) -> Json:
    told = asdict(one)
    del told["revision_id"]
    return {**told, "revision": _revision(known[one.revision_id])}


def _revision(one: RevisionRow) -> Json:
    return {"name": one.name, "kernel": one.kernel, "commit": one.commit, "label": one.label, "patch": one.patch}
