"""Patch series in the database: registering what was posted, finding it again, placing uploads in it."""

import difflib
import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Text, cast, func, insert, literal, or_, select, update

from db.errors import UnresolvedNameError, UserError
from db.models import Capture, Patch, PatchSeries, Revision, Run, SeriesVersion
from db.posted import PostedPatch, PostedVersion
from db.settling import is_commit, settle
from db.values import RevisionFacts

_CHANGE_ID = re.compile(r"(?:\d{8}-)?(.+?)(?:-[0-9a-f]{8,})?$")  # b4: date, slug, random hex
_NAME_LIMIT = 60
ERA = "selftest_era"  # the label of a run whose output shows the era of its program
HARNESS = "harness"  # the tag under which a capture says which build of the test program ran


@dataclass(frozen=True, slots=True)
class PatchRow:
    """Patch k of a version as it is stored."""

    id: int
    k: int
    subject: str
    commit: str
    patch_id: str
    message_id: str
    author: str = ""
    diff: str = ""


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a series with its patches in order; none where only uploads are known of it."""

    id: int
    version: int
    subject: str
    message_id: str
    base_commit: str
    posted_at: datetime | None
    prefix: str
    patches: tuple[PatchRow, ...]


@dataclass(frozen=True, slots=True)
class PatchSeriesRow:
    """A series with its versions in order."""

    id: int
    name: str
    subject: str
    change_id: str
    versions: tuple[VersionRow, ...]


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of a posted version. `adopted` counts the revisions, measured before, that belong to it now."""

    series: str
    version: int
    patches: int
    is_new: bool
    adopted: int


def known_series(connection: Connection, *, diffs: bool = False) -> tuple[PatchSeriesRow, ...]:
    """All patch series, by name; their patches with the diffs only if asked."""
    patches: dict[int, list[PatchRow]] = {}
    wanted = select(
        Patch.series_version_id,
        Patch.id,
        Patch.k,
        Patch.subject,
        Patch.commit,
        Patch.patch_id,
        Patch.message_id,
        Patch.author,
        Patch.diff if diffs else literal(""),
    )
    for row in connection.execute(wanted.order_by(Patch.k)):
        patches.setdefault(row.series_version_id, []).append(PatchRow(*row[1:]))
    versions: dict[int, list[VersionRow]] = {}
    for row in connection.execute(select(SeriesVersion.__table__).order_by(SeriesVersion.version)):
        told = VersionRow(
            row.id,
            row.version,
            row.subject,
            row.message_id,
            row.base_commit,
            row.posted_at,
            row.prefix,
            tuple(patches.get(row.id, ())),
        )
        versions.setdefault(row.series_id, []).append(told)
    return tuple(
        PatchSeriesRow(row.id, row.name, row.subject, row.change_id, tuple(versions.get(row.id, ())))
        for row in connection.execute(select(PatchSeries.__table__).order_by(PatchSeries.name))
    )


Builds = tuple[frozenset[str], frozenset[str]]  # what was told (`upload --harness`), what the outputs show


def harnesses(connection: Connection, revision_ids: Collection[int]) -> dict[tuple[int, int], Builds]:
    """The builds of the test programs, told and shown, by revision and test case; where there are none, nothing."""
    tags, labels = cast(Capture.tags, Text), cast(Run.labels, Text)  # JSON of PostgreSQL has no DISTINCT
    wanted = (
        select(Run.revision_id, Run.test_case_id, tags, labels)
        .join(Capture, Run.capture_id == Capture.id)
        .where(Run.revision_id.in_(sorted(revision_ids)), Capture.deleted_at.is_(None))
        .where(or_(tags.contains(f'"{HARNESS}"'), labels.contains(f'"{ERA}"')))
        .distinct()
    )
    found: dict[tuple[int, int], tuple[set[str], set[str]]] = {}
    for revision, case, tagged, labelled in connection.execute(wanted):
        sets = found.setdefault((revision, case), (set(), set()))
        for names, text, key in zip(sets, (tagged, labelled), (HARNESS, ERA), strict=True):
            names |= {value for name, value in json.loads(text).items() if name == key}
    return {key: (frozenset(told), frozenset(shown)) for key, (told, shown) in found.items()}


def find(text: str, known: Sequence[PatchSeriesRow]) -> PatchSeriesRow:
    """The series that a text names: its name, its change-id, or the Message-Id of one of its covers.

    Raises UnresolvedNameError, with candidates, where that is not exactly one.
    """
    found = meant(text, known)
    if len(found) == 1:
        return found[0]
    if found:
        raise UnresolvedNameError(f"{text!r} means {len(found)} series", f"one of: {_listed(found)}")
    near = [one for one in known if text.lower() in f"{one.name} {one.subject} {one.change_id}".lower()] or list(known)
    hint = f"known: {_listed(near)}" if known else "`kvmperf series add` registers one"
    raise UnresolvedNameError(f"{text!r}: no patch series of this name", hint)


