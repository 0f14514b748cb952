"""Alerts over HTTP: lists, one with its history, feeds, and what people say about them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from alerts.notices.entries import entries
from alerts.notices.feed import Feed, atom, json_feed
from alerts.notices.telling import title
from alerts.report import as_json
from alerts.triage import Action, Said, find, possible, triage
from api.auth import Caller, Gate
from api.errors import ApiError
from api.settings import ServerSettings
from api.times import in_utc
from db import alert_queries
from db.alert_queries import Event, Group, GroupFilters
from db.engine import reading, writing
from db.errors import UserError
from db.words import AlertKind, Scope, Triage

_LARGEST_ID = 2**63 - 1
_MOST = 200
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)  # a feed without entries was updated some time
Json = dict[str, Any]  # Any: JSON
AlertId = Annotated[int, Path(ge=1, le=_LARGEST_ID)]


class Wanted(BaseModel):
    """Which alerts are asked for."""

    model_config = ConfigDict(extra="ignore")
    state: Literal["open", "closed", "all"] = "open"
    kind: Annotated[list[AlertKind], Field(max_length=10)] = []
    triage: Annotated[list[Triage], Field(max_length=10)] = []
    owner: Annotated[str, Field(max_length=200)] = ""
    benchmark: Annotated[str, Field(max_length=200, description="Shell glob; empty: all")] = ""
    host: Annotated[str, Field(max_length=200, description="Shell glob; empty: all")] = ""
    after: Annotated[int, Field(ge=0, le=_LARGEST_ID, description="`next` of the page before")] = 0
    limit: Annotated[int, Field(ge=1, le=_MOST)] = 50

    def filters(self) -> GroupFilters:
        """The same for the database."""
        return GroupFilters(
            is_open={"open": True, "closed": False, "all": None}[self.state],
            kinds=tuple(self.kind),
            triage=tuple(self.triage),
            owner=self.owner,
            benchmark=self.benchmark,
            host=self.host,
            before_id=self.after,
        )


class Word(BaseModel):
    """What somebody says about an alert."""

    model_config = ConfigDict(extra="forbid")
    action: Action
    text: Annotated[str, Field(max_length=4000, description="Owner, note, link or reason")] = ""
    until: Annotated[datetime | None, Field(description="End of `mute`, with its zone")] = None


_EXAMPLES: Any = {  # Any: FastAPI's type for it is private
    "acknowledge": {"value": {"action": "acknowledge", "text": "looking at it"}},
    "assign": {"value": {"action": "assign", "text": "alice"}},
    "mute": {"value": {"action": "mute", "text": "host is being moved", "until": "2026-12-01T00:00:00Z"}},
    "undo": {"value": {"action": "undo"}},
}


def router(engine: Engine, gate: Gate, settings: ServerSettings) -> APIRouter:
    """The routes of alerts."""
    routes = APIRouter(tags=["alerts"])
    _reads(routes, engine, gate)
    _triage(routes, engine, gate)
    _feeds(routes, engine, gate, settings)
    return routes


def _reads(routes: APIRouter, engine: Engine, gate: Gate) -> None:
    may_read = Depends(gate.needs(Scope.READ))

    @routes.get("/api/v1/alerts", dependencies=[may_read], responses=_example(_LIST))
    def list_alerts(wanted: Annotated[Wanted, Query()]) -> Json:
        """Alerts, newest first; `next` is null on the last page. Without `state` the open ones."""
        with reading(engine) as connection:
            found = alert_queries.groups(connection, wanted.filters(), wanted.limit)
        now = datetime.now(UTC)
        rows = [_row(one, now) for one in found]
        return {"alerts": rows, "next": found[-1].id if len(found) == wanted.limit else None}

    @routes.get("/api/v1/alerts/{alert_id}", dependencies=[may_read])
    def show_alert(alert_id: AlertId) -> Json:
        """One alert with every time series in it, its history, and what can be said about it now."""
        with reading(engine) as connection:
            return _whole(find_or_404(connection, alert_id), alert_queries.events(connection, alert_id))


def _triage(routes: APIRouter, engine: Engine, gate: Gate) -> None:
    @routes.post("/api/v1/alerts/{alert_id}/triage", responses={404: {}, 400: {}})
    def say(
        alert_id: AlertId,
        word: Annotated[Word, Body(openapi_examples=_EXAMPLES)],
        caller: Annotated[Caller, Depends(gate.needs(Scope.TRIAGE))],
    ) -> Json:
        """Say something about an alert; the alert as it is then. The history keeps who said it: the token's name."""
        until = in_utc("until", word.until) if word.until is not None else None
        with writing(engine) as connection:
            find_or_404(connection, alert_id)
            who = f"{caller.name} (token {caller.prefix})"
            group = triage(connection, alert_id, word.action, who, Said(word.text, until))
            return _whole(group, alert_queries.events(connection, alert_id))


