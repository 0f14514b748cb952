"""What every answer and every request goes through: security headers, and a limit on how often an address may ask."""

import json
import time
from collections import OrderedDict

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_MOST_ADDRESSES = 10_000


class SecurityHeaders:
    """Adds the headers that keep browsers from doing more with an answer than showing it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back with the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await self._app(scope, receive, with_headers)


class Bucket:
    """Tokens that refill with time, one bucket an address; the addresses seen longest ago are forgotten."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s, self._burst = per_s, float(burst)
        self._seen: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, now: float) -> float:
        """Seconds to wait before the next try; 0 if this one is fine."""
        level, then = self._seen.pop(address, (self._burst, now))
        level = min(self._burst, level + (now - then) * self._per_s)
        allowed = level >= 1
        self._seen[address] = (level - 1 if allowed else level, now)
        while len(self._seen) > _MOST_ADDRESSES:
            self._seen.popitem(last=False)
        return 0.0 if allowed else (1 - level) / self._per_s


class RateLimit:
    """Refuses an address that asks too often, before anything is read or looked up."""

    def __init__(self, app: ASGIApp, per_s: float, burst: int) -> None:
        self._app = app
        self._bucket = Bucket(per_s, burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 429 with the seconds to wait."""
        if scope["type"] == "http":
            wait_s = self._bucket.take((scope.get("client") or ("",))[0], time.monotonic())
            if wait_s:
                await _refuse(send, wait_s)
                return
        await self._app(scope, receive, send)


async def _refuse(send: Send, wait_s: float) -> None:
    seconds = str(int(wait_s) + 1)
    body = json.dumps({"error": "too many requests", "hint": f"try again in {seconds} s"}).encode()
    headers = [(b"content-type", b"application/json"), (b"retry-after", seconds.encode())]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})
