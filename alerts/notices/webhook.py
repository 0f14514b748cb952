"""Webhooks: JSON with a `text` that chat systems show, signed with the time, named by a key that tells repeats."""

import hashlib
import hmac
import json
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import httpx2
import stamina

from alerts.notices import mail, text
from alerts.notices.delivery import DeliveryError, Letter
from alerts.notices.notice import to_json
from alerts.notices.settings import WebhookSink

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MAY_PASS = (408, 409, 425, 429)
_LONGEST_WAIT_S = 6 * 3600.0
_READ_BYTES = 2000  # of an answer that says no


def document(letter: Letter) -> dict[str, Any]:  # Any: JSON
    """What is sent. `text` is all that Slack and Mattermost read; programs find the rest under `kvmperf`."""
    shown = mail.subject(letter) if letter.period else text.short(letter.notices[0])
    if letter.period:
        link = f"\n{letter.dashboard}/inbox" if letter.dashboard else ""
        shown = "\n".join([shown, *(f"- {text.plain(one.title)}" for one in letter.notices[:20])]) + link
    told = {
        "version": 1,
        "key": letter.key,
        "kind": letter.kind.value,
        "at": letter.at.isoformat(),
        "period": letter.period or None,
        "notices": [to_json(one) for one in letter.notices],
    }
    return {"text": shown, "kvmperf": told}


def signature(secret: str, at: int, body: bytes) -> str:
    """The hexadecimal HMAC-SHA256 of `TIME.BODY`: the time is signed too, so that a recording grows old."""
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def send(letter: Letter, sink: WebhookSink) -> str:
    """Post it; an empty string once it was taken, DeliveryError otherwise. A broken line is tried twice."""
    body = json.dumps(document(letter), ensure_ascii=False, sort_keys=True).encode()
    tries = stamina.retry_context(
        on=(httpx2.ConnectError, httpx2.RemoteProtocolError), attempts=2, wait_initial=0.2, timeout=sink.timeout_s
    )
    try:
        with _client(sink) as client:
            for attempt in tries:
                with attempt:
                    return _post(client, letter, sink, body)
    except httpx2.TimeoutException:
        raise DeliveryError(f"{sink.shown}: no answer in time") from None
    except (httpx2.TransportError, ssl.SSLError, OSError) as error:
        raise DeliveryError(f"{sink.shown}: {str(error) or type(error).__name__}") from None
    raise AssertionError("retrying ended without an answer")


def _client(sink: WebhookSink) -> httpx2.Client:
    return httpx2.Client(
        timeout=sink.timeout_s,
        follow_redirects=False,  # a signed message goes nowhere but where the administrator said
        trust_env=urlsplit(sink.url).hostname not in _LOOPBACK,
        verify=ssl.create_default_context(cafile=sink.ca_file or None),
    )


def _post(client: httpx2.Client, letter: Letter, sink: WebhookSink, body: bytes) -> str:
    at = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "kvmperf",
        "Idempotency-Key": letter.key,
        "Kvmperf-Kind": letter.kind.value,
    }
    if sink.secret:
        headers["Kvmperf-Signature"] = f"t={at},v1={signature(sink.secret, at, body)}"
    with client.stream("POST", sink.url, content=body, headers=headers) as answer:
        if answer.is_success:
            return ""  # what it says beyond that is of no interest, however slowly it says it
        said = next(answer.iter_bytes(_READ_BYTES), b"").decode("utf-8", "replace")
        status = answer.status_code
        raise DeliveryError(
            f"{sink.shown} answered {status} {said}",
            for_good=status < 500 and status not in _MAY_PASS,
            wait_s=_wait_s(answer.headers.get("Retry-After", "")),
        )


def _wait_s(text: str) -> float:
    return min(float(text), _LONGEST_WAIT_S) if text.isdecimal() else 0.0
