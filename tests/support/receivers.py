"""Who gets messages in tests: a real mail server and a real HTTP receiver on loopback, with free ports."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import json
import socket
import ssl
import threading
import time
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def free_port():
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Mailbox:
    """Keeps the mails it is given. `answers` are said instead of taking a mail, one a try; `delay_s` is slept first."""

    def __init__(self, answers=(), delay_s=0.0, refuses=()):
        self.answers, self.delay_s, self.refuses = list(answers), delay_s, refuses
        self.mails, self.envelopes, self.tries = [], [], 0

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 (aiosmtpd's name)
        if address in self.refuses:
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        self.tries += 1
        await asyncio.sleep(self.delay_s)
        if self.answers and (answer := self.answers.pop(0)):
            return answer
        self.envelopes.append(envelope)
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    @property
    def seen(self):
        """What a reader sees: mails with one Message-ID are one mail."""
        return {mail["Message-ID"]: mail for mail in self.mails}


@contextlib.contextmanager
def smtp(mailbox, *, certificate=None, user="", password=""):
    """The port of a mail server that gives its mails to the box; STARTTLS is required where it has a certificate."""
    more = {}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        more = {"tls_context": context, "require_starttls": True}
    if user:

        def knows(_server, _session, _envelope, _mechanism, given):
            return AuthResult(
                success=(given.login, given.password) == (user.encode(), password.encode()), handled=False
            )

        more |= {"authenticator": knows, "auth_required": True, "auth_require_tls": bool(certificate)}
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **more)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


class Receiver:
    """Keeps what was posted. `answers` are statuses, or (status, headers), for the first tries; then 200."""

    def __init__(self, answers=(), delay_s=0.0):
        self.answers, self.delay_s, self.posts = list(answers), delay_s, []

    @property
    def seen(self):
        """What a reader sees who tells repeats by the key."""
        return {headers["Idempotency-Key"]: json.loads(body) for status, headers, body in self.posts if status == 200}


@contextlib.contextmanager
def http(receiver):
    """The address of a server that gives what is posted to the receiver."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = receiver.answers.pop(0) if receiver.answers else 200
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            receiver.posts.append((status, dict(self.headers), body))
            time.sleep(receiver.delay_s)
            with contextlib.suppress(OSError):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"so it is")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def certificate(path, name="127.0.0.1"):
    """A certificate with its key in one file, signed by itself, for this address."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
