"""Patch series as plain text for a terminal or a mail: at most 72 columns of ASCII; links stay whole."""

import textwrap
from collections.abc import Sequence

from db.series import PatchSeriesRow
from report.text import WIDTH, ascii_only


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
            told = f"{count} patch{'' if count == 1 else 'es'}{when}" if count else "known from uploads only"
            lines += _wrapped(f"v{version.version}: {told}", indent="  ")
            if version.message_id:
                lines.append(f"      {ascii_only(lore + version.message_id)}")  # a broken link leads nowhere
    return "".join(f"{line}\n" for line in lines)


def _wrapped(text: str, *, indent: str = "") -> list[str]:
    return textwrap.wrap(
        ascii_only(text), WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )
