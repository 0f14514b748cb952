"""Who looks at the dashboard: a person who logged in, the local user, or nobody in particular.

The only place that decides it. Whoever is nobody may read and may write nothing.
"""

import ipaddress
import time
from collections.abc import Mapping
from fnmatch import fnmatch

import streamlit as st

from dashboard.parts.plain import shortened
from dashboard.state import local_name

LASTS_S = 12 * 3600  # of a log-in: Streamlit's cookie would last 30 days, whatever the provider said
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")
_NAME = 120  # characters


def who() -> str | None:
    """The name that writes are signed with, or None for somebody anonymous, who may only read."""
    return person(st.user.to_dict(), _allowed(), time.time()) or _local()


def can_log_in() -> bool:
    """Whether a provider is configured."""
    return "is_logged_in" in st.user


def is_known() -> bool:
    """Whether the browser has a log-in that Streamlit believes, even if it is old or of somebody who may not write."""
    return bool(st.user.get("is_logged_in"))


def person(claims: Mapping[str, object], allowed: tuple[str, ...], now: float) -> str | None:
    """Whom these claims of an identity provider name: a mail address, else a user name, else the provider's id.

    None for a log-in older than `LASTS_S` and for people whom no glob of `allowed` matches (none: all may).
    """
    issued = claims.get("iat")
    if not claims.get("is_logged_in") or not isinstance(issued, int | float) or now - issued > LASTS_S:
        return None
    mail = "" if claims.get("email_verified") is False else claims.get("email")
    name = shortened(str(mail or claims.get("preferred_username") or claims.get("sub") or ""), _NAME)
    if allowed and not any(fnmatch(name.lower(), glob.lower()) for glob in allowed):
        return None
    return name or None


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


def _allowed() -> tuple[str, ...]:
    """The globs of `[kvmperf] people` beside `[auth]`. Read only where a provider is configured."""
    if not can_log_in():
        return ()
    told = st.secrets.get("kvmperf", {}).get("people", ())
    return (told,) if isinstance(told, str) else tuple(str(one) for one in told)
