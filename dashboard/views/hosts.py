"""Hosts: can I trust this machine? When it last spoke, what changed on it, how much its numbers vary by themselves."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from dashboard import loaders
from dashboard.charts.noise import Noise, Spread, noise
from dashboard.page import Context
from dashboard.parts import boxes, tables, wording
from dashboard.parts.folded import folded
from dashboard.parts.link import heading
from dashboard.parts.plain import markdown_text, shortened
from dashboard.state import HostsView, bound, chosen_row, current, on_row, to_set, with_url
from db.errors import UserError
from db.hoststate import Severity, summary_line
from report.hosts import BOOTS, MOST, RUNS, SILENT, HostReport, Stretch, levels, meaning, noise_rows
from report.noise import NoiseReport

_TABLE = "the hosts"
_CHANGES = 500  # rows of one table
_SHOW = f"{BOOTS} boots x {RUNS} runs show"  # the change that so many would tell from noise
_DRAWN = 20  # metrics of one figure: what a screen shows at once


def render(context: Context) -> None:
    """The page."""
    source = context.source
    view = current(HostsView)
    heading("Hosts", view)
    known = loaders.hosts(*source)
    if not known:
        boxes.nothing_stored()
        return
    now = datetime.now(UTC)
    silent = [one for one in known if one.is_silent(now)]
    st.text(
        f"{wording.counted(len(known), 'host')}"
        + (f", {len(silent)} silent for more than {SILENT.days} days." if silent else ", all of them heard of lately.")
    )
    _table(known, view, now)
    chosen = [one for one in known if one.host.name == view.host]
    if view.host and not chosen:
        boxes.problem(UserError(f"{view.host[:80]!r}: no host of this name", "choose one from the table"))
    elif chosen:
        _one(source, chosen[0], view)


def _table(known: Sequence[HostReport], view: HostsView, now: datetime) -> None:
    names = [one.host.name for one in known]
    st.caption("Select a host (its box at the left, or Shift+Space) for its history and its noise.")
    tables.show(
        {
            "host": [shortened(name, 60) for name in names],
            "last upload": [_ago(one, now) for one in known],
            "newest run": [one.host.last for one in known],
            "boots": [one.host.boots for one in known],
            "runs": [one.host.runs for one in known],
            "machine": [shortened(summary_line(one.state)) for one in known],
        },
        selection_mode="single-row",
        key=chosen_row(_TABLE, names.index(view.host) if view.host in names else None),
        on_select=on_row(view, _TABLE, names, "host"),
    )


def _ago(one: HostReport, now: datetime) -> str:
    if one.host.received is None:
        return "never"
    days = one.silent(now).days
    said = "today" if days == 0 else f"{wording.counted(days, 'day')} ago"
    return f"⚠ silent: {said}" if one.is_silent(now) else said


def _one(source: tuple[str, str], one: HostReport, view: HostsView) -> None:
    row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    row.markdown(f"##### {markdown_text(one.host.name)}")
    row.button("Close", icon=":material/close:", type="tertiary", **to_set(view, host="", benchmark=""))
    history = loaders.host_history(*source, one.host.id)
    if history:
        _changes(history, view)
        _now(history[-1])
    else:
        boxes.nothing_here(
            "Nothing is known of this host's state.",
            "`kvmperf facts` on the bench host records it: `upload --host-facts`.",
        )
    _boots(source, one)
    _noise(source, one, view)


def _changes(history: Sequence[Stretch], view: HostsView) -> None:
    """Field by field, newest first: what differs from the state before."""
    rows = [
        (stretch, change)
        for stretch in reversed(history)
        for change in stretch.changed
        if view.notes or change.severity is not Severity.NOTE
    ]
    hidden = sum(change.severity is Severity.NOTE for stretch in history for change in stretch.changed)
    states = len({tuple(sorted(stretch.state.items())) for stretch in history})
    if len(history) == 1:
        st.text("One state, which never changed.")
        return
    st.text(
        f"{wording.counted(states, 'state')}, {wording.counted(len(history) - 1, 'change')} of state; "
        f"what weakens or forbids a comparison is listed, newest first."
    )
    if hidden:
        st.toggle(f"Also the {hidden} that are only mentioned", **bound(view, "notes"))
    if not rows:
        st.text("No field that matters ever changed.")
        return
    tables.show(
        {
            "since": [stretch.first for stretch, _ in rows[:_CHANGES]],
            "boot": [shortened(stretch.boots[0], 60) for stretch, _ in rows[:_CHANGES]],
            "field": [shortened(change.field) for _, change in rows[:_CHANGES]],
            "before": [shortened(change.left) or "(unknown)" for _, change in rows[:_CHANGES]],
            "after": [shortened(change.right) or "(unknown)" for _, change in rows[:_CHANGES]],
            "a difference": [wording.SEVERITIES[change.severity] for _, change in rows[:_CHANGES]],
        },
    )
    if len(rows) > _CHANGES:
        st.caption(f"The newest {_CHANGES} of {len(rows)} changed fields.")


def _now(newest: Stretch) -> None:
    fields = sorted(newest.state)
    folded(
        f"The newest state: {len(fields)} fields",
        "dns",
        "newest state",
        lambda: tables.show(
            {
                "field": [shortened(field) for field in fields],
                "value": [shortened(newest.state[field]) for field in fields],
            },
        ),
    )


def _boots(source: tuple[str, str], one: HostReport) -> None:
    folded(wording.counted(one.host.boots, "boot"), "restart_alt", "boots", lambda: _boots_table(source, one))


def _boots_table(source: tuple[str, str], one: HostReport) -> None:
    rows = list(reversed(loaders.host_boots(*source, one.host.id)))[:_CHANGES]
    tables.show(
        {
            "boot": [shortened(row.boot or "unknown", 60) for row in rows],
            "first run": [row.first for row in rows],
            "last run": [row.last for row in rows],
            "runs": [row.runs for row in rows],
            "host state": ["unknown" if row.state_id is None else str(row.state_id) for row in rows],
        },
    )


@st.fragment
def _noise(source: tuple[str, str], one: HostReport, view: HostsView) -> None:
    """How much numbers vary by themselves. In a fragment: another benchmark leaves the rest of the page alone."""
    view = with_url(view)
    measured = [s for s in loaders.series(*source) if s.host == one.host.name and s.better != "none"]
    benchmarks = sorted({series.benchmark for series in measured})
    st.markdown("##### Noise")
    if not benchmarks:
        boxes.nothing_here("Nothing was measured here yet.", "Runs that fail have no measurements.")
        return
    if view.benchmark not in benchmarks:
        view = replace(view, benchmark=benchmarks[0])
    st.selectbox("Benchmark", benchmarks, format_func=shortened, **bound(view, "benchmark"))
    ids = tuple(series.id for series in measured if series.benchmark == view.benchmark)
    report = _known_first(loaders.noise(*source, ids))
    st.text(meaning(report))
    _drawn(report)
    rows = noise_rows(report)
    _, own = wording.common_and_own([row.series for row in rows])
    tables.show(
        {
            "no.": list(range(1, len(rows) + 1)),
            "metric": [shortened(row.series.metric, 80) for row in rows],
            "test case": [shortened(told, 160) for told in own],
            "within a run": [row.within_run for row in rows],
            "between runs": [row.between_runs for row in rows],
            "between boots": [row.between_boots for row in rows],
            _SHOW: [row.smallest for row in rows],
            "n": [wording.replication(*row.n) for row in rows],
        },
    )
    if len(ids) > MOST:
        st.caption(f"The first {MOST} of {len(ids)} metrics: `kvmperf noise` prints all.")


def _known_first(report: NoiseReport) -> NoiseReport:
    """Metrics whose spread between boots is known stand on top: the others say less."""
    return replace(report, rows=tuple(sorted(report.rows, key=lambda row: row.smallest is None)))


def _drawn(report: NoiseReport) -> None:
    """The same numbers as a picture: which level is the noisy one is seen at once."""
    rows = [(row, found) for row in report.rows if (found := levels(row))]
    if rows:
        drawn = [
            Noise(row.series.metric, (Spread(*found[0]), Spread(*found[1]), Spread(*found[2])), row.smallest)
            for row, found in rows[:_DRAWN]
        ]
        st.vega_lite_chart(
            noise(drawn, _SHOW),
            key="noise",
            alt="Spread of each metric by level; the table below has the same numbers",
        )
    if len(rows) > _DRAWN:
        st.caption(f"The first {_DRAWN} of {len(rows)} metrics are drawn; the table has all of them.")
