"""MMTests: trees of run-mmtests.sh, machine readable exports, and printed comparison tables.

Only the recognisers live here: the registry asks them about every output, so the rest is imported when one says yes.
"""

import re

from ingest.records import Format, FormatError, Output, Record

TREE = "mmtests"
EXPORT = "mmtests-json"
TABLE = "mmtests-table"
_VERSION = 1
_TABLE_VERSION = 2
_SAMPLED = 1 << 20
_RESULTS = '"_ResultData"'
# `0.0290 (   0.00%)`: every table of compare-mmtests has its base column, which is 0.00 by definition
_BASE_CELL = re.compile(r"-?\d[\d.]{0,40}[ \t]{1,8}[(*][ \t]{0,8}0\.00%[)*]")
_ROW_START = re.compile(
    r"(?:Min|Max|Amean|Hmean|Stddev|CoeffVar|HStddev|HCoeffVar|B[AH]mean|Pctile|Ops|Lat|Significant|\dst-qrtle"
    r"|MB/sec)[ .\d-]"
)


def parse_tree(output: Output) -> list[Record]:
    """The records of one benchmark in one iteration, or of the iteration itself."""
    from ingest.parsers.mmtests import tree

    return tree.parse(output)


def parse_export(output: Output) -> list[Record]:
    """The records of a JSON text that extract-mmtests.pl or compare-mmtests.pl wrote."""
    from ingest.parsers.mmtests import exported

    return exported.parse(output)


def parse_table(output: Output) -> list[Record]:
    """The records of printed comparison tables, one per column: reported, never measured here."""
    from ingest.parsers.mmtests import printed

    return printed.parse(output)


def is_export(output: Output) -> bool:
    """Whether the text is JSON with samples of MMTests."""
    return output.text[:1000].lstrip()[:1] in {"{", "["} and _RESULTS in output.text


def is_table(output: Output) -> bool:
    """Whether a line of the text looks like a row of compare-mmtests."""
    text = output.text[:_SAMPLED]
    return "0.00%" in text and not is_export(output) and any(map(_is_row, text.split("\n")))


def _is_row(line: str) -> bool:
    return "0.00%" in line and _BASE_CELL.search(line) is not None and _ROW_START.search(line) is not None


def only_trees(_output: Output) -> bool:
    """Trees are told by their files, before any text is looked at."""
    return bool(_output.files)


FORMATS = (
    Format(TREE, _VERSION, only_trees, parse_tree),
    Format(EXPORT, _VERSION, is_export, parse_export),
    Format(TABLE, _TABLE_VERSION, is_table, parse_table),
)
__all__ = ["EXPORT", "FORMATS", "TABLE", "TREE", "FormatError"]
