import json
import socket
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest

from cli import serve
from db.engine import connect
from db.errors import UserError


def test_a_busy_port_is_an_error_with_another_port_to_try():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(UserError, match="cannot listen") as raised:
            serve.serve_dashboard("sqlite:///x.db", port)

    assert f"--port {port + 1}" in raised.value.hint


@pytest.mark.parametrize("url", ["ftp:foo", "perf.example.org", "https://[::1"])
def test_links_in_feeds_lead_to_an_address(make_kvmperf, tmp_path, url):
    with socket.create_server(("127.0.0.1", 0)) as taken:  # or a command that takes the address would go on
        port = taken.getsockname()[1]
        done = make_kvmperf(tmp_path / "x.db")("serve", "--dashboard", url, "--port", port, code=1)

    assert done.stderr.startswith(f"kvmperf: --dashboard {url!r} is no address\n")


def test_a_dashboard_of_no_database_does_not_start(make_kvmperf, tmp_path):
    done = make_kvmperf(tmp_path / "x.db")("dashboard", code=1)

    assert done.stderr.startswith(f"kvmperf: {tmp_path / 'x.db'}: no database here\n  hint: ")
    assert not (tmp_path / "x.db").exists()


def test_a_server_says_when_its_database_is_new(tmp_path, capsys):
    url = f"sqlite:///{tmp_path}/x.db"

    serve._say_if_new(url)
    connect(url, create=True).dispose()
    serve._say_if_new(url)

    assert capsys.readouterr().err == f"kvmperf serve: {tmp_path}/x.db is a new database\n"


def test_without_streamlit_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(serve.importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(UserError) as raised:
        serve.serve_dashboard("sqlite:///x.db")

    assert raised.value.hint == "pip install 'kvmperf[server]'"


def test_nothing_is_sent_to_anyone():
    command = serve._command(8501, "127.0.0.1")

    told = dict(zip(command[5::2], command[6::2], strict=True))
    assert told["--browser.gatherUsageStats"] == "false"
    assert told["--server.headless"] == "true"
    assert told["--client.showErrorDetails"] == "none"
    assert told["--server.address"] == "127.0.0.1"
    assert told["--client.allowedOrigins"] == ""
    assert told["--logger.hideWelcomeMessage"] == "true"  # it asks a web service for this host's address


def _answer(address):
    opener = build_opener(ProxyHandler({}))  # loopback is never behind a proxy
    try:
        return opener.open(address, timeout=60)
    except HTTPError as error:
        return error


@pytest.mark.parametrize(
    "path", ["", "inbox", "_stcore/health", "_stcore/host-config", "static/manifest.json", "favicon.png", "media/x"]
)
def test_no_page_can_frame_the_dashboard(server, path):
    with _answer(server + path) as answer:
        headers = answer.headers

    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_no_page_of_a_hosting_service_may_send_it_messages(server):
    with _answer(server + "_stcore/host-config") as answer:
        trusted = json.load(answer)["allowedOrigins"]

    assert [one for one in trusted if one] == []
