import json

import bundles
import httpx2
import pytest
import stamina

from ingest.client import Client, RefusedError, is_readable_by_others
from ingest.collector import pack
from ingest.errors import InputError, TransferError
from ingest.packing import Packing
from ingest.settings import ClientSettings
from ingest.spool import Spool

RECEIPT = {"upload": "d", "stored": 1, "duplicate": 0, "quarantined": 0, "values": 3, "captures": [], "repeated": False}


@pytest.fixture
def item(tmp_path):
    members = tuple(pack.member(name, content) for name, content in bundles.output().items())
    packing = Packing(pack.manifest(members, [bundles.PART], "test"), members, 1)
    return Spool(tmp_path / "spool").put(packing, "http://server", "", lambda _size: None)


@pytest.fixture(autouse=True)
def _no_waiting():
    with stamina.set_testing(True, attempts=4):
        yield


def client(answers, seen, url="http://server"):
    def answer(request):
        seen.append((request.method, request.url.path, request.headers.get("authorization"), len(request.read())))
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        status, told = found
        return httpx2.Response(status, json=told) if isinstance(told, dict) else httpx2.Response(status, text=told)

    settings = ClientSettings(None, url, "kvmperf_1_s")
    return Client(settings, httpx2.MockTransport(answer))


ABSENT = (404, {"error": "no upload with this digest is stored", "hint": ""})


def test_a_bundle_is_asked_for_sent_and_acknowledged(item):
    seen, sent = [], []

    told = client([ABSENT, (201, RECEIPT)], seen).send(item, sent.append)

    digest = item.note.digest
    assert told == RECEIPT
    assert [one[:3] for one in seen] == [
        ("GET", f"/api/v1/uploads/{digest}", "Bearer kvmperf_1_s"),
        ("POST", "/api/v1/uploads", "Bearer kvmperf_1_s"),
    ]
    assert seen[1][3] == item.size() == sent[-1]


def test_what_is_stored_already_is_not_sent_again(item):
    seen = []

    client([(200, RECEIPT)], seen).send(item)

    assert [one[0] for one in seen] == ["GET"]


@pytest.mark.parametrize(
    "trouble",
    [(503, {"error": "busy"}), (507, {"error": "full"}), (502, "<html>"), (429, {}), httpx2.ConnectError("refused")],
)
def test_what_may_pass_is_tried_again(item, trouble):
    seen = []

    client([ABSENT, trouble, trouble, (200, RECEIPT)], seen).send(item)

    assert [one[0] for one in seen] == ["GET", "POST", "GET", "GET"]


def test_an_answer_that_never_came_is_asked_for(item):
    """The server committed and the connection broke: the receipt is there, nothing is sent twice."""
    seen = []

    told = client([ABSENT, httpx2.ReadError("reset"), (200, {**RECEIPT, "repeated": True})], seen).send(item)

    assert told["repeated"]
    assert [one[0] for one in seen] == ["GET", "POST", "GET"]


def test_when_patience_ends_it_is_a_transfer_error(item):
    with pytest.raises(TransferError, match="http://server: busy") as caught:
        client([(503, {"error": "busy"})] * 4, []).send(item)

    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("status", "told", "for_good"),
    [
        (401, {"error": "not known", "hint": "make one"}, False),
        (403, {"error": "may not"}, False),
        (400, {"error": "x.out: its SHA-256"}, True),
        (413, {"error": "too large"}, True),
        (404, "<html>nginx</html>", False),
        (301, "", False),
        (200, {"hello": "world"}, False),
        (200, "<html>log in</html>", False),
    ],
)
def test_a_refusal_is_not_tried_again(item, status, told, for_good):
    seen = []

    with pytest.raises(RefusedError) as caught:
        client([(status, told)], seen).send(item)

    assert (caught.value.for_good, len(seen), caught.value.exit_code) == (for_good, 1, 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "server", "ftp://server", "http://", "http:///x", "https://[bad"])
def test_an_address_that_is_none_is_refused(item, url):
    with pytest.raises(InputError, match="is no server"):
        client([], [], url).send(item)


def test_the_token_is_in_no_text():
    assert "kvmperf_1_s" not in repr(ClientSettings(None, "http://server", "kvmperf_1_s"))


def test_plain_http_beyond_this_host_is_readable():
    readable = [is_readable_by_others(f"{url}/") for url in ("http://a.org", "https://a.org", "http://localhost:1")]

    assert readable == [True, False, False]


def test_the_spool_note_holds_no_token(item):
    note = json.loads(item.bundle.with_name(f"{item.note.digest}.json").read_text())

    assert set(note) == {"server", "digest", "outputs", "spooled_at", "token_file", "tries", "trouble", "refused"}
