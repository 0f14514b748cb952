"""How the service runs. Made by `cli.serve`, the only place that reads the environment."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import gettempdir

from ingest.bundle import USUAL, Limits

_UNPACKED = 4  # times the size of the largest upload


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """`incoming` is where uploads lie until they are stored; `requests_per_s` is what one address may ask for.

    `patience_s` is how long the receipt of a body may be behind `slowest_bytes_per_s`.
    `dashboard` is the address that links in feeds lead to; empty: no links.
    """

    database: str
    public_read: bool = False
    dashboard: str = ""
    incoming: Path = field(default_factory=lambda: Path(gettempdir()))
    max_upload_bytes: int = 1 << 30
    max_output_bytes: int = 64 << 20
    patience_s: float = 60.0
    slowest_bytes_per_s: int = 16 << 10
    requests_per_s: float = 50.0
    burst: int = 200
    limits: Limits = USUAL

    def with_uploads_of(self, size: int) -> "ServerSettings":
        """These settings for uploads up to so many bytes. What is allowed unpacked grows with them."""
        unpacked = max(self.limits.total_bytes, _UNPACKED * size)
        return replace(self, max_upload_bytes=size, limits=replace(self.limits, total_bytes=unpacked))
