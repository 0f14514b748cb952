"""Which time series and revisions the Trends page shows: what can be picked, what is picked when nothing was said."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from dashboard.parts.plain import shortened
from dashboard.parts.wording import common_and_own, parameters
from dashboard.state import TrendsView
from db.values import SeriesRow
from report.trend import Line

_METRICS = 2  # of a first look
_HOSTS = 3


@dataclass(frozen=True, slots=True)
class Options:
    """What each picker offers, given what is picked in those before it."""

    benchmark: tuple[str, ...]
    case: tuple[str, ...]
    metric: tuple[str, ...]
    host: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """All time series by benchmark, with the words for each test case: made once, asked on every run of the page."""

    series: Mapping[str, Sequence[SeriesRow]]
    texts: Mapping[int, str]
    labels: Mapping[str, Mapping[str, str]]


def catalog(series: Sequence[SeriesRow]) -> Catalog:
    """The catalog of these time series. `labels` calls each case by the parameters in which it differs."""
    found: dict[str, list[SeriesRow]] = {}
    cases: dict[str, dict[int, SeriesRow]] = {}
    for one in series:
        found.setdefault(one.benchmark, []).append(one)
        cases.setdefault(one.benchmark, {}).setdefault(one.test_case_id, one)
    labels = {}
    for benchmark, of_benchmark in cases.items():
        _, own = common_and_own(list(of_benchmark.values()))
        told = zip(of_benchmark.values(), own, strict=True)
        labels[benchmark] = {parameters(one): shortened(text or parameters(one)) for one, text in told}
    texts = {number: parameters(one) for of_benchmark in cases.values() for number, one in of_benchmark.items()}
    return Catalog(found, texts, labels)


def settled(view: TrendsView, known: Catalog, richest: Callable[[str], tuple[str, int] | tuple[()]]) -> TrendsView:
    """The view with a first choice filled in where nothing was said, and without what is not stored.

    `richest` names benchmark and test case with the longest history, of one benchmark or of all.
    """
    benchmark = view.benchmark if view.benchmark in known.series else ""
    if not benchmark:
        view = replace(view, case=(), metric=(), host=())
    first = richest(benchmark)
    if not first or first[0] not in known.series:
        return replace(view, benchmark=benchmark)
    view = replace(view, benchmark=first[0])
    if not (view.case or view.metric or view.host):
        view = _first_look(view, [one for one in known.series[first[0]] if one.test_case_id == first[1]])
    offered = options(view, known)
    return replace(
        view,
        case=tuple(case for case in view.case if case in offered.case),
        metric=tuple(metric for metric in view.metric if metric in offered.metric),
        host=tuple(host for host in view.host if host in offered.host),
    )


def options(view: TrendsView, known: Catalog) -> Options:
    """What can be picked."""
    of_benchmark = known.series.get(view.benchmark, ())
    of_case = [one for one in of_benchmark if not view.case or known.texts[one.test_case_id] in view.case]
    return Options(
        benchmark=tuple(sorted(known.series)),
        case=tuple(dict.fromkeys(known.texts[one.test_case_id] for one in of_benchmark)),
        metric=tuple(dict.fromkeys(one.metric for one in of_case)),
        host=tuple(sorted({one.host for one in of_case})),
    )


def chosen(view: TrendsView, known: Catalog) -> list[SeriesRow]:
    """The time series that the view names; an empty picker means all."""
    return [
        one
        for one in known.series.get(view.benchmark, ())
        if (not view.case or known.texts[one.test_case_id] in view.case)
        and (not view.metric or one.metric in view.metric)
        and (not view.host or one.host in view.host)
    ]


def within(lines: Sequence[Line], names: Mapping[int, str], view: TrendsView) -> list[Line]:
    """The lines cut to the revisions between start and end whose name, kernel or commit contains the text."""
    if not (view.start or view.end or view.revision):
        return list(lines)
    order = {name: position for position, name in enumerate(names.values())}
    first, last = order.get(view.start, 0), order.get(view.end, len(order))
    kept = []
    for line in lines:
        points = tuple(
            point
            for point in line.points
            if first <= order[names[point.revision.id]] <= last
            and any(
                view.revision in text
                for text in (names[point.revision.id], point.revision.kernel, point.revision.commit)
            )
        )
        if points:
            kept.append(replace(line, points=points))
    return kept


def _first_look(view: TrendsView, series: Sequence[SeriesRow]) -> TrendsView:
    """One test case, few metrics that have a direction, few hosts: a plot that can be read."""
    judged = [one for one in series if one.better != "none"] or list(series)
    timed = [one for one in judged if one.unit == "s"] or judged
    metrics = tuple(dict.fromkeys(one.metric for one in timed))[:_METRICS]
    hosts = tuple(dict.fromkeys(one.host for one in series))[:_HOSTS]
    return replace(view, case=(parameters(series[0]),) if series else (), metric=metrics, host=hosts)
