"""What the readers of CSV files share: where a row stands in its file, and what a cell is. For messages only."""

import csv
from pathlib import Path


def is_number(text: str) -> bool:
    """Whether a cell holds a number, as Python spells them."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def line_of(path: Path, row: int) -> int:
    """Return the line of the file that the row (counted from 0, without empty lines) ends on. For messages only."""
    with path.open(newline="", encoding="utf-8-sig") as handle:
        lines = csv.reader(handle)
        next(lines)
        for count, _ in enumerate(filter(None, lines)):
            if count == row:
                break
        return lines.line_num
