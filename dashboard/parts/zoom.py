"""What is done to a figure in the browser alone, zoom and hidden lines, kept in the URL without a run of the page."""

import math
import re
from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

_AXIS = re.compile(r"([xy]axis\d{0,2}):(-?[\d.]{1,24}(?:e[-+]?\d{1,3})?):(-?[\d.]{1,24}(?:e[-+]?\d{1,3})?)")
# Ours, constant: nothing that is stored goes into it. Plotly drops its listeners when it draws a figure anew, hence
# the observer; the emitter `_ev` tells whether a figure has ours. Streamlit keeps a copy of the query string and would
# write it back: it is told of ours (as of a step in the history) when something else on the page is about to be used.
_SCRIPT = """<script>
(() => {
  if (window.kvmperfZoom) return;
  window.kvmperfZoom = true;
  let isAhead = false;
  const told = plot => {
    const zoom = [], hide = new Set();
    for (const [name, axis] of Object.entries(plot.layout)) {
      const range = axis && axis.range;
      if (/^[xy]axis\\d*$/.test(name) && range && axis.autorange === false && !axis.overlaying)
        zoom.push(`${name}:${+(+range[0]).toPrecision(6)}:${+(+range[1]).toPrecision(6)}`);
    }
    for (const trace of plot.data) if (trace.visible === "legendonly") hide.add(trace.legendgroup);
    return {zoom, hide: [...hide]};
  };
  const write = plot => {
    const url = new URL(location.href);
    for (const [name, values] of Object.entries(told(plot))) {
      url.searchParams.delete(name);
      for (const value of values) url.searchParams.append(name, value);
    }
    if (url.href === location.href) return;
    history.replaceState(history.state, "", url);
    isAhead = true;
  };
  const tell = event => {
    if (!isAhead || event.target.closest?.(".st-key-trend")) return;
    isAhead = false;
    window.dispatchEvent(new PopStateEvent("popstate"));
  };
  document.addEventListener("pointerdown", tell, true);
  document.addEventListener("keydown", tell, true);
  const watch = () => {
    for (const plot of document.querySelectorAll(".st-key-trend .js-plotly-plot")) {
      if (!plot.on || !plot._ev || plot.kvmperfEv === plot._ev) continue;
      plot.kvmperfEv = plot._ev;
      plot.on("plotly_relayout", () => write(plot));
      plot.on("plotly_restyle", () => write(plot));
    }
  };
  new MutationObserver(watch).observe(document.body, {childList: true, subtree: true});
  watch();
})();
</script>"""


def remember() -> None:
    """Let the figure whose key is `trend` write its zoom and its hidden lines into the URL."""
    st.html(_SCRIPT, unsafe_allow_javascript=True)


def applied(figure: go.Figure, zoom: Sequence[str], hide: Sequence[str]) -> go.Figure:
    """The figure with the ranges and without the lines that a URL names; what it does not have is left alone."""
    for name, low, high in _ranges(zoom):
        if name in figure.layout:
            figure.layout[name].update(range=[low, high], autorange=False)
    hidden = set(hide)
    for trace in figure.data:
        if trace.legendgroup in hidden:
            trace.visible = "legendonly"
    return figure


def _ranges(zoom: Sequence[str]) -> list[tuple[str, float, float]]:
    found = []
    for text in zoom[:20]:
        if match := _AXIS.fullmatch(text):
            try:
                low, high = float(match[2]), float(match[3])
            except ValueError:
                continue
            if math.isfinite(low) and math.isfinite(high) and low != high:
                found.append((match[1], low, high))
    return found
