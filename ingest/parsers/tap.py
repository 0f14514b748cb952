"""TAP 13 and KTAP lines: the tests inside a test, each with its own status."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.parsers.lines import Line
from ingest.records import Record, Status

# `ok 3 - name`, `not ok 4 name # SKIP why`, and the kselftest library's `ok 5 # XFAIL name`
_RESULT = re.compile(
    r"(?P<bad>not )?ok (?P<number>\d{1,7})\b(?: -)?(?P<name>[^#]{0,400})"
    r"(?:# ?(?P<word>SKIP|TODO|XFAIL|XPASS|ERROR|TIMEOUT|exit=\d{1,3})\b(?P<rest>.{0,400}))?"
)
_PLAN = re.compile(r"1\.\.(?P<tests>\d{1,7})\s*\Z")
_RUNNER = "selftests: "
_MOST = 10_000  # results that are read in one run


@dataclass(frozen=True, slots=True)
class Result:
    """One test inside a program: its name, its status, why it was skipped or what was expected, and its line."""

    name: str
    status: Status
    why: str = ""
    line: int = 0


def results(lines: Iterable[Line]) -> list[Result]:
    """What the lines say of each test, in order; of a name that comes again the worst status stays."""
    found: dict[str, Result] = {}
    for line in lines:
        text = line.text
        if text[:3] not in {"ok ", "not"} or _RUNNER in text[:60]:
            continue
        match = _RESULT.match(text)
        if match is None or len(found) >= _MOST:
            continue
        one = _result(match, line)
        known = found.get(one.name)
        if known is None or _BADNESS[one.status] > _BADNESS[known.status]:
            found[one.name] = one
    return list(found.values())


def unreported(lines: Iterable[Line], told: Sequence[Result]) -> int:
    """How many tests the plan (`1..10`) promises beyond those that reported."""
    plans = [int(match["tests"]) for line in lines if line.text[:3] == "1.." and (match := _PLAN.match(line.text))]
    return max(0, max(plans, default=0) - len(told))


def records(parent: Record, told: Iterable[Result]) -> list[Record]:
    """A record per test inside the parent's program, so that each has a history of its own."""
    return [
        Record(
            benchmark=parent.benchmark,
            format=parent.format,
            status=one.status,
            command=parent.command,
            params={**parent.params, "subtest": one.name},
            labels={"why": one.why} if one.why else {},
            warnings=() if one.status is Status.PASS else (_sentence(one),),
            reported=parent.reported,
        )
        for one in told
    ]


_BADNESS = {Status.SKIP: 0, Status.PASS: 1, Status.KILLED: 2, Status.TIMEOUT: 3, Status.FAIL: 4}


def _result(match: re.Match[str], line: Line) -> Result:
    word, rest = match["word"] or "", (match["rest"] or "").strip(" -:\t")
    name = match["name"].strip(" -\t")
    if not name:  # the library puts the directive before the name
        name, rest = rest, ""
    return Result(name[:200] or f"test {match['number']}", _status(match, word), f"{word} {rest}".strip(), line.number)


def _status(match: re.Match[str], word: str) -> Status:
    if word == "SKIP":
        return Status.SKIP
    if word in {"TODO", "XFAIL"}:  # known to fail: it did what was expected
        return Status.PASS
    if word == "TIMEOUT":
        return Status.TIMEOUT
    return Status.FAIL if match["bad"] or word in {"ERROR", "XPASS"} else Status.PASS


def _sentence(one: Result) -> str:
    what = {Status.SKIP: "was skipped", Status.TIMEOUT: "ran into its time limit"}.get(one.status, "failed")
    return f"The test {one.name} {what}{f' ({one.why})' if one.why else ''}."
