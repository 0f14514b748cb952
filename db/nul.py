"""Characters that PostgreSQL's text cannot hold: NUL is stored as its symbol. The raw outputs keep every byte."""

from typing import Any

from psycopg.types.string import StrDumperUnknown

SYMBOL = "\N{SYMBOL FOR NULL}"


class WithoutNul(StrDumperUnknown):
    """Sends a text with the symbol in place of NUL: command lines are cut out of files that may hold anything."""

    def dump(self, obj: str) -> Any:  # Any: the driver's buffer
        """The bytes to send."""
        return super().dump(obj.replace("\0", SYMBOL) if "\0" in obj else obj)


def register(connection: Any) -> None:  # Any: the driver's own connection type
    """Let a connection of psycopg take any text."""
    connection.adapters.register_dumper(str, WithoutNul)
