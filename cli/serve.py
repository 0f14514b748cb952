"""`kvmperf dashboard` starts Streamlit on a database and ends it again; `kvmperf serve` runs the HTTP interface."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Annotated, NoReturn

import typer

from cli.access import Access
from cli.options import DatabaseOption, database_url
from db.address import web
from db.errors import UserError

_PATIENCE_S = 60.0  # a first start on a slow disk imports for a while
_GRACE_S = 5.0
_NOBODY = Access()
_OPTIONS = {
    "server.headless": "true",
    "server.fileWatcherType": "none",  # nobody edits the pages of an installed program
    "runner.postScriptGC": "false",  # it would look at every cached value after each click: 0.2 s on a large database
    "runner.magicEnabled": "false",  # pages say what they show
    "browser.gatherUsageStats": "false",
    "logger.hideWelcomeMessage": "true",  # it would ask a web service for this host's address
    "client.toolbarMode": "minimal",
    "client.allowedOrigins": "",  # no page around this one may send it messages: the default trusts a hosting service
    "client.showErrorDetails": "none",  # a bug goes to the log of the server, not to a reader
    "theme.light.primaryColor": "#0072B2",  # the default red reads as a regression
    "theme.dark.primaryColor": "#1F86C7",
}


_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {name: {"handlers": ["stderr"], "level": "INFO", "propagate": False} for name in ("kvmperf", "uvicorn")},
}


def dashboard(
    *,
    db: DatabaseOption = "",
    port: Annotated[int, typer.Option(help="TCP port.", min=1, max=65535)] = 8501,
    address: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 shows it to your network.")] = "127.0.0.1",
    local_user: Annotated[
        str, typer.Option(metavar="NAME", help="Write (triage) as NAME; on loopback only.", show_default=False)
    ] = "",
    login: Annotated[
        Path | None, typer.Option(help="TOML file with [auth]: log-in by OpenID Connect.", show_default=False)
    ] = None,
) -> None:
    """Show the dashboard in a browser until Ctrl-C.

    Everybody who reaches it may read. Writing (triage of alerts) needs a name: a log-in, or --local-user.

    Example: kvmperf dashboard --db sqlite:///results.db --local-user maxim
    """
    serve_dashboard(database_url(db), port, address, access=Access(local_user.strip(), login))


def serve(
    *,
    db: DatabaseOption = "",
    port: Annotated[int, typer.Option(help="TCP port.", min=1, max=65535)] = 8765,
    address: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 shows it to your network.")] = "127.0.0.1",
    public_read: Annotated[bool, typer.Option("--public-read", help="Reading needs no token.")] = False,
    max_upload: Annotated[int, typer.Option(metavar="MIB", help="Largest upload in MiB.", min=1, max=1 << 20)] = 1024,
    incoming: Annotated[
        Path | None, typer.Option(help="Where uploads lie until they are stored.", show_default=False)
    ] = None,
    dashboard_url: Annotated[
        str, typer.Option("--dashboard", metavar="URL", help="Where links in the feeds of alerts lead to.")
    ] = "",
) -> None:
    """Serve the HTTP interface: uploads, runs, series, comparisons and alerts. Ctrl-C ends it.

    Senders and readers need tokens: kvmperf token create NAME. For TLS put a reverse proxy in front.

    Example: kvmperf serve --db sqlite:///results.db --port 8765
    """
    _refuse_without("fastapi", "uvicorn", "sqlalchemy", what="the HTTP interface")
    if dashboard_url and not web(dashboard_url):
        raise UserError(f"--dashboard {dashboard_url!r} is no address", "https://perf.example.org")
    _refuse_busy_port(port, address)
    import uvicorn

    from api.app import create_app
    from api.settings import ServerSettings

    settings = ServerSettings(database_url(db), public_read, dashboard_url).with_uploads_of(max_upload << 20)
    if incoming is not None:
        if not incoming.is_dir() or not os.access(incoming, os.W_OK):
            raise UserError(f"--incoming {incoming}: no folder that can be written to", "make it, or name another")
        settings = replace(settings, incoming=incoming)
    _say_if_new(settings.database)
    app = create_app(settings)
    typer.echo(f"kvmperf serve: http://{_reachable(address)}:{port} (docs: /docs, Ctrl-C ends it)")
    uvicorn.run(
        app,
        host=address,
        port=port,
        log_config=_LOGGING,
        server_header=False,
        limit_concurrency=200,
        timeout_graceful_shutdown=30,
    )


def _say_if_new(url: str) -> None:
    from db.engine import named, open_any, schema_version

    engine = open_any(url, create=True)
    if not schema_version(engine):
        typer.echo(f"kvmperf serve: {named(engine)} is a new database", err=True)
    engine.dispose()


def serve_dashboard(
    url: str, port: int = 8501, address: str = "127.0.0.1", view: str = "", access: Access = _NOBODY
) -> None:
    """Run the dashboard of a database until it is interrupted; print its link once it answers.

    `view` is what the link opens: a page and its query (`compare?base=v6.12&head=v6.13`).
    """
    _refuse_without("streamlit", "plotly", "sqlalchemy", what="the dashboard")
    from db.engine import connect

    access.check(address)
    _refuse_busy_port(port, address)
    connect(url).dispose()  # a misspelt name is told here and not on every page
    signal.signal(signal.SIGTERM, _interrupt)
    command = _command(port, address, access.options())
    child = subprocess.Popen(command, env={**access.environment(), "KVMPERF_DB": url})
    try:
        _wait_until_it_answers(child, port, address)
        typer.echo(f"kvmperf dashboard: http://{_reachable(address)}:{port}{view and f'/{view}'} (Ctrl-C ends it)")
        status = child.wait()
    except KeyboardInterrupt:
        return
    finally:
        _end(child)
    if status:
        raise UserError(f"the dashboard ended by itself with status {status}", "its messages stand above")


def _refuse_without(*modules: str, what: str) -> None:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"{what} needs {', '.join(missing)}", "pip install 'kvmperf[server]'")


def _refuse_busy_port(port: int, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise UserError(
                f"cannot listen on {address}:{port}: {error.strerror}", f"another port: --port {port + 1}"
            ) from error


def _command(port: int, address: str, more: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    page = Path(__file__).resolve().parent.parent / "dashboard" / "server.py"
    options = {**_OPTIONS, **more, "server.port": str(port), "server.address": address}
    told = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(page), *told]


def _wait_until_it_answers(child: subprocess.Popen[bytes], port: int, address: str) -> None:
    from urllib.request import ProxyHandler, build_opener

    opener = build_opener(ProxyHandler({}))  # loopback is never behind a proxy
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if child.poll() is not None:
            raise UserError(f"the dashboard did not start (status {child.returncode})", "its messages stand above")
        try:
            with opener.open(f"http://{_reachable(address)}:{port}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise UserError(f"the dashboard did not answer within {_PATIENCE_S:.0f} s", "is this host very busy? try again")


def _reachable(address: str) -> str:
    if address in ("0.0.0.0", "::"):  # noqa: S104 (compared, not bound)
        return "127.0.0.1"
    return f"[{address}]" if ":" in address else address


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
