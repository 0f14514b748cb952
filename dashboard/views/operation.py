"""Operation: is the system well? What comes in, what could not be read, how much is stored, who may send."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import alerting, loaders
from dashboard.page import Context
from dashboard.parts import boxes, tables, wording
from dashboard.parts.folded import folded
from dashboard.parts.link import heading
from dashboard.parts.plain import markdown_text, shortened
from dashboard.parts.raw import excerpt, to_html
from dashboard.state import OperationView, chosen_row, current, on_row
from report.operation import OperationReport, by_day, token_states

_TABLE = "the quarantine"
_ROWS = 500


def render(context: Context) -> None:
    """The page."""
    source = context.source
    view = current(OperationView)
    heading("Operation", view)
    report = loaders.operation(*source)
    _stored(report)
    if not report.uploads:
        boxes.nothing_stored()
    else:
        _incoming(report)
    _quarantine(source, report, view)
    _outbox(context.url)
    _tokens(report)
    _acts(report)


def _stored(report: OperationReport) -> None:
    size = report.sizes
    told = ", ".join(f"{count:,} {name}".replace(",", "\u202f") for name, count in report.amounts.items())
    packed = f"{_mib(size.raw)} of raw outputs, compressed to {_mib(size.packed)}" if size.raw else "no raw outputs"
    schema = "the newest" if report.schema == report.newest_schema else f"this kvmperf knows {report.newest_schema}"
    st.text(f"Stored: {told}.\nSize: {_mib(size.database)}, with {packed}.\nSchema: {report.schema}, {schema}.")


def _mib(count: int) -> str:
    return f"{count / (1 << 20):.1f} MiB" if count >= 1 << 20 else f"{count / 1024:.1f} KiB"


def _incoming(report: OperationReport) -> None:
    st.markdown("##### Uploads")
    days = by_day(report.uploads)
    tables.show(
        {
            "day (UTC)": list(days),
            "uploads": [uploads for uploads, _ in days.values()],
            "outputs": [captures for _, captures in days.values()],
        },
    )
    folded(
        f"The newest {wording.counted(len(report.uploads), 'upload')}",
        "upload",
        "newest uploads",
        lambda: tables.show(
            {
                "received": [one.received_at for one in report.uploads],
                "from": [shortened(one.origin, 80) for one in report.uploads],
                "outputs": [one.captures for one in report.uploads],
                "quarantined": [one.quarantined for one in report.uploads],
            },
        ),
    )


def _quarantine(source: tuple[str, str], report: OperationReport, view: OperationView) -> None:
    st.markdown("##### Quarantine")
    found = report.quarantined
    if not found:
        st.text("Every output that was uploaded could be read.")
        return
    st.text("\n".join(f"{count} x {shortened(reason, 200)}" for reason, count in report.reasons[:10]))
    shown = found[:_ROWS]
    ids = [str(one.capture_id) for one in shown]
    st.caption("Kept, and read again by newer parsers. Select one to see its text.")
    tables.show(
        {
            "file": [shortened(one.source, 120) for one in shown],
            "reason": [shortened(one.reason) for one in shown],
            "host": [shortened(one.host, 60) for one in shown],
            "received": [one.received_at for one in shown],
            "bytes": [one.size for one in shown],
        },
        selection_mode="single-row",
        key=chosen_row(_TABLE, ids.index(view.capture) if view.capture in ids else None),
        on_select=on_row(view, _TABLE, ids, "capture"),
    )
    if view.capture in ids:
        _text(source, int(view.capture))


def _text(source: tuple[str, str], capture: int) -> None:
    for name, content in loaders.capture_files(*source, capture).items():
        st.caption(markdown_text(name))
        st.html(to_html(excerpt(content.decode("utf-8", errors="replace").split("\n"), {})))
        st.download_button(
            "As uploaded",
            content,
            file_name=f"capture-{capture}",
            mime="application/octet-stream",
            key=f"download {name}",
            on_click="ignore",
        )


def _outbox(url: str) -> None:
    """What alerts have to tell and has not arrived. Nothing here names an address or a secret."""
    st.markdown("##### Notifications")
    counts, waiting = alerting.unsent(url, _ROWS)
    sent, dead, pending = (
        sum(count for (sink, state), count in counts.items() if sink and state == word)
        for word in ("sent", "dead", "pending")
    )
    news = counts.get(("", "pending"), 0)
    st.text(f"{sent} sent, {pending} waiting, {dead} given up; {news} news that no sink was told yet.")
    if waiting:
        tables.show(
            {
                "message": [one.id for one in waiting],
                "state": ["given up" if one.state == "dead" else "waiting" for one in waiting],
                "to": [shortened(one.sink, 60) for one in waiting],
                "what": [shortened(one.key, 120) for one in waiting],
                "tries": [one.attempts for one in waiting],
                "again": [one.next_attempt for one in waiting],
                "last answer": [shortened(one.last_error, 200) for one in waiting],
            }
        )
        st.caption("`kvmperf notify` sends what waits, `kvmperf notify outbox --retry all` also what was given up.")


def _tokens(report: OperationReport) -> None:
    st.markdown("##### Tokens")
    if not report.tokens:
        boxes.nothing_here("Nobody may send over the network yet.", "`kvmperf token create NAME` makes a token.")
        return
    tables.show(
        {
            "name": [shortened(one.name, 80) for one in report.tokens],
            "may": [" and ".join(one.scopes) for one in report.tokens],
            "state": token_states(report.tokens, datetime.now(UTC)),
            "made": [one.created_at for one in report.tokens],
            "last used": [one.last_used_at for one in report.tokens],
        },
    )


def _acts(report: OperationReport) -> None:
    if report.acts:
        folded(
            "Done by hand",
            "history",
            "acts",
            lambda: tables.show(
                {
                    "when": [one.at for one in report.acts],
                    "who": [shortened(one.actor, 80) for one in report.acts],
                    "what": [shortened(one.action, 80) for one in report.acts],
                    "to": [shortened(one.subject, 120) for one in report.acts],
                },
            ),
        )
