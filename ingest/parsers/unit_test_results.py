"""Which of the kvm-unit-tests passed: the summary of run_tests.sh, its TAP form, and the log of a single test."""

import re
from collections.abc import Iterable, Sequence

from ingest.parsers import tap
from ingest.parsers.draft import MAX_RUNS
from ingest.parsers.lines import MARGIN, Line, Stripped, clean, is_mail, sample, stripped_sentence
from ingest.parsers.tap import Result
from ingest.parsers.unit_test_output import SUITE, test_options
from ingest.records import Format, FormatError, Output, Record, Status

NAME = "kvm-unit-tests"
_WORDS = {"PASS": Status.PASS, "FAIL": Status.FAIL, "SKIP": Status.SKIP}
_SUMMARY = re.compile(r"(?P<word>PASS|FAIL|SKIP) (?P<name>[A-Za-z][\w.+-]{0,80})(?: \((?P<rest>.{1,400})\))?\s*\Z")
_COUNT = re.compile(
    r"(?P<number>\d{1,9}) (?P<what>tests|unexpected failures|expected failures|unexpected passes|skipped)\b"
)
_TIMEOUT = re.compile(r"timeout; duration=(?P<limit>\w{1,20})")
_SIGNAL = re.compile(r"terminated on (?P<signal>SIG[A-Z0-9]{2,12})")
_TAP = re.compile(
    r"(?P<bad>not )?ok \d{1,7} - (?P<test>[A-Za-z][\w.+-]{0,80}): (?P<name>.{1,400}?)(?P<skip> # skip)?\s*\Z"
)
_ONE = re.compile(r"(?P<word>PASS|FAIL|SKIP|XFAIL|XPASS): (?P<name>.{1,400})\Z")
_TOTAL = re.compile(r"SUMMARY: (?P<rest>\d{1,9} tests.{0,200})\Z")
_STATUSES = {**_WORDS, "XFAIL": Status.PASS, "XPASS": Status.FAIL}
_IN_SUMMARY = re.compile(
    MARGIN + r"(?:PASS|FAIL|SKIP) [\w.+-]{1,80} \((?:\d{1,9} tests|timeout; duration=|terminated on SIG)",
    re.MULTILINE,
)
_IN_LOG = re.compile(MARGIN + r"SUMMARY: \d{1,9} tests", re.MULTILINE)
_IN_TAP = re.compile(r"^(?:not )?ok \d{1,7} - [A-Za-z][\w.+-]{0,80}: ", re.MULTILINE)
_KERNEL = re.compile(r"(?:\S*/)?(?P<name>[\w.+-]{1,80})\.(?:flat|efi|elf|bin)\b")
_RUNNER = "run_tests.sh"


def _parse(output: Output) -> list[Record]:
    # the runner colours its words: the codes are gone after cleaning
    lines = clean(output.text)
    records = _of_log(lines, output) if _IN_LOG.search(sample(output.text)) else _of_runner(lines, output)
    if not records:
        raise FormatError(output.source, 0, "holds no result of kvm-unit-tests", f"pass what {_RUNNER} printed")
    if len(records) > MAX_RUNS:
        raise FormatError(output.source, 0, f"more than {MAX_RUNS} results in one text", "pass one round of tests")
    return records


def _of_runner(lines: Sequence[Line], output: Output) -> list[Record]:
    reported = is_mail(list(lines))
    found: list[Record] = []
    grouped: dict[str, dict[str, Result]] = {}
    for line in lines:
        if match := _SUMMARY.match(line.text):
            found.append(_summary(match, line, output, reported=reported))
        elif match := _TAP.match(line.text):
            one = _tap_result(match, line)
            tests = grouped.setdefault(match["test"], {})
            known = tests.get(one.name)
            tests[one.name] = one if known is None or known.status is Status.PASS else known
        if len(found) > MAX_RUNS:
            break
    for test, tests in grouped.items():
        parent = _record(test, _worst(tests.values()), output)
        found += [parent, *tap.records(parent, tests.values())]
    return found


