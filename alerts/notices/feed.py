"""Alerts as an Atom feed (RFC 4287) and as a JSON feed (version 1.1). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

_ATOM = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True)
class Entry:
    """One alert. `id` is a tag URI that never changes; `text` is plain; `link` may be empty."""

    id: str
    title: str
    published: datetime
    updated: datetime
    summary: str
    text: str
    link: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """The feed around them. `here` is its own address, `home` the page that people read."""

    id: str
    title: str
    here: str
    home: str
    updated: datetime


def atom(feed: Feed, entries: Sequence[Entry]) -> bytes:
    """The Atom document, in UTF-8."""
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed")
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "updated", _time(feed.updated))
    _add(root, "generator", "kvmperf")
    _add(_add(root, "author"), "name", "kvmperf")
    _add(root, "link", rel="self", href=feed.here, type="application/atom+xml")
    if feed.home:
        _add(root, "link", rel="alternate", href=feed.home, type="text/html")
    for one in entries:
        _entry(root, one)
    document: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return document


def json_feed(feed: Feed, entries: Sequence[Entry]) -> dict[str, Any]:  # Any: JSON
    """The JSON feed, newest first as given."""
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "feed_url": feed.here,
        **({"home_page_url": feed.home} if feed.home else {}),
        "items": [_item(one) for one in entries],
    }


def _entry(root: ET.Element, one: Entry) -> None:
    entry = _add(root, "entry")
    _add(entry, "id", one.id)
    _add(entry, "title", one.title)
    _add(entry, "published", _time(one.published))
    _add(entry, "updated", _time(one.updated))
    _add(entry, "summary", one.summary)
    _add(entry, "content", one.text, type="text")
    if one.link:
        _add(entry, "link", rel="alternate", href=one.link, type="text/html")
    for word in one.words:
        _add(entry, "category", term=word)


def _item(one: Entry) -> dict[str, Any]:  # Any: JSON
    return {
        "id": one.id,
        "title": one.title,
        "summary": one.summary,
        "content_text": one.text,
        "date_published": _time(one.published),
        "date_modified": _time(one.updated),
        "tags": list(one.words),
        **({"url": one.link} if one.link else {}),
    }


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, f"{{{_ATOM}}}{name}", {key: _clean(value) for key, value in attributes.items()})
    child.text = _clean(text) if text else None
    return child


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 forbids."""
    return "".join(c for c in text if c in "\t\n" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff")


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