def meant(text: str, known: Sequence[PatchSeriesRow]) -> list[PatchSeriesRow]:
    """The series that a text can name: by name, else by change-id, by the Message-Id of a cover, by subject."""
    message_id = text.strip().strip("<>")
    return (
        [one for one in known if one.name == text]
        or [one for one in known if text and one.change_id == text]
        or [one for one in known if any(message_id and v.message_id == message_id for v in one.versions)]
        or [one for one in known if text and text in (one.subject, *(v.subject for v in one.versions))]
    )


def alike(text: str, known: Sequence[PatchSeriesRow]) -> str:
    """The name of a posted series that a text which names none may have meant, or empty."""
    names = [one.name for one in known if any(version.patches for version in one.versions) and one.name != text]
    inside = [name for name in names if text.lower() in name.lower() or name.lower() in text.lower()]
    return next(iter([*inside, *difflib.get_close_matches(text, names, 1)]), "")


def _listed(series: Iterable[PatchSeriesRow]) -> str:
    names = [one.name for one in series]
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def placed(connection: Connection, facts: RevisionFacts) -> RevisionFacts:
    """The facts with their place in a registered series: its proper name, or what the commit says.

    A commit places what it measured only where nothing else was said: a label marks what the code alone does not
    tell. A number brings the commit that was registered for it, so that both ways lead to one revision. Raises
    UserError where a version has no such patch, and where a commit stands in several series.
    """
    if not facts.series and not (facts.commit and not facts.label):
        return facts
    known = known_series(connection)
    return _named(facts, known) if facts.series else _by_commit(facts, known)


def _named(facts: RevisionFacts, known: Sequence[PatchSeriesRow]) -> RevisionFacts:
    if not meant(facts.series, known) and "@" not in facts.series:
        return facts
    series = find(facts.series, known)
    covers = [v for v in series.versions if v.message_id and v.message_id == facts.series.strip("<>")]
    number = covers[0].version if facts.version is None and covers else facts.version
    version = next((v for v in series.versions if v.version == number), None)
    most = len(version.patches) if version else 0
    said = facts.patches or 0
    if version and most and ((facts.patch or 0) > most or said not in (0, most)):
        raise UserError(
            f"{series.name} v{number} has {most} patches, not {said or facts.patch}",
            f"`kvmperf series show {series.name}` lists them",
        )
    patch = next((p for p in version.patches if p.k == facts.patch), None) if version else None
    return replace(facts, series=series.name, version=number, commit=_whole(facts.commit, patch))


def _whole(said: str, patch: PatchRow | None) -> str:
    """The registered commit of a patch, unless another was said."""
    known = patch.commit if patch else ""
    return known if known and (not said or is_commit(said, known)) else said


def _by_commit(facts: RevisionFacts, known: Sequence[PatchSeriesRow]) -> RevisionFacts:
    places = [
        (series.name, version.version, patch)
        for series in known
        for version in series.versions
        for patch in version.patches
        if is_commit(facts.commit, patch.commit)
    ]
    if not places:
        return facts
    if len({name for name, _, _ in places}) > 1:
        listed = ", ".join(f"{name}@v{version}/{patch.k}" for name, version, patch in places)
        raise UnresolvedNameError(
            f"commit {facts.commit[:12]} is a patch of {len(places)} series: {listed}",
            "say which one: --series NAME --version N --patch K/M",
        )
    name, number, patch = max(places, key=lambda place: place[1])  # of versions that share a commit, the newest
    return replace(facts, series=name, version=number, patch=patch.k, commit=_whole(facts.commit, patch))


def register(connection: Connection, posted: PostedVersion, *, name: str = "") -> Registered:
    """Store a posted version; the same one again adds what was not known. Uploads that came first become its own.

    The series is the one of this name, else of this change-id, else the one that the cover letter answers, else one
    named after the change-id or the subject. Raises UserError where that series, or this version of it, is another.
    """
    known = known_series(connection)
    series = _series_of(posted, name, known)
    series_id = series.id if series else _new_series(connection, posted, name, known)
    _complete(connection, PatchSeries, series_id, {"subject": posted.subject, "change_id": posted.change_id})
    version = next((v for v in series.versions if v.version == posted.version), None) if series else None
    shown = series.name if series else _name(connection, series_id)
    if version:
        _refuse_other(connection, shown, version, posted)
    version_id = version.id if version else _new_version(connection, series_id, posted.version)
    facts = {"subject": posted.subject, "message_id": posted.message_id, "base_commit": posted.base_commit}
    _complete(connection, SeriesVersion, version_id, {**facts, "prefix": posted.prefix, "posted_at": posted.posted_at})
    for patch in posted.patches:
        _store_patch(connection, version_id, patch, version.patches if version else ())
    adopted = settle(connection, version_id, {patch.k: patch.commit for patch in posted.patches if patch.commit})
    is_new = version is None or not version.patches
    return Registered(shown, posted.version, len(posted.patches), is_new, adopted)


