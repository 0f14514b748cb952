"""Verdicts as JUnit XML, which every CI system reads: one test case a judged thing. Pure."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from report.comparison import Report, Row
from report.words import case_line, percent
from stats.policy import Verdict

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Outcome(StrEnum):
    """What a CI system shows."""

    PASSED = "passed"
    FAILED = "failure"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Case:
    """One test case: `group` becomes its class name. The message is one line, the text any number."""

    group: str
    name: str
    outcome: Outcome
    message: str = ""
    text: str = ""


def render(suite: str, cases: Sequence[Case]) -> str:
    """The XML document of one suite."""
    failed = sum(one.outcome is Outcome.FAILED for one in cases)
    skipped = sum(one.outcome is Outcome.SKIPPED for one in cases)
    counts = {"tests": str(len(cases)), "failures": str(failed), "errors": "0"}
    root = ET.Element("testsuites", {"name": suite, **counts, "time": "0"})
    inside = ET.SubElement(root, "testsuite", {"name": suite, **counts, "skipped": str(skipped), "time": "0"})
    for one in cases:
        about = {"classname": _clean(one.group), "name": _clean(one.name), "time": "0"}
        element = ET.SubElement(inside, "testcase", about)
        if one.outcome is Outcome.PASSED:
            continue
        told = {"message": _clean(one.message)}
        if one.outcome is Outcome.FAILED:
            told["type"] = "regression"
        ET.SubElement(element, one.outcome.value, told).text = _clean(one.text) or None
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def of_comparison(report: Report) -> str:
    """A comparison: regressions fail, what could not be judged is skipped, the rest passes."""
    return render("kvmperf compare", [_case(row) for row in report.rows])


def _case(row: Row) -> Case:
    series, result = row.series, row.result
    test = case_line(series.benchmark, sorted(series.params.items()))
    name = f"{test} {series.metric} on {series.host}, {row.head} against {row.base}"
    group = series.benchmark.replace("/", ".")
    if result.verdict is Verdict.REGRESSION:
        size = percent(result.effect) if result.effect is not None else ""
        return Case(group, name, Outcome.FAILED, f"regression {size}".strip(), result.why)
    if result.verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_COMPARABLE):
        return Case(group, name, Outcome.SKIPPED, f"{result.verdict.value}: {result.why}")
    return Case(group, name, Outcome.PASSED)


def _clean(text: str) -> str:
    """Without what XML cannot hold: names come from uploads."""
    return _NOT_XML.sub("?", text)
