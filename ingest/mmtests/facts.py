"""Host facts from the dumps that run-mmtests.sh leaves in every iteration.

What MMTests does not dump (transparent huge pages, microcode, the kernel's command line where there is no dmesg) stays
unknown; nothing is taken from the machine that reads the tree.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from ingest.errors import FormatError
from ingest.hostfacts import HostFacts
from ingest.hostfacts.collect import collect
from ingest.hostfacts.sources import Source
from ingest.parsers.mmtests.unpack import SUFFIXES, unpacked

_DUMPS = ("cpu-vulnerabilities.txt", "vm-tuning.txt", "kernel-tuning.txt", "network-tuning.txt", "sysctl-tuning")
_DUMPED = re.compile(r"(?P<path>/(?:proc|sys)/[^:\n]{1,300}):(?P<text>.*)")
_BLOCK_END = re.compile(r"^(?:file (?:start|end)|test (?:begin|end)|time) ::", re.MULTILINE)
_CPU = "/sys/devices/system/cpu"
_BOOT_LINE = re.compile(r"^-- Boot (?P<boot>[0-9a-f]{32}) --", re.MULTILINE)
_COMMAND_LINE = re.compile(r"(?:Kernel c|C)ommand line: (?P<text>.*)")
_CLOCKSOURCE = re.compile(r"clocksource: Switched to clocksource (?P<name>[\w-]+)")
_LIMIT = 32 << 20


def read_facts(iteration: Path) -> HostFacts:
    """The facts in an iteration's dumps. Never raises: what is missing or damaged is unknown."""
    source = _Dumps(iteration)
    facts = collect(source)
    system = re.search(r'^PRETTY_NAME="?([^"\n]*)', source.dump("os-release"), re.MULTILINE)
    readings = {**facts.readings, **({"os": system.group(1)} if system else {})}
    return replace(facts, readings=readings, boot_id=facts.boot_id or source.boot_in_journal)


class _Dumps(Source):
    """Answers by the paths of the running machine from the dumps of one iteration."""

    def __init__(self, iteration: Path) -> None:
        super().__init__()
        self._iteration = iteration

    def raw(self, path: str) -> bytes:
        """What was dumped of the file."""
        return self._files.get(path, "").encode()

    def names(self, path: str) -> list[str]:
        """The names below a folder of which anything was dumped."""
        start = f"{path.rstrip('/')}/"
        return sorted({name[len(start) :].partition("/")[0] for name in self._files if name.startswith(start)})

    def command(self, name: str) -> str:
        """The dumped output of lscpu, or the kernel's log."""
        if name == "lscpu":
            return self.dump("lscpu.txt")
        return self.dump("dmesg") or self.dump("journalctl-kernel")

    def uname(self) -> str:
        """What `uname -a` said."""
        return self.dump("kernel.version").strip()

    def dump(self, name: str) -> str:
        """The text of a dump, plain or packed; "" when it is missing or damaged."""
        for suffix in (*SUFFIXES, ""):
            path = self._iteration / f"{name}{suffix}"
            try:
                raw = path.read_bytes() if path.is_file() and path.stat().st_size < _LIMIT else b""
                if raw:
                    return unpacked(raw, path.name, _LIMIT).decode("utf-8", errors="replace")
            except (OSError, FormatError):
                self.unreadable.add(path.name)
        return ""

    @cached_property
    def boot_in_journal(self) -> str:
        """The boot that journalctl names, where it names exactly one."""
        found = set(_BOOT_LINE.findall(self.dump("journalctl-kernel")))
        return found.pop() if len(found) == 1 else ""

    @cached_property
    def _files(self) -> dict[str, str]:
        files: dict[str, str] = {}
        for dump in _DUMPS:
            for match in _DUMPED.finditer(self.dump(dump)):
                known = files.get(match["path"])  # a file of several lines is dumped line by line
                files[match["path"]] = match["text"] if known is None else f"{known}\n{match['text']}"
        for part in (self._memory, self._processors, self._frequency, self._idle, self._kernel):
            files.update(part())
        return {path: text for path, text in files.items() if text}

    def _memory(self) -> Iterator[tuple[str, str]]:
        """The first /proc/meminfo in tests-sysstate, and the nodes that numactl counts."""
        sysstate = self.dump("tests-sysstate")
        start = sysstate.find("file start :: /proc/meminfo\n")
        if start >= 0:
            block = sysstate[start:].partition("\n")[2]
            end = _BLOCK_END.search(block)
            yield "/proc/meminfo", block[: end.start()] if end else block
        for node in re.findall(r"^node (\d{1,6}) size:", self.dump("numactl.txt"), re.MULTILINE):
            yield f"/sys/devices/system/node/node{node}/numastat", "dumped"

    def _processors(self) -> Iterator[tuple[str, str]]:
        """Which CPUs are online, and where the kernel's log knows it its clocksource and command line."""
        online = re.search(r"^On-line CPU\(s\) list:\s+(\S+)", self.dump("lscpu.txt"), re.MULTILINE)
        yield f"{_CPU}/online", _ranges(online.group(1)) if online else ""
        log = self.command("dmesg")
        command_line, clocksources = _COMMAND_LINE.search(log), _CLOCKSOURCE.findall(log)
        yield "/proc/cmdline", command_line["text"].strip() if command_line else ""
        place = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
        yield place, clocksources[-1] if clocksources else ""

    def _frequency(self) -> Iterator[tuple[str, str]]:
        """Driver, governor and limits of the first CPU in cpupower's words, and whether it boosts."""
        text = self.dump("cpupower.txt")
        policy = f"{_CPU}/cpufreq/policy0"
        for name, pattern in (
            ("scaling_driver", r"^\s+driver: ([\w-]+)"),
            ("scaling_governor", r'The governor "([\w-]+)" may decide'),
        ):
            found = re.search(pattern, text, re.MULTILINE)
            yield f"{policy}/{name}", found.group(1) if found else ""
        boost = re.search(r"boost state support:\s+Supported: yes\s+Active: (yes|no)", text)
        yield f"{_CPU}/cpufreq/boost", {"yes": "1", "no": "0"}[boost.group(1)] if boost else ""

    def _idle(self) -> Iterator[tuple[str, str]]:
        text = self.dump("cpuidle.txt")
        for what in ("driver", "governor"):
            found = re.search(rf"^CPUidle {what}: ([\w-]+)", text, re.MULTILINE)
            yield f"{_CPU}/cpuidle/current_{what}", found.group(1) if found else ""

    def _kernel(self) -> Iterator[tuple[str, str]]:
        """The kernel's configuration under the release that runs, and its preemption mode."""
        words = self.uname().split()
        release = words[2] if len(words) > 2 else ""
        if re.fullmatch(r"[\w.+~-]{1,100}", release):
            yield f"/boot/config-{release}", self.dump(f"kconfig-{release}.txt")
        yield "/sys/kernel/debug/sched/preempt", self.dump("preempt-dynamic").strip()


def _ranges(cpus: str) -> str:
    """A list of CPUs as the kernel writes it: lscpu says `0,1` where /sys says `0-1`."""
    found: list[list[int]] = []
    for word in cpus.split(","):
        first, _, last = word.partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()) or len(word) > 12:
            return cpus
        low, high = int(first), int(last or first)
        if found and found[-1][1] + 1 == low:
            found[-1][1] = high
        else:
            found.append([low, high])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in found)
