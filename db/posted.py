"""A posted patch series as it goes into the database. Standard library only: the parsers of mails make these."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PostedPatch:
    """Patch k of a version. What a mail did not say is empty; `commit` is known where git wrote the mail.

    `diff` is the patch text from its first `diff --git` on, `patch_id` what `git patch-id --stable` says of it.
    """

    k: int
    subject: str = ""
    author: str = ""
    message_id: str = ""
    commit: str = ""
    patch_id: str = ""
    diff: str = ""


@dataclass(frozen=True, slots=True)
class PostedVersion:
    """One version of a series. `patches` holds 1 … M in order; those whose mail is missing have no subject.

    `prefix` is what stood in the subject's brackets beside PATCH, version and number ("RFC", "kvm-unit-tests").
    `earlier` are Message-Ids of versions before this one: it finds its series by them when it has no change-id.
    """

    version: int
    patches: tuple[PostedPatch, ...]
    subject: str = ""
    message_id: str = ""
    change_id: str = ""
    base_commit: str = ""
    prefix: str = ""
    posted_at: datetime | None = None
    earlier: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
