"""How the client sends. Made by `cli`, the only place that reads the environment; no secret is ever written down."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Where uploads go and where they wait. `token` stays in memory; `patience_s` is for all tries together."""

    spool: Path
    server: str = ""
    token: str = field(default="", repr=False)
    tries: int = 5
    patience_s: float = 60.0
    answer_s: float = 600.0  # a large bundle is parsed before it is acknowledged
