"""The figure of an alert: what moved, before and after, at a glance."""

import streamlit as st

from dashboard import alerting, loaders
from dashboard.charts.moved import MovedLine, MovedPoint, moved
from dashboard.page import Context
from dashboard.parts.plain import shortened
from db.alert_queries import Group, Member
from report.scales import axis_scale, with_unit
from report.trend import Line

_DRAWN = 12  # time series of one figure
_BEFORE, _AFTER = 30, 60  # revisions


def draw(context: Context, group: Group) -> None:
    """The clearest time series of the alert; nothing where none has levels to compare."""
    members = {one.series.id: one for one in (group.live or group.members)[:_DRAWN] if one.before > 0}
    if group.base is None or group.head is None or not members:
        return
    lines = [line for line in loaders.lines(*context.source, tuple(sorted(members))) if line.points]
    measured = {point.revision.id for line in lines for point in line.points} | {group.base.id, group.head.id}
    order = [one for one in alerting.followed(context.url, group.base.id) if one in measured]
    if group.base.id not in order or group.head.id not in order:
        return
    base, head = order.index(group.base.id), order.index(group.head.id)
    start = max(0, base - _BEFORE)
    shown = {revision: at for at, revision in enumerate(order[start : head + _AFTER])}
    drawn = [_line(line, members[line.series.id], shown) for line in lines]
    names = loaders.names(*context.source)
    st.vega_lite_chart(
        moved(drawn, [names[one] for one in shown], (base - start, head - start)),
        key="moved",
        alt="What moved, revision by revision, against its level before the change; the table below has the numbers",
    )
    total = len(group.live or group.members)
    if total > len(members):
        st.caption(f"The clearest {len(members)} of {total} time series.")


def _line(line: Line, member: Member, shown: dict[int, int]) -> MovedLine:
    series = line.series
    return MovedLine(
        series.metric,
        series.host,
        tuple(
            MovedPoint(
                shown[point.revision.id],
                point.level.value / member.before,
                shortened(with_unit(point.level.value, *axis_scale((point.level.value,), series.unit))),
            )
            for point in line.points
            if point.revision.id in shown
        ),
    )
