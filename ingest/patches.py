"""Posted patch series out of mails: versions, patches, bases, change-ids. Pure: mails in, values out."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from db.posted import PostedPatch, PostedVersion
from ingest.errors import FormatError
from ingest.mbox import Mail

MOST_PATCHES = 9999
_UNEDITED = "*** SUBJECT HERE ***"  # `git format-patch --cover-letter` asks for a title
_BRACKETS = re.compile(r"((?:\[[^\[\]]*\]\s*)+)(.*)$")
_NUMBER = re.compile(r"(\d{1,4})/(\d{1,4})$")
_VERSION = re.compile(r"(?:PATCH|RFC)?V(\d{1,4})$")
_FRACTION = re.compile(r"(?:PATCH|RFC)?V?\d+\.\d+(?:/\d+)?$")
_DIFF = re.compile(r"^(?:diff --git |Index: |--- \S.*\n\+\+\+ \S)", re.MULTILINE)
_HUNK = re.compile(r"^(?:@@ -|diff --git |[+ ])", re.MULTILINE)
_SIGNATURE = re.compile(r"^-- ?\n", re.MULTILINE)
_BASE = re.compile(r"^base-commit: ([0-9a-f]{40,64})\s*$", re.MULTILINE)
_CHANGE = re.compile(r"^change-id: (\S+)\s*$", re.MULTILINE)
_LINK = re.compile(r"https?://[^\s/]+/(?:[^\s/]+/)*([^\s/<>]+@[^\s/<>]+)")
_BODY_AUTHOR = re.compile(r"\s*From: (.+<[^<>\s]+@[^<>\s]+>)\s*\n")
_SHORTLOG = re.compile(r"^\S.* \((\d+)\):\n((?:  \S.*\n(?:    .*\n)*)+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tag:
    """What the brackets of a subject say. `k` and `total` are None in a mail without a number."""

    version: int
    k: int | None
    total: int | None
    prefix: str
    subject: str


@dataclass(frozen=True, slots=True)
class _Posted:
    """A mail that belongs to a series."""

    mail: Mail
    tag: Tag


def versions(mails: Sequence[Mail]) -> tuple[PostedVersion, ...]:
    """The versions that these mails post, ascending. Replies and other mails are left out.

    Raises FormatError, naming file and line, where numbers contradict each other or nothing is a patch.
    """
    posted = [_Posted(mail, found) for mail in mails if (found := tag(mail)) is not None]
    if not posted:
        source, line = (mails[0].source, mails[0].line) if mails else ("", 0)
        raise FormatError(source, line, "no patch here: no subject says [PATCH ...]", "give the mails of a series")
    groups: dict[int, list[_Posted]] = {}
    for one in posted:
        groups.setdefault(one.tag.version, []).append(one)
    return tuple(_version(number, groups[number]) for number in sorted(groups))


def tag(mail: Mail) -> Tag | None:
    """What a subject says about patch and series; None for replies and mails that post nothing."""
    match = _BRACKETS.match(mail.subject)
    if match is None:
        is_patch = bool(_DIFF.search(mail.body)) and not re.match(r"(?i)(re|fwd?|aw)\s*:", mail.subject)
        return Tag(1, None, None, "", mail.subject) if is_patch else None
    words = match[1].replace("[", " ").replace("]", " ").replace(",", " ").split()
    upper = [word.upper().rstrip(":") for word in words]
    numbers = [found for word in upper if (found := _NUMBER.match(word))]
    if not numbers and not any(word.startswith(("PATCH", "RFC")) for word in upper) and not _DIFF.search(mail.body):
        return None
    _refuse_fractions(mail, upper)
    found_versions = [int(found[1]) for word in upper if (found := _VERSION.match(word))]
    rest = [w for w, u in zip(words, upper, strict=True) if not (_NUMBER.match(u) or _VERSION.match(u) or u == "PATCH")]
    k, total = (int(numbers[0][1]), int(numbers[0][2])) if numbers else (None, None)
    subject = "" if match[2].strip() == _UNEDITED else match[2]
    return Tag(found_versions[0] if found_versions else 1, k, total, " ".join(rest), subject)


def _refuse_fractions(mail: Mail, words: Iterable[str]) -> None:
    for word in words:
        if word.startswith(("V", "PATCHV", "RFCV")) and _FRACTION.match(word) and "/" not in word:
            raise FormatError(mail.source, mail.line, f"version {word.lower()} is no whole number", "add --version N")
        if "/" in word and "." in word and _FRACTION.match(word):
            raise FormatError(
                mail.source, mail.line, f"patch {word} is no whole number", "number the patches 1/M to M/M"
            )


def _version(number: int, posted: list[_Posted]) -> PostedVersion:
    posted = _numbered(posted)
    total = _total(posted)
    by_k = _by_number(posted, total)
    cover = by_k.pop(0, None)
    lead = cover or by_k[min(by_k)]
    subjects = _shortlog(cover.mail.body, total) if cover and not by_k else {}
    patches = [_patch(k, by_k[k]) if k in by_k else PostedPatch(k, subjects.get(k, "")) for k in range(1, total + 1)]
    texts = [one.mail.body for one in ([cover] if cover else []) + [by_k[k] for k in sorted(by_k)]]
    return PostedVersion(
        version=number,
        patches=_of_own_commits(patches),
        subject=lead.tag.subject or next((one.tag.subject for _, one in sorted(by_k.items())), ""),
        message_id=lead.mail.message_id,
        change_id=_first(_CHANGE, texts) or lead.mail.change_id,
        base_commit=_first(_BASE, texts),
        prefix=lead.tag.prefix,
        posted_at=lead.mail.date,
        earlier=_earlier(lead.mail),
        warnings=_warnings(cover, patches, total),
    )


def _numbered(posted: list[_Posted]) -> list[_Posted]:
    """Patches without numbers take them from the order of the file."""
    bare = [one for one in posted if one.tag.k is None]
    if not bare or len(bare) < len(posted):
        return posted if not bare else [one for one in posted if one.tag.k is not None]
    count = len(bare)
    return [replace(one, tag=replace(one.tag, k=k, total=count)) for k, one in enumerate(bare, start=1)]


def _total(posted: Sequence[_Posted]) -> int:
    first = posted[0]
    total = first.tag.total or 0
    if not 1 <= total <= MOST_PATCHES:
        raise FormatError(first.mail.source, first.mail.line, f"a series of {total} patches", "that cannot be meant")
    for one in posted:
        if one.tag.total != total:
            what = f"v{one.tag.version} has {one.tag.total} patches here and {total} at {_place(first.mail)}"
            raise FormatError(one.mail.source, one.mail.line, what, "add the series one by one")
    return total


def _by_number(posted: Sequence[_Posted], total: int) -> dict[int, _Posted]:
    found: dict[int, _Posted] = {}
    for one in posted:
        k = one.tag.k or 0
        if k > total:
            raise FormatError(one.mail.source, one.mail.line, f"patch {k} of {total}", "number the patches 1/M to M/M")
        known = found.setdefault(k, one)
        if known is not one and not _is_same(known.mail, one.mail):
            what = f"v{one.tag.version} has a second {k}/{total}: the first is at {_place(known.mail)}"
            raise FormatError(one.mail.source, one.mail.line, what, "add the series one by one, with --version N")
    return found


def _is_same(one: Mail, other: Mail) -> bool:
    """Whether two mails post the same: a copy that came over a second list, or a resend without a change."""
    return (bool(one.message_id) and one.message_id == other.message_id) or diff_of(one.body) == diff_of(other.body)


def _patch(k: int, posted: _Posted) -> PostedPatch:
    mail = posted.mail
    author = _BODY_AUTHOR.match(mail.body)
    return PostedPatch(
        k=k,
        subject=posted.tag.subject,
        author=author[1].strip() if author else mail.author,
        message_id=mail.message_id,
        commit=mail.commit if set(mail.commit) != {"0"} else "",
        diff=diff_of(mail.body),
    )


def _of_own_commits(patches: Sequence[PostedPatch]) -> tuple[PostedPatch, ...]:
    """The patches without a commit that several of them claim: a tool put it there, and it names none of them."""
    claims = Counter(patch.commit for patch in patches)
    return tuple(patch if claims[patch.commit] == 1 else replace(patch, commit="") for patch in patches)


def diff_of(body: str) -> str:
    """The patch text of a mail, without the signature that git appends; empty where there is none."""
    match = _DIFF.search(body)
    if match is None:
        return ""
    text = body[match.start() :]
    ends = [found.start() for found in _SIGNATURE.finditer(text)]
    # A removed line "- " looks like a signature too: nothing of a patch follows the real one.
    return text[: ends[-1]] if ends and not _HUNK.search(text, ends[-1]) else text


def _first(pattern: re.Pattern[str], texts: Iterable[str]) -> str:
    return next((found[1] for text in texts if (found := pattern.search(text))), "")


def _earlier(mail: Mail) -> tuple[str, ...]:
    """Message-Ids that the mail answers or links to; its own is none of them."""
    message, _, _ = mail.body.partition("\ndiff --git ")
    linked = [one.rstrip(".,;)") for one in _LINK.findall(message)]
    return tuple(one for one in dict.fromkeys([*mail.references, *linked]) if one != mail.message_id)


def _shortlog(body: str, total: int) -> dict[int, str]:
    """The patches' subjects by number from a cover letter: in order only where one author wrote all of them."""
    logs = _SHORTLOG.findall(body)
    if len(logs) != 1 or int(logs[0][0]) != total:
        return {}
    joined = re.sub(r"\n    +", " ", logs[0][1])
    subjects = [line.strip() for line in joined.splitlines()]
    return dict(enumerate(subjects, start=1)) if len(subjects) == total else {}


def _warnings(cover: _Posted | None, patches: Sequence[PostedPatch], total: int) -> tuple[str, ...]:
    missing = [str(patch.k) for patch in patches if not patch.diff]
    said = []
    if missing and len(missing) == total:
        said.append(f"no patch of {total} is here, only the cover letter: patches cannot be followed across versions")
    elif missing:
        said.append(f"patch {', '.join(missing)} of {total} is missing")
    if total > 1 and (cover is None or not cover.tag.subject):
        said.append(f"no {'cover letter' if cover is None else 'title'}: the first patch names the series")
    return tuple(said)


def _place(mail: Mail) -> str:
    return f"{mail.source}:{mail.line}"
