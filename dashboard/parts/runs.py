"""Lists of runs, each row a way to its Run page."""

from collections.abc import Mapping, Sequence

from dashboard.parts import tables
from dashboard.parts.plain import shortened
from dashboard.state import RunView, chosen_row, on_row
from db.run_queries import RunLine
from report.text import case_line

ENDINGS = ("any", "not pass", "pass", "fail", "skip", "timeout", "killed")
_ICONS = {"pass": ":material/check:", "skip": ":material/skip_next:"}


def icon(status: str) -> str:
    """The sign beside the word of a status."""
    return _ICONS.get(status, ":material/close:")


def table(lines: Sequence[RunLine], names: Mapping[int, str], view: RunView, key: str, current: int = 0) -> None:
    """The runs; choosing one opens it. The current one is marked."""
    tables.show(
        columns(lines, names, current),
        selection_mode="single-row",
        key=chosen_row(key, None),
        on_select=on_row(view, key, [str(one.id) for one in lines], "run", keeps=True),
    )


def columns(lines: Sequence[RunLine], names: Mapping[int, str], current: int = 0) -> dict[str, list[object]]:
    """The runs as columns."""
    return {
        "run": [f"▶ {one.id}" if one.id == current else str(one.id) for one in lines],
        "ended": [one.status for one in lines],
        "started": [one.started_at for one in lines],
        "revision": [shortened(names.get(one.revision_id, ""), 60) for one in lines],
        "test case": [shortened(case_line(one.benchmark, sorted(one.params.items())), 160) for one in lines],
        "host": [shortened(one.host, 60) for one in lines],
        "boot": [shortened(one.boot, 60) for one in lines],
        "file": [shortened(one.source, 120) for one in lines],
    }
