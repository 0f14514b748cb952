"""What the processors are, from `/proc/cpuinfo` and `lscpu`. Runs on Python 3.8 and imports nothing of ours."""

from __future__ import annotations

import json
import re

_ENTRY = re.compile(r"^([^:\n]+?)\s*:[ \t]*(.*)$", re.MULTILINE)
_LSCPU_NAMES = {
    "cpu.vendor": "Vendor ID",
    "cpu.model": "Model name",
    "cpu.sockets": "Socket(s)",
    "cpu.cores_per_socket": "Core(s) per socket",
    "cpu.threads_per_core": "Thread(s) per core",
}


def cpuinfo(text: str) -> list[dict[str, str]]:
    """The entries of each processor in /proc/cpuinfo."""
    blocks = (dict(_ENTRY.findall(block)) for block in re.split(r"\n\s*\n", text))
    return [block for block in blocks if "processor" in block]


def lscpu(text: str) -> dict[str, str]:
    """The fields of `lscpu -J` (older: flat, newer: with children) or of its text, without the colons."""
    try:
        found: dict[str, str] = {}
        _gather(json.loads(text), found)
    except (ValueError, RecursionError):
        return {} if text.lstrip().startswith("{") else dict(_ENTRY.findall(text))
    return found


def processor_state(processors: list[dict[str, str]], listed: dict[str, str]) -> dict[str, str]:
    """The identity of the processors: what /proc/cpuinfo says, else what lscpu says."""
    state = {field: listed.get(name, "") for field, name in _LSCPU_NAMES.items()}
    state["cpu.family_model_stepping"] = _joined([listed], ("CPU family", "Model", "Stepping"))
    from_cpuinfo = {
        "cpu.vendor": _joined(processors, ("vendor_id",)),
        "cpu.model": _joined(processors, ("model name",)),
        "cpu.family_model_stepping": _joined(processors, ("cpu family", "model", "stepping")),
        "microcode": _joined(processors, ("microcode",)),
        **_topology(processors),
    }
    state.update({field: value for field, value in from_cpuinfo.items() if value})
    return state


def flags(processors: list[dict[str, str]], listed: dict[str, str]) -> set[str]:
    """The feature flags of the first processor."""
    text = processors[0].get("flags", "") if processors else ""
    return set((text or listed.get("Flags", "")).split())


def _gather(node: object, found: dict[str, str]) -> None:
    if isinstance(node, list):
        for one in node:
            _gather(one, found)
    elif isinstance(node, dict):
        if isinstance(node.get("field"), str) and isinstance(node.get("data"), str):
            found.setdefault(node["field"].rstrip(":"), node["data"])
        for one in node.values():
            _gather(one, found)


def _joined(blocks: list[dict[str, str]], names: tuple[str, ...]) -> str:
    """The values of some entries as `6-85-7`; several when the processors are not alike."""
    values = {"-".join(block[name].strip() for name in names) for block in blocks if all(block.get(n) for n in names)}
    return ", ".join(sorted(values))


def _topology(processors: list[dict[str, str]]) -> dict[str, str]:
    sockets = {block["physical id"] for block in processors if "physical id" in block}
    first = processors[0] if processors else {}
    cores, siblings = _number(first.get("cpu cores", "")), _number(first.get("siblings", ""))
    return {
        "cpu.sockets": str(len(sockets) or ""),
        "cpu.cores_per_socket": str(cores or ""),
        "cpu.threads_per_core": str(siblings // cores) if cores and siblings else "",
    }


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0
