"""Who may do what: tokens from the Authorization header, one dependency a scope."""

import base64
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import Request
from fastapi.security import HTTPBearer
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool

from api.errors import ApiError
from api.limits import Bucket
from db import tokens
from db.engine import reading, writing
from db.errors import DatabaseError
from db.tokens import DeniedError
from db.words import Scope

log = logging.getLogger("kvmperf.api")
_REMEMBER = timedelta(minutes=1)  # a write a request would cost more than the answer
_NEVER = datetime.min.replace(tzinfo=UTC)
_FAILURES_PER_S, _FAILURES = 0.2, 10


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the public prefix and the name of a token, both empty for anybody."""

    prefix: str = ""
    name: str = ""


class Gate:
    """Checks tokens against the database, and slows down who guesses."""

    def __init__(self, engine: Engine, *, public_read: bool) -> None:
        self._engine = engine
        self._public_read = public_read
        self._failures = Bucket(_FAILURES_PER_S, _FAILURES)
        self._used: dict[int, datetime] = {}
        self._aside = ThreadPoolExecutor(max_workers=1)

    def needs(self, scope: Scope) -> Callable[[Request], Awaitable[Caller]]:
        """A dependency that lets a request through, or answers 401, 403 or 429."""

        async def check(request: Request) -> Caller:
            given = await HTTPBearer(auto_error=False)(request)
            text = given.credentials if given is not None else _password(request, scope)
            if not text:
                if scope is Scope.READ and self._public_read:
                    return Caller()
                raise DeniedError("a token is needed", "send it as: Authorization: Bearer TOKEN")
            return await run_in_threadpool(self._check, text, scope, _address(request))

        return check

    def _check(self, text: str, scope: Scope, address: str) -> Caller:
        now = datetime.now(UTC)
        try:
            with reading(self._engine) as connection:
                token = tokens.check(connection, text, scope)
        except DeniedError as error:
            if not error.is_known and (wait_s := self._failures.take(address, time.monotonic())):
                again_s = int(wait_s) + 1
                raise ApiError(429, "too many wrong tokens", f"try again in {again_s} s", again_s) from error
            log.warning("refused %s: %s", address, error)
            raise
        self._remember(token.id, token.last_used_at, now)
        return Caller(token.prefix, token.name)

    def _remember(self, token_id: int, last_used_at: datetime | None, now: datetime) -> None:
        """Write down the use, aside: a long upload that holds the database must not hold up an answer."""
        known = max(last_used_at or _NEVER, self._used.get(token_id, _NEVER))
        if now - known > _REMEMBER:
            self._used[token_id] = now
            self._aside.submit(self._write_use, token_id, now)

    def _write_use(self, token_id: int, now: datetime) -> None:
        try:
            with writing(self._engine) as connection:
                tokens.used(connection, token_id, now)
        except DatabaseError as error:
            log.warning("did not note the use of a token: %s", error)


def _password(request: Request, scope: Scope) -> str:
    """A token that comes as the password of a user: feed readers know no other way. Empty where there is none.

    For reading only: browsers send passwords by themselves, also where another site made them ask.
    """
    kind, _, coded = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic" or scope is not Scope.READ:
        return ""
    try:
        return base64.b64decode(coded, validate=True).decode("utf-8").partition(":")[2]
    except ValueError:
        return ""


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
