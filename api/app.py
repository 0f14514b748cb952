"""The HTTP service: uploads in; runs, series, comparisons and alerts out. Assembled here, nothing else happens here."""

import html
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy import Engine

from api import alerts, errors, reads, uploads
from api.auth import Gate
from api.incoming import remove_leftovers
from api.limits import RateLimit, SecurityHeaders
from api.settings import ServerSettings
from db.engine import HEAD, connect, schema_version


def create_app(settings: ServerSettings) -> FastAPI:
    """The service on a database, which is made where there is none."""
    engine = connect(settings.database, create=True)
    remove_leftovers(settings.incoming)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = FastAPI(
        title="kvmperf",
        version=version("kvmperf"),
        summary="Performance regression database for KVM on x86",
        docs_url=None,  # the usual page loads its scripts from somebody else's server
        redoc_url=None,
        lifespan=lifespan,
    )
    gate = Gate(engine, public_read=settings.public_read)
    app.include_router(uploads.router(engine, gate, settings))
    app.include_router(reads.router(engine, gate))
    app.include_router(alerts.router(engine, gate, settings))
    _pages(app, engine)
    errors.install(app)
    app.add_middleware(RateLimit, per_s=settings.requests_per_s, burst=settings.burst)
    app.add_middleware(SecurityHeaders)
    return app


def _pages(app: FastAPI, engine: Engine) -> None:
    @app.get("/healthz", tags=["health"])
    def health() -> JSONResponse:
        """Whether the service and its database answer; needs no token."""
        is_well = schema_version(engine) == HEAD
        return JSONResponse({"status": "ok" if is_well else "schema differs", "schema": HEAD}, 200 if is_well else 503)

    @app.get("/docs", include_in_schema=False, response_class=HTMLResponse)
    def docs() -> str:
        """What each address takes, as a page without scripts."""
        return _docs(app.openapi())


def _docs(api: dict[str, Any]) -> str:  # Any: OpenAPI
    sections = "\n".join(
        _operation(path, method, told) for path, methods in api["paths"].items() for method, told in methods.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>kvmperf HTTP interface</title>'
        f"<style>{_STYLE}</style></head><body><h1>kvmperf {html.escape(api['info']['version'])}: HTTP interface</h1>"
        "<p>Send a token as <code>Authorization: Bearer TOKEN</code>. Errors are JSON with <code>error</code> and "
        '<code>hint</code>. For programs: <a href="/openapi.json">openapi.json</a>.</p>\n'
        f"{sections}</body></html>\n"
    )


def _operation(path: str, method: str, told: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{html.escape(one['name'])}</code></td><td>{html.escape(one['in'])}"
        f"{', required' if one.get('required') else ''}</td><td>{html.escape(one.get('description', ''))}</td></tr>"
        for one in told.get("parameters", ())
    )
    text = html.escape(told.get("description", "")).replace("\n\n", "</p><p>")
    table = f"<table>{rows}</table>" if rows else ""
    return f"<h2><code>{method.upper()} {html.escape(path)}</code></h2><p>{text}</p>{table}"


_STYLE = (
    ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;"
    "padding:0 1rem}td{padding:.1rem .8rem .1rem 0;vertical-align:top}h2{margin-top:2rem;font-size:1.1rem}"
)
