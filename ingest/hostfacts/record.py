"""The facts of one host as a value, and their JSON. Runs on Python 3.8: no slots, no pattern matching."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

FORMAT = "kvmperf-facts"
VERSION = 1


class FactsError(ValueError):
    """No facts where facts were promised: `str(error)` says what and where, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class HostFacts:
    """What is known of one host during one boot. "" means unknown.

    `state` holds the fields that can change the host's numbers (`thp.enabled`): it is the host's identity for a
    comparison. `readings` vary by themselves and identify nothing. `unreadable` names the sources that were missing
    or closed to this user. The machine-id is kept only as a salted hash. `kernel_release` is part of the revision,
    not of the state.
    """

    hostname: str = ""
    machine_id_hash: str = ""
    boot_id: str = ""
    kernel_release: str = ""
    kernel_version: str = ""
    state: dict[str, str] = field(default_factory=dict)
    readings: dict[str, str] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The facts as JSON text with sorted keys; `read_json` returns an equal value."""
        return json.dumps({"format": FORMAT, "version": VERSION, **asdict(self)}, indent=2, sort_keys=True)


def read_json(path: Path) -> HostFacts:
    """The facts that `to_json` wrote to a file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FactsError(f"{path}: cannot be read as host facts ({error})", "write them with: kvmperf facts") from error
    return parse_json(text, str(path))


def parse_json(text: str, source: str = "<facts>") -> HostFacts:
    """The facts in a JSON text. Unknown fields are left aside: a newer collector may know more."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FactsError(f"{source}: not JSON ({error})", "write facts with: kvmperf facts > host.json") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise FactsError(f"{source}: JSON, but not host facts", "write facts with: kvmperf facts > host.json")
    if found.get("version") != VERSION:
        raise FactsError(
            f"{source}: host facts of version {found.get('version')!r}, known is {VERSION}", "upgrade kvmperf"
        )
    return HostFacts(
        **{name: _text(found.get(name, ""), source) for name in _TEXTS},
        state=_texts(found.get("state", {}), source),
        readings=_texts(found.get("readings", {}), source),
        unreadable=tuple(_text(name, source) for name in _list(found.get("unreadable", []), source)),
    )


_TEXTS = ("hostname", "machine_id_hash", "boot_id", "kernel_release", "kernel_version")


def _text(value: object, source: str) -> str:
    if not isinstance(value, str):
        raise FactsError(f"{source}: {value!r} stands where a text should be", "collect the facts again")
    return value


def _texts(value: object, source: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise FactsError(f"{source}: {value!r} stands where named values should be", "collect the facts again")
    return {_text(name, source): _text(one, source) for name, one in value.items()}


def _list(value: object, source: str) -> list[object]:
    if not isinstance(value, list):
        raise FactsError(f"{source}: {value!r} stands where a list should be", "collect the facts again")
    return value
