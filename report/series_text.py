"""Patch series as plain text for a terminal or a mail: at most 72 columns of ASCII; links stay whole."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from db.queries import Filters
from db.series import PatchSeriesRow
from report.following import Fate
from report.series import MeasuredVersion, Place, Result, SeriesReport
from report.words import WIDTH, ascii_only, bounds, case_line, counted, direction, field, percent

DECIDED = 0.95  # posterior from which on "no patch" counts as an answer
SURE = 0.995  # posterior that need not be told


def listed(series: Sequence[PatchSeriesRow], lore: str) -> str:
    """Each series with its versions and their links."""
    lines: list[str] = []
    for one in series:
        lines += _wrapped(f"{one.name}: {one.subject}" if one.subject else one.name)
        if one.change_id:
            lines += _wrapped(f"change-id {one.change_id}", indent="  ")
        for version in one.versions:
            when = f", {version.posted_at:%Y-%m-%d}" if version.posted_at else ""
            count = len(version.patches)
            told = f"{counted(count, 'patch')}{when}" if count else "known from uploads only"
            lines += _wrapped(f"v{version.version}: {told}", indent="  ")
            if version.message_id:
                lines.append(f"      {ascii_only(lore + version.message_id)}")  # a broken link leads nowhere
    return "".join(f"{line}\n" for line in lines)


def _wrapped(text: str, *, indent: str = "") -> list[str]:
    return textwrap.wrap(
        ascii_only(text), WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )


def render(report: SeriesReport, *, everything: bool = False) -> str:
    """A series as lines of at most 72 bytes of ASCII: versions, what was measured, which patch changed what.

    Metrics that no patch changed are counted, and listed with `everything`.
    """
    lines = _wrapped(_titled(report.series.name, report.series.subject))
    if report.series.change_id:
        lines += _wrapped(f"change-id {report.series.change_id}")
    is_filtered = report.request.filters != Filters()
    for version in report.versions:
        lines += ["", *_version(version), *_fates(version), *_measured(version, filtered=is_filtered)]
        lines += _changes(report.series.name, version)
        if everything:
            for result in version.results:
                lines += ["", *_table(version, result)]
        lines += _told_once(version.results)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _titled(name: str, subject: str) -> str:
    return f"{name}: {subject}" if subject else name


def _version(version: MeasuredVersion) -> list[str]:
    row = version.version
    count = len(version.patches)
    when = f", posted {row.posted_at:%Y-%m-%d}" if row.posted_at else ""
    prefix = f" [{row.prefix}]" if row.prefix else ""
    lines = _wrapped(f"== v{row.version}{prefix}: {counted(count, 'patch')}{when}")
    if row.message_id:
        lines += field("Cover", f"<{row.message_id}>")
    if row.base_commit:
        lines += field("Base", row.base_commit[:12] + (f", measured as {version.base}" if version.base else ""))
    return lines


def _measured(version: MeasuredVersion, *, filtered: bool) -> list[str]:
    lines: list[str] = []
    for place in version.places:
        states = ", ".join(_how_often(ks, *counts) for counts, ks in _together(place).items())
        lines += field("Measured", f"{place.host}: {states}")
    for host, missing in version.gaps.items():
        nothing = "nothing measured fits these options" if filtered else "nothing was measured yet"
        lines += field("Missing", f"{host}: {_states(missing)}" if host else nothing)
    return lines


def _how_often(states: Sequence[int], runs: int, boots: int) -> str:
    told = f"{counted(runs, 'run')} in {counted(boots, 'boot')}"
    return f"{_states(states)}: {told}" + " each" * (len(states) > 1)


def _together(place: Place) -> dict[tuple[int, int], list[int]]:
    """The states by how often they were measured."""
    found: dict[tuple[int, int], list[int]] = {}
    for k in sorted(place.runs):
        found.setdefault((place.runs[k], place.boots.get(k, 0)), []).append(k)
    return found


def _states(numbers: Sequence[int]) -> str:
    """`base, patches 1-4 and 6`."""
    told = ["base"] if 0 in numbers else []
    patches = [k for k in numbers if k]
    runs: list[list[int]] = []
    for k in patches:
        if runs and runs[-1][-1] == k - 1:
            runs[-1].append(k)
        else:
            runs.append([k])
    ranges = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    return ", ".join([*told, *([f"patch {ranges}" if len(patches) == 1 else f"patches {ranges}"] if patches else [])])


_SIGNS = {Fate.SAME: "=", Fate.MOVED: "~", Fate.CHANGED: "!", Fate.NEW: "+", Fate.DROPPED: "-"}


def _fates(version: MeasuredVersion) -> list[str]:
    """The range-diff against the version before: old number, what became of it, new number."""
    if not version.followed:
        return []
    lines = ["", "  old     new   (= same, ~ moved, ! changed, + new, - dropped)"]
    for row in version.followed:
        old, new = (f"{patch.k:>4}" if patch else "   ." for patch in (row.old, row.new))
        lead = f"{old}  {_SIGNS[row.fate]} {new}   "
        subject = (row.new or row.old or version.patches[0]).subject
        lines += textwrap.wrap(
            ascii_only(subject) or "(no mail)",
            WIDTH,
            initial_indent=lead,
            subsequent_indent=" " * len(lead),
            break_on_hyphens=False,
        )
    return [*lines, ""]


def _changes(name: str, version: MeasuredVersion) -> list[str]:
    """Patch by patch, what it changed; then the counts of everything else."""
    lines: list[str] = []
    for patch in version.patches:
        did = [result for result in version.results if patch.k in result.attribution.culprits]
        if not did:
            continue
        lines += ["", *_wrapped(f"Patch {patch.k}/{len(version.patches)} {patch.subject}".rstrip())]
        for _, same in groupby(did, key=lambda result: (result.series.test_case_id, result.series.host)):
            lines += _effects(list(same), patch.k)
        lines += _onward(name, version, patch.k, did)
    vague = [result for result in version.results if result.attribution.suspects]
    if vague:
        lines += ["", "One of several patches:"]
        for result in vague:
            suspects = ", ".join(str(k) for k in result.attribution.suspects)
            lines += _wrapped(f"{_case(result)}: patch {suspects}", indent="  ")
    return [*lines, "", *_wrapped(_counts(version.results))] if version.results else lines


def _onward(name: str, version: MeasuredVersion, k: int, did: Sequence[Result]) -> list[str]:
    """The command that shows the samples behind a named patch; none where a name is too long for a line."""
    since = {result.attribution.patches[k - 1].since for result in did}
    if len(since) != 1:
        return []
    number, before = version.version.version, since.pop()
    base = version.base or f"{name}@v{number}~base"
    line = f"  kvmperf compare {f'{name}@v{number}/{before}' if before else base} {name}@v{number}/{k}"
    return [line] if len(line) <= WIDTH and line.isascii() and " " not in base else []


def _effects(results: Sequence[Result], k: int) -> list[str]:
    """What patch k did to the metrics of one test case on one host."""
    series = results[0].series
    lines = _wrapped(f"{case_line(series.benchmark, sorted(series.params.items()))} on {series.host}", indent="  ")
    for result in results:
        one = result.attribution.patches[k - 1]
        size = "-" if one.effect is None else percent(one.effect)
        cells = f"{size:>10} {bounds(one.ci) if one.ci else '-':>14} {direction(one.effect or 0.0, result.series):<6}"
        unsure = "" if one.posterior is None or one.posterior >= SURE else f" (P {one.posterior:.2f})"
        against = "" if one.since == k - 1 else f" since {_states([one.since])}"
        name = f" {result.series.metric}{unsure}{against}"
        lines += textwrap.wrap(
            ascii_only(name), WIDTH, initial_indent=cells, subsequent_indent=" " * 34, drop_whitespace=True
        )
    return lines


def _case(result: Result) -> str:
    series = result.series
    return f"{series.metric} of {case_line(series.benchmark, sorted(series.params.items()))} on {series.host}"


def _counts(results: Sequence[Result]) -> str:
    found = [result.attribution for result in results]
    named = sum(bool(one.culprits) for one in found)
    vague = sum(bool(one.suspects) and not one.culprits for one in found)
    none = sum(one.none is not None and one.none >= DECIDED and not one.culprits for one in found)
    told = (
        (named, "changed by a patch"),
        (vague, "by one of several"),
        (none, "by none"),
        (len(found) - named - vague - none, "undecided"),
    )
    return f"{counted(len(found), 'metric')}: " + ", ".join(f"{count} {words}" for count, words in told if count) + "."


def _table(version: MeasuredVersion, result: Result) -> list[str]:
    """One metric, patch by patch."""
    lines = _wrapped(_case(result))
    lines.append(f"  {'patch':>5}{'effect':>10}{'95% CI':>18}{'since base':>12}{'P':>8}  same as")
    for one in result.attribution.patches:
        cells = (
            "-" if one.effect is None else percent(one.effect),
            bounds(one.ci) if one.ci else "-",
            "-" if one.cumulative is None else percent(one.cumulative),
            "-" if one.posterior is None else f"{one.posterior:.2f}",
        )
        mark = "*" if one.k in result.attribution.culprits else "?" if one.k in result.attribution.suspects else " "
        widths = (10, 18, 12, 8)
        line = f"{mark} {one.k:>5}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        lines.append(f"{line}  {version.same_as.get(one.k, '')}")
    return [*lines, *_wrapped(result.attribution.why, indent="  ")]


def _told_once(results: Sequence[Result]) -> list[str]:
    found = Counter(warning for result in results for warning in dict.fromkeys(result.warnings))
    lines: list[str] = []
    for text, count in found.most_common():
        more = f" ({count} metrics)" if count > 1 else ""
        said = ascii_only(f"{text[:1].upper()}{text[1:]}{more}")
        lines += textwrap.wrap(said, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
    return lines