def _summary(match: re.Match[str], line: Line, output: Output, *, reported: bool) -> Record:
    status, rest = _WORDS[match["word"]], match["rest"] or ""
    labels, why = _counts(rest), rest
    if limit := _TIMEOUT.search(rest):
        status, why = Status.TIMEOUT, f"it ran into its time limit of {limit['limit']}"
    elif signal := _SIGNAL.search(rest):
        status, why = Status.KILLED, f"it was ended by {signal['signal']}"
    if not labels and rest:
        labels = {"reason": rest[:200]}
    warnings = () if status is Status.PASS else (_sentence(match["word"], why),)
    cleaned = stripped_sentence((line.stripped,))
    return _record(
        match["name"],
        status,
        output,
        labels=labels,
        warnings=(*warnings, *((cleaned,) if cleaned else ())),
        reported=reported or Stripped.QUOTE in line.stripped,
    )


def _sentence(word: str, why: str) -> str:
    return f"{'Skipped' if word == 'SKIP' else 'Failed'}: {why}." if why else f"The runner says {word} and no more."


def _counts(text: str) -> dict[str, str]:
    return {match["what"].replace(" ", "_"): match["number"] for match in _COUNT.finditer(text)}


def _tap_result(match: re.Match[str], line: Line) -> Result:
    status = Status.FAIL if match["bad"] else Status.SKIP if match["skip"] else Status.PASS
    return Result(match["name"].strip()[:200], status, "", line.number)


def _worst(told: Iterable[Result]) -> Status:
    statuses = {one.status for one in told}
    return Status.FAIL if Status.FAIL in statuses else Status.SKIP if statuses == {Status.SKIP} else Status.PASS


def _of_log(lines: Sequence[Line], output: Output) -> list[Record]:
    """The log of one test: its name stands in the command line or is that of the file."""
    told: dict[str, Result] = {}
    labels: dict[str, str] = {}
    for line in lines:
        if match := _ONE.match(line.text):
            name = match["name"].strip()[:200]
            if name not in told or _STATUSES[match["word"]] is Status.FAIL:
                told[name] = Result(name, _STATUSES[match["word"]], "", line.number)
        elif total := _TOTAL.match(line.text):
            labels = _counts(total["rest"])
    status = Status.FAIL if labels.get("unexpected_failures", "0") != "0" else _worst(told.values())
    if labels.get("tests") == labels.get("skipped", "none"):
        status = Status.SKIP
    test = _name(output)
    if not test:
        raise FormatError(
            output.source, 0, "the log of a unit test that nothing names", "name the file TEST.log, or add TEST.cmd"
        )
    warnings = ("A test inside failed.",) if status is Status.FAIL else ()
    parent = _record(test, status, output, labels=labels, warnings=warnings, reported=is_mail(list(lines)))
    return [parent, *tap.records(parent, list(told.values())[:MAX_RUNS])]


def _name(output: Output) -> str:
    for word in (output.command or "").split():
        if word.startswith("TESTNAME="):
            return word.removeprefix("TESTNAME=")[:80]
    kernel = _KERNEL.search(output.command or "")
    if kernel is not None:
        return kernel["name"]
    name = output.source.rsplit("/", 1)[-1]
    return name[:-4][:80] if name.endswith(".log") else ""


def _record(
    name: str,
    status: Status,
    output: Output,
    labels: dict[str, str] | None = None,
    warnings: tuple[str, ...] = (),
    *,
    reported: bool = False,
) -> Record:
    command = (output.command or "").strip()
    return Record(
        benchmark=f"{SUITE}/{name}",
        format=NAME,
        status=status,
        command=command,
        params={} if _RUNNER in command else test_options(command),
        labels=labels or {},
        warnings=warnings if status is Status.PASS or warnings else ("A test inside did not pass.",),
        reported=reported,
    )


def _recognises(output: Output) -> bool:
    if _RUNNER in (output.command or ""):
        return True
    text = sample(output.text)
    if "\x1b[" in text[:4096]:
        text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    if "selftests: " in text:
        return False
    is_tap = text.startswith("TAP version 13") and _IN_TAP.search(text) is not None
    return is_tap or _IN_SUMMARY.search(text) is not None or _IN_LOG.search(text) is not None


FORMATS = (Format(name=NAME, version=1, recognises=_recognises, parse=_parse),)