def _feeds(routes: APIRouter, engine: Engine, gate: Gate, settings: ServerSettings) -> None:
    may_read = Depends(gate.needs(Scope.READ))

    @routes.get("/alerts.atom", dependencies=[may_read], response_class=Response)
    def atom_feed(request: Request) -> Response:
        """The newest alerts as an Atom feed. Readers that know no tokens send it as the password of a user."""
        feed, found = _feed(request, engine, settings)
        return Response(atom(feed, found), media_type="application/atom+xml; charset=utf-8")

    @routes.get("/alerts.json", dependencies=[may_read])
    def feed_as_json(request: Request) -> JSONResponse:
        """The same as a JSON feed."""
        feed, found = _feed(request, engine, settings)
        return JSONResponse(json_feed(feed, found), media_type="application/feed+json")


def _feed(request: Request, engine: Engine, settings: ServerSettings) -> Any:  # Any: a feed and its entries
    dashboard = settings.dashboard.rstrip("/")
    here = str(request.url.replace(query=""))
    authority = (dashboard or here).split("//", 1)[-1].split("/", 1)[0].split(":", 1)[0]
    with reading(engine) as connection:
        found = entries(connection, authority, dashboard, datetime.now(UTC))
    updated = max((one.updated for one in found), default=_EPOCH)
    home = f"{dashboard}/inbox" if dashboard else ""
    return Feed(f"tag:{authority},2026:alerts", "kvmperf alerts", here, home, updated), found


def find_or_404(connection: Any, alert_id: int) -> Group:  # Any: SQLAlchemy's connection
    """The alert with this id; ApiError 404 where there is none."""
    try:
        return find(connection, alert_id)
    except UserError as error:
        raise ApiError(404, str(error), "GET /api/v1/alerts?state=all lists them") from error


def _row(group: Group, now: datetime) -> Json:
    """An alert as lists show it: the fields of `kvmperf alerts list --json`, its time series only counted.

    `metric`, `effect` and `ci` are those of the time series that names it.
    """
    told = as_json(group, now)
    series = told.pop("members")
    first = (group.live or group.members)[:1]
    return {
        **told,
        "title": title(group),
        "open": group.is_open,
        "hosts": group.hosts,
        "benchmarks": group.benchmarks,
        "metric": first[0].series.metric if first else None,
        "effect": first[0].effect if first else None,
        "ci": [first[0].low, first[0].high] if first else None,
        "series": len(series),
    }


def _whole(group: Group, events: tuple[Event, ...]) -> Json:
    now = datetime.now(UTC)
    return {
        **_row(group, now),
        "members": as_json(group, now)["members"],
        "history": [{"at": e.at, "who": e.actor, "action": e.action, "detail": e.detail} for e in events],
        "actions": [action.value for action in possible(group, now)],
    }


def _example(told: Json) -> Any:  # Any: FastAPI's type for responses
    return {200: {"content": {"application/json": {"example": told}}}}


_LIST: Json = {
    "alerts": [
        {
            "id": 17,
            "kind": "regression",
            "title": "51.1% regression of dirty_log_perf_test.dirty_memory_time on 6.13.0-rc2",
            "open": True,
            "triage": "new",
            "owner": "",
            "metric": "dirty_memory_time",
            "effect": 0.511,
            "ci": [0.44, 0.58],
            "series": 4,
            "hosts": ["bm3", "bm4"],
            "benchmarks": ["kvm-selftests/dirty_log_perf_test"],
            "base": "6.13.0-rc1",
            "head": "6.13.0-rc2",
        }
    ],
    "next": None,
}
