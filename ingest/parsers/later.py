"""Rows of the registry whose parsers are loaded when a text could be theirs: most runs need one parser of thirty."""

from collections.abc import Callable, Sequence
from importlib import import_module

from ingest.parsers.lines import sample
from ingest.records import Format, Output


def rows(module: str, names: Sequence[tuple[str, int]], marks: Sequence[str], *, bare: bool = False) -> list[Format]:
    """Rows for the formats that a module keeps in `FORMATS`, by name and version.

    `marks`: strings of which one stands in every text or command line that a format of the module recognises. `bare`:
    its formats are those of texts without a command line.
    """

    def could_be(output: Output) -> bool:
        if bare and output.command:
            return False
        text = f"{sample(output.text)}\n{output.command or ''}"
        return any(mark in text for mark in marks)

    return [_row(module, name, version, could_be) for name, version in names]


def _row(module: str, name: str, version: int, could_be: Callable[[Output], bool]) -> Format:
    def load() -> Format:
        loaded = import_module(f"ingest.parsers.{module}")
        found: Format = next(row for row in loaded.FORMATS if row.name == name)
        return found

    return Format(
        name=name,
        version=version,
        recognises=lambda output: could_be(output) and load().recognises(output),
        parse=lambda output: load().parse(output),
    )
