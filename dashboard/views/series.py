"""Patch series: v1..vN, patch by patch. Which patch did it, and what happened from version to version?"""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from dashboard import loaders
from dashboard.charts.patches import Track, heat_map, waterfall
from dashboard.charts.style import PLAIN
from dashboard.page import Context
from dashboard.parts import boxes, drawing, patches, wording
from dashboard.parts.folded import folded
from dashboard.parts.link import heading
from dashboard.parts.plain import markdown_text, plotly_text, shortened
from dashboard.state import CompareView, SeriesView, bound, chosen_row, current, encode, on_row, optional, with_url
from db.errors import UserError
from report import series_markup, series_text
from report.series import MeasuredVersion, Result, SeriesReport, SeriesRequest
from report.series_pages import Known, interesting

_ROWS = 60  # metrics of the heat map
_TABLE = "metrics of the version"


def render(context: Context) -> None:
    """The page."""
    source = context.source
    known = loaders.patch_series(*source)
    view = _settled(current(SeriesView), known)
    heading("Patch series", view)
    if not known:
        boxes.no_series(bool(loaders.revisions(*source)))
        return
    drawing.ahead()
    view, one = _pick(view, known)
    patches.versions(one)
    try:
        report = loaders.series_report(*source, SeriesRequest(view.series, int(view.version), vary=view.vary))
    except UserError as error:
        boxes.problem(error)
        return
    version = report.versions[0]
    _between(context, source, one, version, view)
    _warned(version, view)
    _metrics(version, view)
    _exports(report)


def _settled(view: SeriesView, known: tuple[Known, ...]) -> SeriesView:
    """The view with a series and a version that are there."""
    if not known:
        return view
    one = next((one for one in known if one.series.name == view.series), known[0])
    numbers = [str(v.version) for v in one.series.versions]
    measured = [number for number in numbers if one.measured(int(number))]
    fallback = (measured or numbers or ["0"])[-1]
    return replace(view, series=one.series.name, version=view.version if view.version in numbers else fallback)


def _pick(view: SeriesView, known: tuple[Known, ...]) -> tuple[SeriesView, Known]:
    left, right = st.columns(2)
    names = [one.series.name for one in known]
    titles = {one.series.name: shortened(f"{one.series.name}: {one.series.subject}".rstrip(": ")) for one in known}
    left.selectbox(
        "Series", names, format_func=titles.__getitem__, **bound(view, "series", ["version", "host", "metric", "row"])
    )
    one = known[names.index(view.series)]
    numbers = [str(v.version) for v in one.series.versions]
    right.segmented_control(
        "Version", numbers, format_func=lambda n: f"v{n}", required=True, wrap=True, **bound(view, "version", ["row"])
    )
    return view, one


def _between(context: Context, source: tuple[str, str], one: Known, version: MeasuredVersion, view: SeriesView) -> None:
    """From the version before to this one: patches followed, and what the comparison of all versions says."""
    if version.followed:
        folded(
            "Patches against the version before",
            "difference",
            "followed",
            lambda: st.dataframe(patches.followed_frame(version), hide_index=True),
        )
    for sentence in loaders.between_versions(*source, one.series.name, view.vary):
        st.text(shortened(f"{sentence[:1].upper()}{sentence[1:]}", 600))
    if "compare" in context.pages and one.measured(version.version.version):
        whole = f"{view.series}@v{view.version}"
        there = CompareView(base=f"{whole}~base", head=(whole,), vary=view.vary)
        st.page_link(
            context.pages["compare"],
            label="The whole version against its base",
            icon=":material/compare_arrows:",
            query_params=encode(there),
        )


def _warned(version: MeasuredVersion, view: SeriesView) -> None:
    told = dict.fromkeys(warning for result in version.results for warning in result.warnings if "left out:" in warning)
    if told or view.vary:
        with st.expander(f"{wording.counted(len(told), 'state')} left out because of the host", icon=":material/dns:"):
            if told:
                st.text("\n".join(shortened(text, 400) for text in list(told)[:10]))
            st.multiselect(
                "Fields that are themselves under comparison",
                list(view.vary),
                accept_new_options=True,
                format_func=shortened,
                help="The command line says --vary FIELD.",
                **bound(view, "vary"),
            )


@st.fragment
def _metrics(version: MeasuredVersion, view: SeriesView) -> None:
    """Heat map, table and waterfall. In a fragment: another metric leaves the rest of the page alone."""
    view = with_url(view)
    if not version.results:
        how = f"`kvmperf upload PATH --series NAME --version {view.version} --patch K/M`"
        boxes.nothing_here("Nothing to attribute yet.", f"Measure the base and the patches: {how}.")
        return
    left, right = st.columns(2)
    hosts = sorted({one.series.host for one in version.results})
    left.selectbox("Host", hosts, placeholder="all", format_func=shortened, **optional(view, "host", ["row"]))
    right.text_input("Metrics containing", placeholder="text", **bound(view, "metric", ["row"]))
    found = interesting(version, view.host, view.metric)
    st.text(patches.counts(found))
    named = patches.named(found)
    if named < len(found):
        st.toggle(f"Also the {len(found) - named} without a named patch", **bound(view, "everything"))
    results = found if view.everything else found[:named]
    if results:
        tracks = [patches.track(one, version) for one in results[:_ROWS]]
        _heat_map(version, tracks, len(results))
        ids = [str(one.series.id) for one in results[:_ROWS]]
        st.dataframe(
            patches.frame(results[:_ROWS]),
            hide_index=True,
            selection_mode="single-row",
            key=chosen_row(_TABLE, ids.index(view.row) if view.row in ids else None),
            on_select=on_row(view, _TABLE, ids),
        )
        position = ids.index(view.row) if view.row in ids else 0
        _waterfall(version, results[position], tracks[position])


def _heat_map(version: MeasuredVersion, tracks: Sequence[Track], count: int) -> None:
    st.plotly_chart(
        heat_map(tracks, len(version.patches)),
        key="heat map",
        config=PLAIN,
        alt="Change of each metric by each patch; the table below has the same numbers",
    )
    said = (
        "Change by each patch against the state before it. * a patch that did it (95% sure), ? one of several that"
        " may have; orange is worse, blue is better, pale is where no patch is named. Select a metric to see its steps."
    )
    st.caption(markdown_text(said + (f" The first {_ROWS} of {count} metrics." if count > _ROWS else ""), 400))


def _waterfall(version: MeasuredVersion, chosen: Result, track: Track) -> None:
    series = chosen.series
    st.markdown(f"##### {markdown_text(series.metric)}")
    st.text(f"{shortened(wording.case(series))} on {shortened(series.host)}")
    st.text(shortened(chosen.attribution.why, 600))
    st.plotly_chart(
        waterfall(track),
        key="waterfall",
        config=PLAIN,
        alt=f"{plotly_text(series.metric)} patch by patch; the table below has the same numbers",
    )
    st.dataframe(patches.steps_frame(chosen, version), hide_index=True)


def _exports(report: SeriesReport) -> None:
    folded("Copy, or download", "content_copy", "exports", lambda: _formats(report))


def _formats(report: SeriesReport) -> None:
    st.code(series_text.render(report), language=None)
    row = st.container(horizontal=True)
    name = f"series-v{report.versions[0].version.version}"
    row.download_button(
        "Text", lambda: series_text.render(report), file_name=f"{name}.txt", mime="text/plain", on_click="ignore"
    )
    row.download_button(
        "JSON",
        lambda: series_markup.to_json(report),
        file_name=f"{name}.json",
        mime="application/x-ndjson",
        on_click="ignore",
    )
