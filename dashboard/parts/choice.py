"""Which time series and revisions the Trends page shows: what can be picked, what is picked when nothing was said."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from dashboard.parts.plain import shortened
from dashboard.parts.wording import common_and_own, parameters
from dashboard.state import TrendsView
from db.values import RunCount, SeriesRow
from report.selection import richest_case
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


def settled(view: TrendsView, series: Sequence[SeriesRow], counts: Collection[RunCount]) -> TrendsView:
    """The view with a first choice filled in where nothing was said, and without what is not stored."""
    known = {one.benchmark for one in series}
    benchmark = view.benchmark if view.benchmark in known else ""
    counted = [one for one in counts if benchmark in ("", one.benchmark)]
    if not benchmark:
        view = replace(view, case=(), metric=(), host=())
    richest = richest_case(counted)
    if not richest:
        return replace(view, benchmark=benchmark)
    view = replace(view, benchmark=richest[0])
    if not (view.case or view.metric or view.host):
        view = _first_look(view, [one for one in series if one.test_case_id == richest[1]])
    offered = options(view, series)
    return replace(
        view,
        case=tuple(case for case in view.case if case in offered.case),
        metric=tuple(metric for metric in view.metric if metric in offered.metric),
        host=tuple(host for host in view.host if host in offered.host),
    )


def options(view: TrendsView, series: Sequence[SeriesRow]) -> Options:
    """What can be picked."""
    of_benchmark = [one for one in series if one.benchmark == view.benchmark]
    of_case = [one for one in of_benchmark if not view.case or parameters(one) in view.case]
    return Options(
        benchmark=tuple(sorted({one.benchmark for one in series})),
        case=tuple(dict.fromkeys(parameters(one) for one in of_benchmark)),
        metric=tuple(dict.fromkeys(one.metric for one in of_case)),
        host=tuple(sorted({one.host for one in of_case})),
    )


def case_labels(view: TrendsView, series: Sequence[SeriesRow]) -> dict[str, str]:
    """What the picker calls each test case: only the parameters in which those of the benchmark differ."""
    of_benchmark = [one for one in series if one.benchmark == view.benchmark]
    _, own = common_and_own(of_benchmark)
    return {parameters(one): shortened(told or parameters(one)) for one, told in zip(of_benchmark, own, strict=True)}


def chosen(view: TrendsView, series: Sequence[SeriesRow]) -> list[SeriesRow]:
    """The time series that the view names; an empty picker means all."""
    return [
        one
        for one in series
        if one.benchmark == view.benchmark
        and (not view.case or parameters(one) in view.case)
        and (not view.metric or one.metric in view.metric)
        and (not view.host or one.host in view.host)
    ]


def within(lines: Sequence[Line], names: Mapping[int, str], view: TrendsView) -> list[Line]:
    """The lines cut to the revisions between start and end whose name, kernel or commit contains the text."""
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