def _series_of(posted: PostedVersion, name: str, known: Sequence[PatchSeriesRow]) -> PatchSeriesRow | None:
    ids = {posted.message_id, *posted.earlier} - {""}
    found = (
        [one for one in known if one.name == name]
        if name
        else [one for one in known if posted.change_id and posted.change_id in (one.change_id, one.name)]
        or [one for one in known if any(v.message_id in ids for v in one.versions)]
        or [one for one in known if one.name == series_name(posted)]
    )
    if not found:
        return None
    series = found[0]
    if posted.change_id and series.change_id and posted.change_id != series.change_id:
        raise UserError(
            f"a series {series.name!r} with another change-id is registered ({series.change_id})",
            "add --name NAME for this one",
        )
    return series


def series_name(posted: PostedVersion) -> str:
    """The name of a series that nobody named: its change-id without date and random part, else its subject."""
    match = _CHANGE_ID.match(posted.change_id)
    text = match[1] if match else posted.subject
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.").lower()
    return words[:_NAME_LIMIT].strip("-.") or "series"


def _new_series(connection: Connection, posted: PostedVersion, name: str, known: Sequence[PatchSeriesRow]) -> int:
    wanted = name or series_name(posted)
    if any(one.name == wanted for one in known):
        raise UserError(f"a series {wanted!r} is already registered", "add --name NAME for this one")
    return _inserted(connection, PatchSeries, {"name": wanted, "subject": "", "change_id": ""})


def _new_version(connection: Connection, series_id: int, number: int) -> int:
    return _inserted(
        connection,
        SeriesVersion,
        {"series_id": series_id, "version": number, "subject": "", "message_id": "", "base_commit": ""},
    )


def _inserted(connection: Connection, model: type[PatchSeries | SeriesVersion], row: dict[str, object]) -> int:
    done = connection.execute(insert(model).values(row))
    assert done.inserted_primary_key is not None  # noqa: S101 (both tables have a key)
    return int(done.inserted_primary_key[0])


def _name(connection: Connection, series_id: int) -> str:
    return connection.execute(select(PatchSeries.name).where(PatchSeries.id == series_id)).scalar_one()


def _complete(
    connection: Connection,
    model: type[PatchSeries | SeriesVersion | Patch],
    row_id: int,
    facts: dict[str, object],
) -> None:
    """Fill columns that are empty so far; what is known stays."""
    for column, value in facts.items():
        stored = getattr(model, column)
        empty = stored.is_(None) if column == "posted_at" else stored == ""
        if value:
            connection.execute(update(model).where(model.id == row_id, empty).values({column: value}))


def _refuse_other(connection: Connection, name: str, version: VersionRow, posted: PostedVersion) -> None:
    """Refuse a second posting under a number that is taken: another cover with other patches, more or fewer patches."""
    shown = f"{name} v{version.version}"
    both = [
        (old.patch_id, new.patch_id)
        for old, new in zip(version.patches, posted.patches, strict=False)
        if old.patch_id and new.patch_id
    ]
    is_other = version.message_id and posted.message_id and version.message_id != posted.message_id
    if (is_other and not both) or any(old != new for old, new in both):
        raise UserError(
            f"{shown} is registered with other patches (cover <{version.message_id}>)",
            "--version N registers these under another number, --name NAME in another series",
        )
    measured = connection.execute(
        select(func.max(Revision.patch_k)).where(Revision.series_version_id == version.id)
    ).scalar()
    most = max(measured or 0, len(version.patches))
    here = len(posted.patches)
    if here and (most > here or (version.patches and most != here)):
        hint = "is a mail missing?" if most > here else "--version N registers another version of it"
        raise UserError(f"{shown}: {most} patches are known and {here} are here", hint)


def _store_patch(connection: Connection, version_id: int, patch: PostedPatch, stored: Sequence[PatchRow]) -> None:
    facts: dict[str, object] = {
        "subject": patch.subject,
        "commit": patch.commit,
        "patch_id": patch.patch_id,
        "message_id": patch.message_id,
        "author": patch.author,
        "diff": patch.diff,
    }
    known = next((one for one in stored if one.k == patch.k), None)
    if known is None:
        connection.execute(insert(Patch).values({**facts, "series_version_id": version_id, "k": patch.k}))
    else:
        _complete(connection, Patch, known.id, facts)
