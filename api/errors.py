"""Errors as the service tells them: JSON with `error` and `hint`, one line each, and a status that fits."""

import errno
import logging
import secrets

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from db.errors import DatabaseError, UnresolvedNameError, UserError
from db.tokens import DeniedError

log = logging.getLogger("kvmperf.api")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FEEDS = ("/alerts.atom", "/alerts.json")  # their readers know passwords, not tokens
_MAY_PASS = (408, 429, 503, 507)
_AGAIN_S = 5
_SAFE = "send it again: what is stored is not stored twice"


class ApiError(Exception):
    """An answer that is no success: status, what is wrong, what to do; seconds to wait where trying again may help."""

    def __init__(self, status: int, message: str, hint: str = "", again_s: int = _AGAIN_S) -> None:
        super().__init__(message)
        self.status, self.hint, self.again_s = status, hint, again_s


def answer(
    status: int, message: str, hint: str = "", headers: dict[str, str] | None = None, again_s: int = _AGAIN_S
) -> JSONResponse:
    """The JSON of an error, with `Retry-After` where trying again may help."""
    again = {"Retry-After": str(again_s)} if status in _MAY_PASS else {}
    return JSONResponse({"error": _line(message), "hint": _line(hint)}, status, again | (headers or {}))


def install(app: FastAPI) -> None:
    """Make the service answer every exception in this way."""
    app.add_exception_handler(ApiError, _api)
    app.add_exception_handler(UserError, _user)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OSError, _os)
    app.add_exception_handler(Exception, _bug)


def _api(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)  # noqa: S101 (Starlette calls a handler with its own kind)
    return answer(error.status, str(error), error.hint, again_s=error.again_s)


def _user(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, UserError)  # noqa: S101
    if isinstance(error, DeniedError):
        status = 403 if error.is_known else 401
        asks = 'Basic realm="kvmperf: a token as the password"' if request.url.path in _FEEDS else "Bearer"
        return answer(status, str(error), error.hint, None if status == 403 else {"WWW-Authenticate": asks})
    if isinstance(error, DatabaseError):
        log.error("database: %s", error)
        return answer(*_database(str(error)))
    return answer(404 if isinstance(error, UnresolvedNameError) else 400, str(error), error.hint)


def _database(said: str) -> tuple[int, str, str]:
    """The path of the database is nobody's business."""
    if "full" in said or "disk I/O" in said:
        return 507, "the server's disk is full", _SAFE
    if "locked" in said:
        return 503, "the database is busy", f"in a few seconds {_SAFE}"
    return 503, "the database does not answer", _SAFE


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:]) or "the request"
    return answer(422, f"{place}: {first['msg']}", "GET /docs lists what each address takes")


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    hint = "GET /docs lists the addresses" if error.status_code in (404, 405) else ""
    headers = dict(error.headers) if error.headers else None
    return answer(error.status_code, str(error.detail).lower(), hint, headers)


def _os(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, OSError) and error.errno in _FULL:
        log.error("disk full: %s", error.strerror)
        return answer(507, "the server's disk is full", _SAFE)
    return _bug(request, error)


def _bug(_request: Request, error: Exception) -> JSONResponse:
    number = secrets.token_hex(4)
    log.error("bug %s", number, exc_info=error)
    return answer(500, "this is a bug in kvmperf", f"the server's log tells more under {number}")


def _line(text: str) -> str:
    return " ".join(text.split())
