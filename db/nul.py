"""Characters that PostgreSQL's text cannot hold: NUL is stored as its symbol. The raw outputs keep every byte."""

from typing import Any

SYMBOL = "\N{SYMBOL FOR NULL}"


def shown(words: str) -> str:
    """The text with the symbol in place of NUL."""
    return words.replace("\0", SYMBOL) if "\0" in words else words


def register(connection: Any) -> None:  # Any: the driver's own connection type
    """Let a connection of psycopg take any text: command lines are cut out of files that may hold anything."""
    from psycopg.types.string import StrDumperUnknown  # an extra: SQLite does without

    class WithoutNul(StrDumperUnknown):
        def dump(self, obj: str) -> Any:  # Any: the driver's buffer
            return super().dump(shown(obj))

    connection.adapters.register_dumper(str, WithoutNul)
