"""Where, on what and of which code something was measured. Standard library only: the light client imports it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RevisionFacts:
    """What identifies measured code. Empty strings and None mean "not said"; equal facts are one revision.

    `series`, `version` and `patch` place it in a patch series: after patch k, 0 for the base of that version.
    `patches` is how many the version has, as far as said: it is checked against the series and identifies nothing.
    """

    kernel: str = ""
    commit: str = ""
    label: str = ""
    tree: str = ""
    branch: str = ""
    describe: str = ""
    subject: str = ""
    config_hash: str = ""
    dirty: bool = False
    committed_at: datetime | None = None
    series: str = ""
    version: int | None = None
    patch: int | None = None
    patches: int | None = None


@dataclass(frozen=True, slots=True)
class CaptureContext:
    """Where and on what something was measured: shared by all captures of one upload.

    `boot_since` is when the boot began (epoch seconds), where it is the running machine's: what started earlier was
    measured in another boot.
    """

    host: str
    revision: RevisionFacts
    boot_id: str = ""
    boot_since: float | None = None
    machine_id_hash: str = ""
    state: Mapping[str, str] = field(default_factory=dict)
    facts: bytes = b""
    tags: Mapping[str, str] = field(default_factory=dict)
    reported: bool = False
