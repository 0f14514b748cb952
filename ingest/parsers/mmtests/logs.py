"""The files of one benchmark as the readers see them: base names, lines, each file unpacked once and within limits."""

from collections.abc import Mapping

from ingest.parsers.mmtests.unpack import MAX_BYTES, SUFFIXES, unpacked
from ingest.records import FormatError

_LOGS = "logs/"
MAX_TOTAL = 512 << 20


class Logs:
    """The files in `<benchmark>/logs/` by base name; of NAME.gz, NAME.xz and NAME the first one counts, as in MMTests.

    `beside` holds files of the iteration (numactl.txt) by base name.
    """

    def __init__(self, benchmark: str, files: Mapping[str, bytes], source: str) -> None:
        self._benchmark = benchmark
        self._source = source
        self._budget = MAX_TOTAL
        folder = f"{benchmark}/{_LOGS}"
        self._logs = _by_base_name({name[len(folder) :]: raw for name, raw in files.items() if name.startswith(folder)})
        self._beside = _by_base_name({name: raw for name, raw in files.items() if "/" not in name})

    @property
    def names(self) -> list[str]:
        """The base names of all logs, sorted."""
        return sorted(self._logs)

    def place(self, name: str) -> str:
        """Where a log lies, for messages."""
        return f"{self._source}/{_LOGS}{name}"

    def text(self, name: str) -> str:
        """The text of a log; empty when there is none."""
        return self._text(self._logs, name, _LOGS)

    def lines(self, name: str) -> list[str]:
        """The lines of a log."""
        return self.text(name).split("\n")

    def beside(self, name: str) -> str:
        """The text of a file of the iteration; empty when there is none."""
        return self._text(self._beside, name, "../")

    def _text(self, files: Mapping[str, tuple[str, bytes]], name: str, folder: str) -> str:
        if name not in files:
            return ""
        real_name, raw = files[name]
        content = unpacked(raw, f"{self._source}/{folder}{real_name}", min(MAX_BYTES, self._budget))
        self._budget -= len(content)
        if self._budget <= 0:
            raise FormatError(self._source, 0, f"its logs unpack to more than {MAX_TOTAL >> 20} MiB", "upload a part")
        return content.decode("utf-8", errors="replace")


def _by_base_name(files: Mapping[str, bytes]) -> dict[str, tuple[str, bytes]]:
    found: dict[str, tuple[str, bytes]] = {}
    for suffix in ("", *reversed(SUFFIXES)):  # a later one wins: .gz before .xz before plain
        for name, raw in files.items():
            if suffix and name.endswith(suffix):
                found[name.removesuffix(suffix)] = (name, raw)
            elif not suffix and not name.endswith(SUFFIXES):
                found[name] = (name, raw)
    return found
