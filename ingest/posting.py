"""Posted versions from where people have them: mailboxes, folders of patches, a git range, or words of their own."""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from db.posted import PostedPatch, PostedVersion
from ingest import git
from ingest.errors import InputError
from ingest.mbox import Mail, mails
from ingest.patches import versions

_SUFFIXES = (".patch", ".mbox", ".mbx", ".eml", ".mail", ".mbox.gz")
_MOST_BYTES = 256 << 20
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Said:
    """What the user says of a version, against or without its mails."""

    version: int | None = None
    patches: int | None = None
    subject: str = ""
    base_commit: str = ""
    change_id: str = ""
    message_id: str = ""


def posted(
    paths: Sequence[Path], said: Said, *, commits: str = "", repository: Path = Path()
) -> tuple[PostedVersion, ...]:
    """The versions in these files, in this range of commits, or as said; with patch-ids, ascending.

    Raises InputError or FormatError, naming file and line, for what cannot be read as a series.
    """
    found: list[Mail] = [mail for path in paths for file in _files(path) for mail in mails(_content(file), str(file))]
    if commits:
        found += mails(git.format_patch(repository, commits), commits)
    if not found:
        return (_by_hand(said),)
    read = versions(found)
    if len(read) > 1 and said != Said():
        listed = ", ".join(f"v{one.version}" for one in read)
        raise InputError(f"{listed} are here, and the options name one", "add one version at a time")
    return tuple(_with_patch_ids(_as_said(one, said)) for one in read)


def _files(path: Path) -> Iterable[Path]:
    if not path.is_dir():
        return (path,)
    found = sorted(file for file in path.iterdir() if file.name.endswith(_SUFFIXES))
    if not found:
        raise InputError(f"{path}: no {', '.join(_SUFFIXES[:-1])} in this folder", "`git format-patch -o FOLDER`")
    return found


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if content.startswith(_GZIP):
            with gzip.open(path) as packed:
                content = packed.read(_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: {said}", "give an mbox, a mail, or a folder of patches") from error
    if len(content) > _MOST_BYTES:
        raise InputError(f"{path}: more than {_MOST_BYTES >> 20} MiB", "give the mails of one series")
    return content


def _by_hand(said: Said) -> PostedVersion:
    if said.patches is None:
        raise InputError("nothing says what the series holds", "give its mbox, --range BASE..TIP, or --patches N")
    bare = PostedVersion(said.version or 1, tuple(PostedPatch(k) for k in range(1, said.patches + 1)))
    return _as_said(bare, said)


def _as_said(version: PostedVersion, said: Said) -> PostedVersion:
    if said.patches is not None and said.patches != len(version.patches):
        raise InputError(f"--patches {said.patches}: the mails have {len(version.patches)}")
    return replace(
        version,
        version=said.version or version.version,
        subject=said.subject or version.subject,
        base_commit=said.base_commit or version.base_commit,
        change_id=said.change_id or version.change_id,
        message_id=said.message_id.strip("<>") or version.message_id,
    )


def _with_patch_ids(version: PostedVersion) -> PostedVersion:
    found: Iterator[str] = iter(git.patch_ids([patch.diff for patch in version.patches]))
    patches = tuple(replace(patch, patch_id=next(found)) for patch in version.patches)
    missing = any(patch.diff and not patch.patch_id for patch in patches)
    more = ("git is not here to give patch-ids: patches are followed by subject only",) if missing else ()
    return replace(version, patches=patches, warnings=(*version.warnings, *more))
