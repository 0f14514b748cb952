"""`/api/v1/uploads`: bundles and single outputs in, receipts out. Acknowledged means committed."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.auth import Caller, Gate
from api.errors import ApiError
from api.incoming import PREFIX, SUFFIX
from api.settings import ServerSettings
from db import uploads as stored
from db.engine import reading
from db.words import Scope
from ingest.context import Given
from ingest.receive import Sender, Single, receive_bundle, receive_single

log = logging.getLogger("kvmperf.api")
_BUNDLES = ("application/x-tar", "application/gzip", "application/x-gzip", "application/octet-stream")
_AT_ONCE, _OF_ONE_TOKEN = 8, 4
_LONGEST_NAME = 200  # bytes; a suffix comes behind it
_NAME = Field(default="", max_length=200)


def _file_name(source: str) -> str:
    """The output lies on disk under this name while it is read."""
    if source in (".", "..") or len(source.encode()) > _LONGEST_NAME:
        raise ValueError(f"a file cannot be named so; at most {_LONGEST_NAME} bytes")
    return source


class OutputContext(BaseModel):
    """What must be known of an output that comes without a bundle."""

    model_config = ConfigDict(extra="forbid")
    host: str = Field(min_length=1, max_length=200)
    label: str = _NAME
    kernel: str = _NAME
    commit: str = _NAME
    boot_id: str = _NAME
    series: str = _NAME
    version: int | None = Field(default=None, ge=1)
    patch: str = _NAME
    tags: list[str] = Field(default=[], max_length=100)
    reported: bool = False
    source: Annotated[str, AfterValidator(_file_name)] = Field(default="output", pattern=r"^[^/\x00-\x1f]{1,200}$")
    command: str = Field(default="", max_length=8000)
    exit_status: int | None = Field(default=None, ge=0, le=255)
    started_at: float | None = Field(default=None, ge=0, le=1e11)
    ended_at: float | None = Field(default=None, ge=0, le=1e11)


class Receipt(BaseModel):
    """What became of an upload. `repeated`: it was stored before, and nothing was stored now."""

    upload: str
    received_at: str
    repeated: bool
    stored: int
    duplicate: int
    quarantined: int
    runs: int
    values: int
    captures: list[dict[str, Any]]  # Any: source, outcome, runs, measurements, values, reason
    left_off: int


def router(engine: Engine, gate: Gate, settings: ServerSettings) -> APIRouter:
    """The routes for uploads."""
    routes = APIRouter(prefix="/api/v1/uploads", tags=["uploads"])
    may_upload = gate.needs(Scope.UPLOAD)
    desk = _Desk(engine, settings)

    @routes.post("", status_code=201, response_model=Receipt, responses=_RESPONSES, openapi_extra=_BODY)
    async def upload(
        request: Request,
        caller: Annotated[Caller, Depends(may_upload)],
        kvmperf_context: Annotated[str, Header(description="JSON, see OutputContext: for a single output")] = "",
    ) -> JSONResponse:
        """Store a bundle (`application/x-tar`, `application/gzip`), or one output (`text/plain`) with its context.

        The answer comes after the last commit; what is refused stores nothing. The same bundle again gets the same
        receipt (200), and one that was interrupted goes on.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "text/plain":
            told = await desk.take_output(request, caller, _context(kvmperf_context))
        elif kind in _BUNDLES:
            told = await desk.take_bundle(request, caller)
        else:
            raise ApiError(415, f"content type {kind!r}", "application/x-tar for a bundle, text/plain for an output")
        return JSONResponse(dict(told), 200 if told["repeated"] else 201)

    @routes.get("/{digest}", response_model=Receipt)
    def receipt(digest: str, _caller: Annotated[Caller, Depends(may_upload)]) -> JSONResponse:
        """The receipt of a bundle by its digest; 404 while it is not stored."""
        with reading(engine) as connection:
            told = stored.receipt(connection, digest)
        if not told:
            raise ApiError(404, "no upload with this digest is stored", f"at most {settings.max_upload_bytes} bytes")
        return JSONResponse({**told, "repeated": True})

    return routes


@dataclass(frozen=True, slots=True)
class _Most:
    """How large a body may be, and what to do with a larger one."""

    size: int
    hint: str = ""

    def check(self, request: Request) -> None:
        """Refuse before a byte is read, where the sender says how many there are."""
        said = request.headers.get("content-length", "")
        if said.isdigit() and int(said) > self.size:
            raise self.exceeded()

    def exceeded(self) -> ApiError:
        return ApiError(413, f"more than {self.size >> 20} MiB", self.hint)


