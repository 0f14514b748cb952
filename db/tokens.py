"""Tokens of the HTTP interface: made, listed, revoked, checked. The secret is shown once and never stored.

A token is random and long, so a plain SHA-256 keeps it: slow hashes are for what people choose.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, update

from db import audit
from db.errors import UnresolvedNameError, UserError
from db.models import Token, TokenScope
from db.words import Scope

_MARK = "kvmperf"
_TRIES = 5
_FORM = re.compile(rf"{_MARK}_(?P<prefix>[0-9a-f]{{8}})_")
_NOBODY = hashlib.sha256(b"no token").hexdigest()


class DeniedError(UserError):
    """A token that is unknown, expired, revoked, or may not do this."""

    def __init__(self, message: str, hint: str = "", *, is_known: bool = False) -> None:
        super().__init__(message, hint)
        self.is_known = is_known


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token without its secret. Times are None where there is none."""

    id: int
    prefix: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def state(self, now: datetime) -> str:
        """One word: active, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


def create(
    connection: Connection, name: str, scopes: Collection[Scope], expires_at: datetime | None = None, *, actor: str = ""
) -> str:
    """Make a token; returns its text, which nobody can get again."""
    now = datetime.now(UTC)
    prefix = _free_prefix(connection)
    token = f"{_MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    row = {"prefix": prefix, "digest": _digest(token), "name": name, "created_at": now, "expires_at": expires_at}
    done = connection.execute(insert(Token).values(row))
    assert done.inserted_primary_key is not None  # noqa: S101 (an insert of one row has a key)
    token_id = done.inserted_primary_key[0]
    connection.execute(insert(TokenScope), [{"token_id": token_id, "scope": scope.value} for scope in sorted(scopes)])
    audit.add(connection, actor, "token create", prefix, {"name": name, "scopes": sorted(scopes)})
    return token


def listed(connection: Connection) -> tuple[TokenRow, ...]:
    """Every token that was ever made, oldest first."""
    scopes: dict[int, list[str]] = {}
    for token_id, scope in connection.execute(select(TokenScope.token_id, TokenScope.scope).order_by(TokenScope.scope)):
        scopes.setdefault(token_id, []).append(scope)
    rows = connection.execute(_COLUMNS.order_by(Token.id))
    return tuple(TokenRow(row[0], row[1], row[2], tuple(scopes.get(row[0], ())), *row[3:]) for row in rows)


def revoke(connection: Connection, name: str, *, actor: str = "") -> TokenRow:
    """Revoke the token with this prefix, or the one active token of this name. Idempotent for a prefix."""
    now = datetime.now(UTC)
    tokens = listed(connection)
    found = [one for one in tokens if one.prefix == name]
    found = found or [one for one in tokens if one.name == name and one.state(now) == "active"]
    if len(found) != 1:
        known = ", ".join(f"{one.prefix} ({one.name})" for one in (found or tokens) if one.state(now) == "active")
        what = f"means {len(found)} tokens" if found else "no active token of this name or prefix"
        raise UnresolvedNameError(f"{name!r}: {what}", f"active: {known or 'none'}")
    (token,) = found
    if token.revoked_at is None:
        connection.execute(update(Token).where(Token.id == token.id).values(revoked_at=now))
        audit.add(connection, actor, "token revoke", token.prefix, {"name": token.name})
    return replace(token, revoked_at=token.revoked_at or now)


def check(connection: Connection, text: str, scope: Scope) -> TokenRow:
    """The token with this text, if it is active and may do this; DeniedError otherwise.

    Takes the same way for an unknown prefix as for a wrong secret.
    """
    match = _FORM.match(text)
    prefix = match["prefix"] if match else ""
    stored = connection.execute(select(Token.digest).where(Token.prefix == prefix)).scalar()
    if not hmac.compare_digest(_digest(text), stored or _NOBODY) or stored is None:
        raise DeniedError("this token is not known here", "an administrator makes one: kvmperf token create NAME")
    token = next(one for one in listed(connection) if one.prefix == prefix)
    state = token.state(datetime.now(UTC))
    if state != "active":
        raise DeniedError(
            f"the token {prefix} is {state}", "an administrator makes a new one: kvmperf token create NAME"
        )
    if scope.value not in token.scopes:
        raise DeniedError(
            f"the token {prefix} may {' and '.join(token.scopes)}, not {scope.value}",
            f"kvmperf token create NAME --scope {scope.value}",
            is_known=True,
        )
    return token


def used(connection: Connection, token_id: int, at: datetime) -> None:
    """Remember when a token was last used."""
    connection.execute(update(Token).where(Token.id == token_id).values(last_used_at=at))


_COLUMNS = select(
    Token.id, Token.prefix, Token.name, Token.created_at, Token.expires_at, Token.revoked_at, Token.last_used_at
)


def _free_prefix(connection: Connection) -> str:
    for _ in range(_TRIES):
        prefix = secrets.token_hex(4)
        if connection.execute(select(Token.id).where(Token.prefix == prefix)).first() is None:
            return prefix
    raise AssertionError("no free prefix among four billion")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
