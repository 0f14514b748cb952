from pathlib import Path

import pytest
import streamlit as st
from starlette.testclient import TestClient

from dashboard import server
from dashboard.app import PAGES
from dashboard.document import document
from dashboard.parts.drawing import library

OWN = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")


def test_the_document_is_streamlits_with_something_at_its_head():
    text = document(figures=False)

    head, _, rest = text.partition("<head>")
    added = rest[: len(text) - len(OWN)]
    assert head + "<head>" + rest.removeprefix(added) == OWN
    assert [added.count(f"<{word}>") for word in ("script", "style")] == [1, 1]


def test_only_a_page_with_figures_fetches_their_library():
    assert library() not in document(figures=False)
    assert document(figures=True).count(f'<link rel="modulepreload" crossorigin href="./static/js/{library()}">') == 1


def test_a_document_of_another_shape_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "index.html").write_text("<html>another</html>")
    monkeypatch.setattr(st, "__file__", str(tmp_path / "__init__.py"))

    assert document(figures=False) == "<html>another</html>"


def test_every_page_has_the_document_and_figures_are_known_by_the_address():
    with TestClient(server.app) as client:
        first = {word: client.get(f"/{word}") for word in ["", *(word for word, _, _, _ in PAGES)]}
        chosen = client.get("/compare?base=a&head=b&row=c").text

    assert {answer.status_code for answer in first.values()} == {200}
    assert {answer.headers["cache-control"] for answer in first.values()} == {"no-cache"}
    assert all("BACKEND_BASE_URL" in answer.text for answer in first.values())
    assert [word for word, answer in first.items() if library() in answer.text] == ["trends", "series"]
    assert library() in chosen


@pytest.mark.parametrize(("below", "first"), [("", ["/", "/inbox"]), ("kvm/perf", ["/kvm/perf/", "/kvm/perf/inbox"])])
def test_pages_stand_below_the_path_that_streamlit_serves_at(below, first, monkeypatch):
    monkeypatch.setattr(st, "get_option", {"server.baseUrlPath": below}.__getitem__)

    assert server._paths()[:2] == first