class _Desk:
    """Takes bodies in and has them stored: a few at a time are read, one at a time is stored."""

    def __init__(self, engine: Engine, settings: ServerSettings) -> None:
        self._engine, self._settings = engine, settings
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._of_token: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_OF_ONE_TOKEN))
        self._storing = asyncio.Lock()

    async def take_bundle(self, request: Request, caller: Caller) -> Mapping[str, object]:
        def store(body: Path) -> Mapping[str, object]:
            return receive_bundle(self._engine, body, self._sender(caller), self._settings.limits)

        most = _Most(self._settings.max_upload_bytes, "send it in several uploads, or raise the server's --max-upload")
        return await self._take(request, most, caller, store)

    async def take_output(self, request: Request, caller: Caller, context: OutputContext) -> Mapping[str, object]:
        def store(body: Path) -> Mapping[str, object]:
            return receive_single(self._engine, _single(context, body.read_bytes()), self._sender(caller))

        most = _Most(self._settings.max_output_bytes, "send it in a bundle: kvmperf upload FILE --server URL")
        return await self._take(request, most, caller, store)

    async def _take(
        self, request: Request, most: _Most, caller: Caller, store: Callable[[Path], Mapping[str, object]]
    ) -> Mapping[str, object]:
        most.check(request)
        async with self._place(caller):
            with NamedTemporaryFile(dir=self._settings.incoming, prefix=PREFIX, suffix=SUFFIX) as body:
                size = await self._read(request, body, most)
                async with self._storing:
                    told = await run_in_threadpool(store, Path(body.name))
        log.info(
            "stored upload %.12s from %s: %d bytes, %s runs, %s values",
            told["upload"] or "-",
            caller.prefix,
            size,
            told["runs"],
            told["values"],
        )
        return told

    @asynccontextmanager
    async def _place(self, caller: Caller) -> AsyncIterator[None]:
        """One of the places; a single token never has all of them."""
        async with self._of_token[caller.prefix], self._places:
            yield

    async def _read(self, request: Request, body: IO[bytes], most: _Most) -> int:
        """Write the body into a file in pieces; how many bytes it had.

        Waiting uses the patience up and bytes restore it: nobody holds a place by sending a little now and then.
        """
        size = 0
        patience_s, slowest = self._settings.patience_s, self._settings.slowest_bytes_per_s
        left_s = patience_s
        pieces = request.stream().__aiter__()
        while True:
            asked = time.monotonic()
            try:
                piece = await asyncio.wait_for(anext(pieces), left_s)
            except StopAsyncIteration:
                break
            except TimeoutError as error:
                raise ApiError(408, f"the upload came slower than {slowest >> 10} KiB/s", "send it again") from error
            except ClientDisconnect as error:
                raise ApiError(400, "the upload broke off", "send it again") from error
            left_s = min(patience_s, left_s - (time.monotonic() - asked) + len(piece) / slowest)
            size += len(piece)
            if size > most.size:
                raise most.exceeded()
            body.write(piece)
        body.flush()
        return size

    def _sender(self, caller: Caller) -> Sender:
        return Sender(self._settings.incoming, caller.prefix)


def _context(header: str) -> OutputContext:
    try:
        return OutputContext.model_validate_json(header or "{}")
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "Kvmperf-Context"
        hint = 'send the header Kvmperf-Context: {"host": "bm1", "label": "v6.12", "command": "..."}'
        raise ApiError(422, f"{place}: {first['msg'].removeprefix('Value error, ')}", hint) from error


def _single(context: OutputContext, content: bytes) -> Single:
    told = context.model_dump()
    known = {name: told[name] for name in asdict(Given()) if name in told and name != "tags"}
    rest = {name: told[name] for name in ("source", "command", "exit_status", "started_at", "ended_at")}
    return Single(content, Given(**known, tags=tuple(context.tags)), **rest)


_ERROR = {"content": {"application/json": {"example": {"error": "what is wrong", "hint": "what to do"}}}}
_RESPONSES: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI
    200: {"description": "This bundle was stored before; the receipt of then", "model": Receipt},
    **{
        status: {"description": text, **_ERROR}
        for status, text in (
            (400, "Not a whole bundle, or nonsense in it; nothing was stored"),
            (401, "No token, or none that is known"),
            (403, "The token may not upload"),
            (408, "Too slow; send it again"),
            (413, "Too large"),
            (503, "The database is busy; try again"),
            (507, "The disk is full; send it again"),
        )
    },
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-tar": _BINARY,
            "application/gzip": _BINARY,
            "text/plain": {"schema": {"type": "string"}},
        },
    }
}
