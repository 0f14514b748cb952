"""Where notices go: one TOML file, checked word by word before anything is sent. Nothing configured, nothing sent."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from email.utils import parseaddr
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from alerts.notices.notice import IMMEDIATE, Kind, Notice
from db.address import web
from db.errors import UserError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_WHEN = ("now", "daily", "weekly")
_TLS = ("starttls", "tls", "none")
_FORMATS = ("text", "json")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_COMMON: dict[str, type] = {
    "name": str, "kind": str, "when": str, "only": list, "benchmark": str, "host": str, "timeout_s": float,
}  # fmt: skip
_OWN: dict[str, dict[str, type]] = {
    "mail": {
        "server": str, "port": int, "tls": str, "ca_file": str, "user": str, "password_env": str,
        "password_file": str, "sender": str, "to": list, "cc": list,
    },
    "webhook": {
        "url": str, "url_env": str, "url_file": str, "secret_env": str, "secret_file": str,
        "ca_file": str,
    },
    "file": {"path": str, "format": str},
}  # fmt: skip
Table = Mapping[str, Any]  # Any: TOML


@dataclass(frozen=True, slots=True)
class Choice:
    """Which notices a sink takes, and when: at once, or in a digest."""

    when: str = "now"
    only: tuple[Kind, ...] = IMMEDIATE
    benchmark: str = "*"
    host: str = "*"

    def takes(self, notice: Notice) -> bool:
        """Whether this notice is for the sink: any of its programs, any of its hosts."""
        programs = [name for one in notice.benchmarks for name in (one, one.rsplit("/", 1)[-1])]
        return notice.kind in self.only and _any(programs, self.benchmark) and _any(notice.hosts, self.host)


@dataclass(frozen=True, slots=True)
class Sink:
    """One place that notices go to."""

    name: str
    choice: Choice
    timeout_s: float


@dataclass(frozen=True, slots=True)
class MailSink(Sink):
    """A mail server. The password is in memory only."""

    server: str
    port: int
    tls: str
    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    ca_file: str = ""
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class WebhookSink(Sink):
    """An address that takes JSON by POST. Addresses of chat systems are secrets themselves."""

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    ca_file: str = ""

    @property
    def shown(self) -> str:
        """The address without what is secret in it."""
        place = urlsplit(self.url)
        return f"{place.scheme}://{place.hostname}{f':{place.port}' if place.port else ''}"


@dataclass(frozen=True, slots=True)
class FileSink(Sink):
    """A file that grows, or standard output (`-`)."""

    path: str
    format: str = "text"


@dataclass(frozen=True, slots=True)
class Settings:
    """All sinks, and where the dashboard is that links lead to (empty: no links)."""

    sinks: tuple[Sink, ...] = ()
    dashboard: str = ""

    def sink(self, name: str) -> Sink | None:
        """The sink of this name; None where the file no longer has it."""
        return next((one for one in self.sinks if one.name == name), None)


def load(path: Path, environment: Mapping[str, str]) -> Settings:
    """Read the file; UserError with the place of the first thing that is wrong. Secrets come from elsewhere."""
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", "docs/notifications.md shows such a file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: no TOML: {error}", "texts stand in quotes; see docs/notifications.md") from error
    return read(told, str(path), environment)


def read(told: Table, source: str, environment: Mapping[str, str]) -> Settings:
    """The settings that a parsed file says."""
    _known(told, {"dashboard": str, "sink": list}, source)
    dashboard = told.get("dashboard", "")
    if dashboard and not web(dashboard):
        _refuse(source, f"dashboard = {dashboard!r} is no address", "https://perf.example.org")
    tables = told.get("sink", [])
    if not all(isinstance(one, dict) for one in tables):
        _refuse(source, "sink is a list of tables", "[[sink]]")
    sinks = tuple(_sink(one, f"{source}: sink {n}", environment) for n, one in enumerate(tables, start=1))
    names = [one.name for one in sinks]
    for name in names:
        if names.count(name) > 1:
            _refuse(source, f"two sinks are named {name!r}", "messages are kept apart by the name of their sink")
    return Settings(sinks, dashboard.rstrip("/"))


def _sink(told: Table, place: str, environment: Mapping[str, str]) -> Sink:
    kind = told.get("kind")
    if not isinstance(kind, str) or kind not in _OWN:
        _refuse(place, f"kind = {kind!r}", f"one of {', '.join(_OWN)}")
    name = told.get("name")
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= 60:
        _refuse(place, "has no name", 'name = "kvm-list"')
    place = f"{place} ({name})"
    _known(told, {**_COMMON, **_OWN[kind]}, place)
    timeout_s = float(told.get("timeout_s", 30))
    if not 0 < timeout_s <= 600:
        _refuse(place, f"timeout_s = {timeout_s:g}", "seconds, up to 600")
    given = (name, _choice(told, place), timeout_s)
    return {"mail": _mail, "webhook": _webhook, "file": _file}[kind](given, told, place, environment)


def _choice(told: Table, place: str) -> Choice:
    only = told.get("only", [kind.value for kind in IMMEDIATE])
    for word in only:
        _one_of(place, "only", word, [kind.value for kind in IMMEDIATE])
    when = _one_of(place, "when", told.get("when", "now"), _WHEN)
    return Choice(when, tuple(Kind(word) for word in only), told.get("benchmark", "*"), told.get("host", "*"))


_Given = tuple[str, Choice, float]


def _mail(given: _Given, told: Table, place: str, environment: Mapping[str, str]) -> Sink:
    for name in ("server", "sender", "to"):
        if not told.get(name):
            _refuse(place, f"has no {name}", {"to": 'to = ["kvm@example.org"]'}.get(name, f'{name} = "…"'))
    tls = _one_of(place, "tls", told.get("tls", "starttls"), _TLS)
    for address in (told["sender"], *told["to"], *told.get("cc", ())):
        if "@" not in parseaddr(address)[1] or not address.isprintable():
            _refuse(place, f"{address!r} is no mail address", "Name <name@example.org>")
    password = _secret(told, "password", place, environment)
    if bool(told.get("user")) != bool(password):
        _refuse(place, "a user needs a password and a password a user", 'user = "…", password_env = "SMTP_PASSWORD"')
    if password and tls == "none" and told["server"] not in _LOOPBACK:
        _refuse(place, "the password would travel in the open", 'tls = "starttls"')
    port = told.get("port", _PORTS[tls])
    if not 0 < port < 1 << 16:
        _refuse(place, f"port = {port}", f"1 to 65535, mostly {_PORTS[tls]}")
    return MailSink(
        *given, told["server"], port, tls, told["sender"], tuple(told["to"]),
        tuple(told.get("cc", ())), _ca_file(told, place), told.get("user", ""), password,
    )  # fmt: skip


def _webhook(given: _Given, told: Table, place: str, environment: Mapping[str, str]) -> Sink:
    url = told.get("url") or _secret(told, "url", place, environment)
    parts = web(url)
    if not parts:
        _refuse(place, "has no url that begins with https:// and names a host", 'url = "https://…", or url_file = "…"')
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        _refuse(place, "http:// to another host can be read on the way", "https://")
    return WebhookSink(*given, url, _secret(told, "secret", place, environment), _ca_file(told, place))


def _ca_file(told: Table, place: str) -> str:
    """The file of certificates, looked into: while sending, it would be taken for an error of the server."""
    path = str(told.get("ca_file", ""))
    if path:
        import ssl

        try:
            ssl.create_default_context(cafile=path)
        except OSError as error:
            reason = "no certificates in it" if isinstance(error, ssl.SSLError) else error.strerror
            _refuse(place, f"ca_file = {path!r}: {reason}", "a file of certificates (PEM)")
    return path


def _file(given: _Given, told: Table, place: str, _environment: Mapping[str, str]) -> Sink:
    if not told.get("path"):
        _refuse(place, "has no path", 'path = "/var/log/kvmperf/alerts.txt", or "-" for standard output')
    return FileSink(*given, told["path"], _one_of(place, "format", told.get("format", "text"), _FORMATS))


def _secret(told: Table, name: str, place: str, environment: Mapping[str, str]) -> str:
    """A secret from the environment or from a file: never from the settings themselves."""
    if variable := told.get(f"{name}_env"):
        if not environment.get(variable):
            _refuse(place, f"{name}_env = {variable!r}: the environment has no such variable", f"export {variable}=…")
        return environment[variable]
    if not told.get(f"{name}_file"):
        return ""
    path = Path(told[f"{name}_file"])
    try:
        text = path.read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{place}: {name}_file = {str(path)!r} cannot be read", "one line, mode 0600") from error
    if not text:
        _refuse(place, f"{name}_file = {str(path)!r} is empty", "one line, mode 0600")
    return text


def _known(told: Table, words: Mapping[str, type], place: str) -> None:
    """Refuse keys that mean nothing here and values of another type."""
    for name, value in told.items():
        if name in ("password", "secret"):
            _refuse(place, f"{name} must not stand in this file", f"{name}_env or {name}_file")
        if name not in words:
            near = get_close_matches(name, words, 1)
            _refuse(
                place, f"unknown key {name!r}", f"did you mean {near[0]}?" if near else f"known: {', '.join(words)}"
            )
        if any("\0" in text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)):
            _refuse(place, f"{name} = {value!r} has a NUL in it", "no name, address or path has one")
        kind = words[name]
        fits = isinstance(value, int | float if kind is float else kind) and not isinstance(value, bool)
        if not fits or (kind is list and name != "sink" and not all(isinstance(one, str) for one in value)):
            word = {str: "a text", list: "a list of texts", int: "a whole number", float: "a number"}[kind]
            _refuse(place, f"{name} = {value!r} is not {word}", "docs/notifications.md has examples")


def _one_of(place: str, name: str, value: object, words: tuple[str, ...] | list[str]) -> str:
    if value not in words:
        _refuse(place, f"{name} has {value!r}", f"one of {', '.join(words)}")
    return str(value)


def _refuse(place: str, what: str, hint: str) -> NoReturn:
    raise UserError(f"{place}: {what}", hint)


def _any(names: list[str] | tuple[str, ...], pattern: str) -> bool:
    """Whether any name fits; what names nothing is for everybody."""
    return not names or any(fnmatchcase(name, pattern) for name in names)
