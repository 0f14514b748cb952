"""What options name, held against what is stored: a host or a field that nothing has is an error that helps."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from sqlalchemy import Connection

from db import queries
from db.errors import UnresolvedNameError
from report.names import nearest


def check_host(connection: Connection, glob: str) -> None:
    """Raise UnresolvedNameError where no stored host has a name that the glob takes. An empty one takes all."""
    hosts = queries.host_names(connection)
    if glob and not any(fnmatchcase(host, glob) for host in hosts):
        raise UnresolvedNameError(f"{glob!r}: no host of this name", nearest(glob, hosts))


def check_fields(connection: Connection, vary: Iterable[str]) -> None:
    """Raise UnresolvedNameError for a glob that no field of any stored host state matches.

    Where no state is stored there is nothing to hold it against.
    """
    patterns = tuple(vary)
    fields = queries.state_fields(connection) if patterns else ()
    for pattern in patterns:
        if fields and not any(fnmatchcase(field, pattern) for field in fields):
            raise UnresolvedNameError(
                f"--vary {pattern}: no stored host state has this field", nearest(pattern, fields)
            )
