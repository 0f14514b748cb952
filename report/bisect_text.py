"""A bisection as plain text and JSON: at most 72 columns of ASCII. Pure."""

import json
import textwrap
from collections.abc import Mapping, Sequence

from report.bisect import Search
from report.words import WIDTH, ascii_only, case_line, counted, direction, percent
from stats.units import show


def status(found: Search, commits: Sequence[str]) -> str:
    """Where the search stands, in one line."""
    if not found.posterior:
        return "measuring good and bad"
    runs = counted(found.runs, "run")
    if not found.differs:
        return f"good and bad do not differ with probability {found.posterior:.2f} after {runs}"
    more = f" (one of {found.last - found.first})" if found.last - found.first > 1 else ""
    return f"first bad {commits[found.last][:12]}{more} with probability {found.posterior:.2f} after {runs}"


def answer(found: Search, commits: Sequence[str], subject: str) -> str:
    """The result, for people and for `grep`."""
    if not found.differs:
        return f"good and bad do not differ (probability {found.posterior:.2f})\n"
    first = commits[found.last]
    lines = [f"{first} is the first bad commit"] if found.last - found.first == 1 else []
    lines = lines or ["the first bad commit is one of:", *reversed(commits[found.first + 1 : found.last + 1])]
    lines += textwrap.wrap(ascii_only(subject), WIDTH, initial_indent="    ", subsequent_indent="    ")
    lines.append(
        f"probability {found.posterior:.3f} after {counted(found.runs, 'run')} of {counted(len(found.spots), 'commit')}"
    )
    if found.series and found.effect is not None:
        series = found.series
        word = direction(found.effect, series)
        told = f"{series.metric} of {case_line(series.benchmark, sorted(series.params.items()))} on {series.host}"
        lines += textwrap.wrap(ascii_only(f"{percent(found.effect)} {word}: {told}"), WIDTH, subsequent_indent="  ")
    return "".join(f"{line}\n" for line in lines)


def render(found: Search, subjects: Mapping[str, str], commits: Sequence[str], skipped: int) -> str:
    """Commit by commit: runs, level, the chance that it is bad."""
    lines = [f"{counted(len(commits) - 1, 'commit')} between good and bad, {skipped} of them cannot be tested"]
    if found.series is None:
        return f"{lines[0]}\nnothing was measured yet\n"
    lines += ["", f"{'place':>5}  {'commit':<12}{'runs':>5}{'median':>11}{'bad':>6}  subject"]
    for spot in found.spots:
        level = "-" if spot.median is None else show(spot.median, found.series.unit)
        bad = "-" if spot.bad is None else f"{spot.bad:.2f}"
        lead = f"{spot.place:>5}  {spot.commit[:12]}{spot.runs:>5}{level:>11}{bad:>6}  "
        told = ascii_only(subjects.get(spot.commit, ""))
        lines += textwrap.wrap(
            told or "-", WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False
        )
    return "".join(f"{line}\n" for line in [*lines, "", status(found, commits)])


def to_json(found: Search) -> str:
    """One object a commit."""
    return "".join(
        json.dumps(
            {"place": s.place, "commit": s.commit, "runs": s.runs, "median": s.median, "bad": s.bad}, allow_nan=False
        )
        + "\n"
        for s in found.spots
    )
