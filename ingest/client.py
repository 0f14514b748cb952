"""Sends bundles to a server: asks first, retries what may pass, and is content only with a receipt."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import stamina

from db.address import web
from db.errors import UserError
from ingest.errors import InputError, TransferError
from ingest.settings import ClientSettings
from ingest.spool import Item

_PIECE_BYTES = 1 << 18
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MAY_PASS = (408, 425, 429, 500, 502, 503, 504, 507)
Receipt = Mapping[str, Any]  # Any: JSON


class RefusedError(UserError):
    """The server will not take this: the token, or the bundle, is wrong. `for_good`: the bundle is."""

    def __init__(self, message: str, hint: str, *, for_good: bool) -> None:
        super().__init__(message, hint)
        self.for_good = for_good


class _MayPassError(Exception):
    """An answer that another try may change."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client of one server. `transport` stands in for the network in tests."""

    settings: ClientSettings
    transport: httpx2.BaseTransport | None = None

    def __post_init__(self) -> None:
        if not web(self.settings.server):
            raise InputError(
                f"{self.settings.server!r} is no server", "for example --server https://kvmperf.example.org"
            )

    def send(self, item: Item, watch: Callable[[int], None] = lambda _sent: None) -> Receipt:
        """Send a bundle; its receipt. `watch` gets the bytes sent so far, from 0 again at each try.

        Raises TransferError where network or server fail, RefusedError where trying again is of no use.
        """
        tries = stamina.retry_context(
            on=(_MayPassError, httpx2.TransportError),
            attempts=self.settings.tries,
            timeout=self.settings.patience_s,
            wait_initial=0.5,
            wait_max=10.0,
        )
        try:
            with self._connected() as connected:
                for attempt in tries:
                    with attempt:
                        return self._try(connected, item, watch)
        except _MayPassError as error:
            raise TransferError(f"{self.settings.server}: {error}", "") from error
        except httpx2.TransportError as error:
            raise TransferError(f"{self.settings.server}: {_reason(error)}", "") from error
        raise AssertionError("retrying ended without an answer")

    def _try(self, connected: httpx2.Client, item: Item, watch: Callable[[int], None]) -> Receipt:
        """Ask for a receipt first: it checks the token, and an earlier try may be stored although no answer came."""
        asked = connected.get(f"/api/v1/uploads/{item.note.digest}")
        if asked.status_code == 404 and "error" in _json(asked):
            size = item.size()
            headers = {"Content-Type": "application/gzip", "Content-Length": str(size)}
            asked = connected.post("/api/v1/uploads", content=_pieces(item.bundle, watch), headers=headers)
        return _receipt(asked)

    def _connected(self) -> httpx2.Client:
        place = urlsplit(self.settings.server)
        return httpx2.Client(
            base_url=self.settings.server.rstrip("/"),
            headers={"Authorization": f"Bearer {self.settings.token}", "User-Agent": "kvmperf"},
            timeout=httpx2.Timeout(30.0, read=self.settings.answer_s),
            follow_redirects=False,  # a token goes nowhere but where the user said
            trust_env=place.hostname not in _LOOPBACK,  # loopback is never behind a proxy
            transport=self.transport,
        )


def quiet_retries() -> None:
    """Keep the retry library's own log lines off the user's terminal; the outcome is reported once."""
    logging.getLogger("stamina").setLevel(logging.ERROR)


def is_readable_by_others(server: str) -> bool:
    """Whether a token sent there can be read on the way."""
    place = web(server)
    return place is not None and place.scheme == "http" and place.hostname not in _LOOPBACK


def _pieces(bundle: Path, watch: Callable[[int], None]) -> Iterator[bytes]:
    sent = 0
    watch(0)
    with bundle.open("rb") as opened:
        while piece := opened.read(_PIECE_BYTES):
            yield piece
            sent += len(piece)
            watch(sent)


def _receipt(answer: httpx2.Response) -> Receipt:
    told = _json(answer)
    if answer.status_code in (200, 201):
        if "upload" not in told or "stored" not in told:
            raise RefusedError("the server's answer is no receipt", "is this a kvmperf server?", for_good=False)
        return told
    said = str(told.get("error") or f"answered {answer.status_code}")
    if answer.status_code in _MAY_PASS:
        raise _MayPassError(said)
    hint = str(told.get("hint") or "is this the address of a kvmperf server?")
    raise RefusedError(f"refused: {said}", hint, for_good=answer.status_code in (400, 413, 422))


def _json(answer: httpx2.Response) -> Mapping[str, Any]:  # Any: JSON
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _reason(error: httpx2.TransportError) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "no answer in time"
    return str(error) or type(error).__name__
