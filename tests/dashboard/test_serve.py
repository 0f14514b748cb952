import socket

import pytest

from cli import serve
from db.errors import UserError


def test_a_busy_port_is_an_error_with_another_port_to_try():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(UserError, match="cannot listen") as raised:
            serve.serve_dashboard("sqlite:///x.db", port)

    assert f"--port {port + 1}" in raised.value.hint


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
    assert told["--logger.hideWelcomeMessage"] == "true"  # it asks a web service for this host's address
