"""Who may write in the dashboard that `kvmperf dashboard` starts: what is checked before it listens."""

import importlib.util
import ipaddress
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from cli.options import warn_of_readers
from db.errors import UserError

_SHARED = ("redirect_uri", "cookie_secret")
_PROVIDER = ("client_id", "client_secret", "server_metadata_url")
_SECRET = 32  # characters at least: whoever guesses the cookie's secret is whoever they like


@dataclass(frozen=True, slots=True)
class Access:
    """A local user's name, or the file that configures the log-in; with neither, everybody only reads."""

    local_user: str = ""
    login: Path | None = None

    def check(self, address: str) -> None:
        """Refuse what would let strangers write, and a log-in that could not work."""
        if self.local_user and self.login:
            raise UserError(
                "--local-user and --login exclude each other", "with a log-in people have names of their own"
            )
        if self.local_user and not _is_loopback(address):
            raise UserError(
                f"--local-user on {address}: whoever reaches it would write as {self.local_user}",
                "stay on 127.0.0.1, or configure a log-in: --login FILE",
            )
        if self.login:
            warn_of_readers("--login", self.login)
            _check_login(self.login)

    def environment(self) -> dict[str, str]:
        """What the pages read. An inherited name is never passed on: only the option makes a local user."""
        kept = {name: value for name, value in os.environ.items() if name != "KVMPERF_LOCAL_USER"}
        return kept | ({"KVMPERF_LOCAL_USER": self.local_user} if self.local_user else {})

    def options(self) -> dict[str, str]:
        """What Streamlit is told."""
        return {"secrets.files": str(self.login.resolve())} if self.login else {}


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


def _check_login(path: Path) -> None:
    if importlib.util.find_spec("authlib") is None:
        raise UserError("--login needs authlib", "pip install 'kvmperf[login]'")
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"--login {path}: {error}", "a TOML file with an [auth] section: docs/dashboard.md") from error
    auth = told.get("auth")
    if not isinstance(auth, dict):
        raise UserError(f"--login {path}: no [auth] section", "docs/dashboard.md shows one")
    missing = [name for name in (*_SHARED, *_PROVIDER) if not isinstance(auth.get(name), str) or not auth[name]]
    if missing:
        raise UserError(f"--login {path}: [auth] lacks {', '.join(missing)}", "docs/dashboard.md shows one")
    if len(auth["cookie_secret"]) < _SECRET:
        raise UserError(
            f"--login {path}: cookie_secret is shorter than {_SECRET} characters",
            "python3 -c 'import secrets; print(secrets.token_hex())' makes one",
        )
    if not auth["redirect_uri"].endswith("/oauth2callback"):
        raise UserError(f"--login {path}: redirect_uri must end in /oauth2callback", "the provider comes back there")
    _check_people(path, told.get("kvmperf", {}))


def _check_people(path: Path, told: object) -> None:
    """A word that nobody reads, or an empty list, would let everybody write whom the provider knows."""
    section = told if isinstance(told, dict) else {"": told}
    for name, value in section.items():
        listed = [value] if isinstance(value, str) else value
        match name:
            case "people":
                is_well = isinstance(listed, list) and all(isinstance(one, str) and one for one in listed or [0])
            case "assume_email_verified":
                is_well = isinstance(value, bool)
            case _:
                raise UserError(f"--login {path}: [kvmperf] has {name!r}", "known: people, assume_email_verified")
        if not is_well:
            raise UserError(f"--login {path}: [kvmperf] {name} = {value!r}", "docs/dashboard.md shows one")
