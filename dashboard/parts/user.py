"""Who looks at the dashboard: a person who logged in, the local user, or nobody in particular.

The only place that decides it. Whoever is nobody may read and may write nothing.
"""

import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import streamlit as st

from dashboard.parts.plain import shortened
from dashboard.state import local_name

LASTS_S = 12 * 3600  # of a log-in: Streamlit's cookie would last 30 days, whatever the provider said
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")
_NAME = 120  # characters
_SUB = "sub:"  # what begins so is the provider's id of somebody, and never a mail address


@dataclass(frozen=True, slots=True)
class People:
    """Who may write: globs of mail addresses and ids as `sub:VALUE`; none: whoever logs in.

    `assume_email_verified`: the provider checks addresses although it does not say so with each log-in.
    """

    listed: tuple[str, ...] = ()
    assume_email_verified: bool = False


def who() -> str | None:
    """The name that writes are signed with, or None for somebody anonymous, who may only read."""
    return person(st.user.to_dict(), _people(), time.time()) or _local()


def can_log_in() -> bool:
    """Whether a provider is configured."""
    return "is_logged_in" in st.user


def is_known() -> bool:
    """Whether the browser has a log-in that Streamlit believes, even if it is old or of somebody who may not write."""
    return bool(st.user.get("is_logged_in"))


def person(claims: Mapping[str, object], people: People, now: float) -> str | None:
    """Whom these claims of an identity provider name: a verified mail address, else the provider's id as `sub:VALUE`.

    Whatever somebody can choose for themselves (an unverified address, a user name) opens nothing, and only follows the
    id. None for a log-in older than `LASTS_S` and for people who are not listed.
    """
    issued = claims.get("iat")
    if not claims.get("is_logged_in") or not isinstance(issued, int | float) or now - issued > LASTS_S:
        return None
    mail = _verified_mail(claims, people)
    own_id = f"{_SUB}{claims['sub']}" if claims.get("sub") else ""
    if people.listed and not _is_listed(mail, own_id, people):
        return None
    called = claims.get("preferred_username")
    return shortened(mail or (f"{own_id} ({called})" if own_id and called else own_id), _NAME) or None


def _verified_mail(claims: Mapping[str, object], people: People) -> str:
    said = claims.get("email_verified", people.assume_email_verified)
    mail = str(claims.get("email") or "")
    return mail if (said is True or said == "true") and "@" in mail and not mail.startswith(_SUB) else ""


def _is_listed(mail: str, own_id: str, people: People) -> bool:
    return any(
        one == own_id if one.startswith(_SUB) else bool(mail) and fnmatchcase(mail.lower(), one.lower())
        for one in people.listed
    )


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address."""
    bare = address.strip("[]")
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return bare == "localhost"


def _local() -> str | None:
    """The local user, where the server and the request are of this machine and nobody stands in between."""
    name = local_name()
    if not name or not is_loopback(st.get_option("server.address") or ""):
        return None
    headers = st.context.headers
    host = headers.get("Host") or "localhost"
    bare = host if host.endswith("]") else host.rsplit(":", 1)[0] if ":" in host else host
    is_direct = not any(headers.get(field) for field in _FORWARDED)
    return shortened(name, _NAME) if is_direct and is_loopback(bare) else None


def _people() -> People:
    """What `[kvmperf]` says beside `[auth]`, checked at the start. Read only where a provider is configured."""
    if not can_log_in():
        return People()
    told = st.secrets.get("kvmperf", {})
    people = told.get("people", ())
    listed = (people,) if isinstance(people, str) else tuple(str(one) for one in people)
    return People(listed, told.get("assume_email_verified") is True)
