# ruff: noqa: S314 (what is parsed was written here)
import json
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from alerts.notices.feed import Entry, Feed, atom, json_feed

ATOM = "{http://www.w3.org/2005/Atom}"
AT = datetime(2026, 3, 2, 12, 30, 5, 999, UTC)
FEED = Feed("tag:x,2026:alerts", "kvmperf alerts", "https://h/alerts.atom", "https://h/inbox", AT)


def entry(**more):
    given_ = {
        "id": "tag:x,2026:alert/17", "title": "a <b> & c", "published": AT, "updated": AT, "summary": "why",
        "text": "line 1\n  line 2", "link": "https://h/inbox?alert=17&x=1", "words": ("regression",), **more,
    }  # fmt: skip
    return Entry(**given_)


def test_an_atom_feed_has_what_rfc_4287_asks_for():
    root = ET.fromstring(atom(FEED, [entry(), entry(id="tag:x,2026:alert/16", link="")]))

    assert root.tag == f"{ATOM}feed"
    for parent in (root, *root.findall(f"{ATOM}entry")):
        assert all(len(parent.findall(f"{ATOM}{name}")) == 1 for name in ("id", "title", "updated"))
        for found in parent.findall(f"{ATOM}updated"):
            assert datetime.fromisoformat(found.text).tzinfo is not None
    assert root.find(f"{ATOM}author/{ATOM}name").text
    assert {one.get("rel") for one in root.findall(f"{ATOM}link")} == {"self", "alternate"}
    first, second = root.findall(f"{ATOM}entry")
    assert first.find(f"{ATOM}title").text == "a <b> & c"
    assert first.find(f"{ATOM}content").text == "line 1\n  line 2"
    assert first.find(f"{ATOM}content").get("type") == "text"
    assert second.find(f"{ATOM}link") is None
    assert second.find(f"{ATOM}summary").text  # an entry without a link must have text of its own


def test_a_feed_without_alerts_is_a_feed():
    assert ET.fromstring(atom(FEED, [])).findall(f"{ATOM}entry") == []
    assert json_feed(FEED, [])["items"] == []


def test_a_json_feed_tells_the_same():
    told = json.loads(json.dumps(json_feed(FEED, [entry()])))

    (item,) = told["items"]
    assert told["version"] == "https://jsonfeed.org/version/1.1"
    assert item["id"] == "tag:x,2026:alert/17"
    assert item["date_published"] == "2026-03-02T12:30:05Z"
    assert (item["url"], item["tags"]) == ("https://h/inbox?alert=17&x=1", ["regression"])


@given(st.text(), st.text())
def test_any_text_is_well_formed(title, text):
    found = ET.fromstring(atom(FEED, [entry(title=title, text=text)]))

    assert found.find(f"{ATOM}entry") is not None
