"""Addresses as people give them: of databases, shown without their passwords, and of the web, checked before use."""

import re
from urllib.parse import SplitResult, urlsplit

_USER = re.compile(r"://([^:]*):.*@", re.DOTALL)  # up to the last @: a password may hold one
_SECRET = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)


def shown(url: str) -> str:
    """The address with `***` in the place of each password. Works on the text: it need not be a right address."""
    if url.startswith("sqlite:"):
        return url
    return _SECRET.sub(r"\1***", _USER.sub(r"://\1:***@", url))


def advice(url: str) -> str:
    """What to do about something that is no address of a database."""
    if url.startswith("postgres://"):
        return "it begins with postgresql://"
    if url.count("@") > 1:
        return "inside of a password, @ is written as %40, / as %2F, : as %3A"
    return "for example sqlite:///results.db or postgresql://host/kvmperf"


def web(url: str) -> SplitResult | None:
    """The parts of an http(s) address that something can be sent to; None for anything else."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        host.encode("idna")
        is_well = parts.scheme in ("http", "https") and host and parts.port != 0  # a port that is none raises
    except ValueError:
        return None
    return parts if is_well and host.isascii() and url.isprintable() and " " not in url else None
