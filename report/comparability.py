"""Whether two sides were measured on hosts that may be compared, field by field."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from db.hoststate import Difference, Severity, differences


@dataclass(frozen=True, slots=True)
class Comparability:
    """What the host states of two sides mean for a verdict. `why` is a sentence, or empty: nothing against it."""

    severity: Severity | None
    differences: tuple[Difference, ...]
    why: str = ""


def judge(
    base: Collection[int], head: Collection[int], states: Mapping[int, Mapping[str, str]], vary: Iterable[str]
) -> Comparability:
    """Compare the host states (ids, -1 for unknown) that two sides were measured in.

    A field differs where the sets of its values on the two sides differ. Unknown states hinder nothing: what was
    uploaded without host facts is compared, and the report says that nothing is known of its host.
    """
    known = [[states[i] for i in side if i in states] for side in (base, head)]
    if not known[0] or not known[1]:
        return Comparability(None, (), "")
    found = differences(_merged(known[0]), _merged(known[1]), vary)
    for severity in (Severity.BLOCK, Severity.DOWNGRADE):
        grave = [one for one in found if one.severity is severity]
        if grave:
            return Comparability(severity, found, _sentence(grave))
    return Comparability(Severity.NOTE if found else None, found)


def _merged(states: Iterable[Mapping[str, str]]) -> dict[str, str]:
    values: dict[str, set[str]] = {}
    for state in states:
        for field, value in state.items():
            values.setdefault(field, set()).add(value)
    return {field: " | ".join(sorted(seen)) for field, seen in values.items()}


def _sentence(grave: list[Difference]) -> str:
    shown = ", ".join(f"{one.field} {one.left} -> {one.right}" for one in grave[:3])
    more = f" and {len(grave) - 3} more" if len(grave) > 3 else ""
    vary = " ".join(f"--vary {one.field}" for one in grave[:3])
    blocked = grave[0].severity is Severity.BLOCK
    return f"host states differ: {shown}{more}" + ("" if blocked else f"; if that is what you compare: {vary}")
