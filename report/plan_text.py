"""A plan as text (at most 72 columns) and as JSON lines."""

import json
import textwrap
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from report.plan import Need, PlanReport
from report.text import WIDTH, ascii_only, case_line, described
from report.words import counted

LEGEND = (
    "Boots a side, runs a boot; at worst: where the noise is as large as its 90 % interval allows; or shared: runs a "
    "side inside boots that both sides share (kvm modules reloaded)."
)
_NAME = 29


def render(report: PlanReport) -> str:
    """A table a test case, and one design for most of the metrics."""
    request = report.request
    wanted = f"{100 * request.effect:.3g} % with {100 * request.power:.0f} % power"
    lines = [
        f"Base     : {ascii_only(described(report.base))}",
        f"Head     : {ascii_only(described(report.head))}",
        f"To show  : {wanted}; a boot costs as much as {request.boot_cost:g} runs",
        "",
    ]
    for _, needs in groupby(report.needs, key=lambda need: (need.series.host, need.series.test_case_id)):
        lines += [*_table(list(needs)), ""]
    return "".join(f"{line.rstrip()}\n" for line in [*lines, *_sentences(report)])


def to_json(report: PlanReport) -> str:
    """One object a metric: boots a side, runs a boot, boots at worst, boots measured."""
    return "".join(f"{json.dumps(_object(need, report), allow_nan=False)}\n" for need in report.needs)


def _table(needs: list[Need]) -> Iterator[str]:
    series = needs[0].series
    told = f"{series.host}: {case_line(series.benchmark, sorted(series.params.items()))}"
    yield from textwrap.wrap(ascii_only(told), WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    planned = [need for need in needs if need.boots is not None]
    if planned:
        yield f"{'metric':<{_NAME}}{'boots':>7}{'runs':>6}{'at worst':>10}{'or shared':>11}{'measured':>9}"
    for why, count in Counter(need.why for need in needs if need.boots is None).items():
        yield from textwrap.wrap(
            f"  {count} of {len(needs)} metrics not planned: {why}", WIDTH, subsequent_indent="    "
        )
    for need in planned:
        name = ascii_only(need.series.metric)
        if len(name) >= _NAME:
            yield name
            name = ""
        done = f"{need.measured[0]}/{need.measured[1]}"
        yield f"{name:<{_NAME}}{need.boots:>7}{need.runs:>6}{need.worst:>10}{need.shared or '-':>11}{done:>9}"


def _sentences(report: PlanReport) -> list[str]:
    said = [LEGEND]
    for share, word in ((0.5, "half"), (0.9, "nine in ten"), (1.0, "all")):
        design = report.covering(share)
        if design:
            said.append(
                f"{counted(design[0], 'boot')} a side of {counted(design[1], 'run')} show it in {word} of the metrics."
            )
    unknown = Counter(need.why for need in report.needs if need.boots is None)
    said += [f"Not planned: {count} ({why})." for why, count in unknown.most_common()]
    if all(need.boots is None for need in report.needs):
        said.append("Nothing can be planned yet.")
    return [line for text in said for line in textwrap.wrap(ascii_only(text), WIDTH)]


def _object(need: Need, report: PlanReport) -> dict[str, object]:
    series, request = need.series, report.request
    return {
        "host": series.host,
        "benchmark": series.benchmark,
        "params": dict(series.params),
        "metric": series.metric,
        "effect": request.effect,
        "power": request.power,
        "boots": need.boots,
        "runs": need.runs,
        "boots_at_worst": need.worst,
        "runs_in_shared_boots": need.shared,
        "measured": {"base": need.measured[0], "head": need.measured[1]},
        "why": need.why,
    }
