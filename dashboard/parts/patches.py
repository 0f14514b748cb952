"""Versions and patches of a series as tables, and results of the attribution as figures take them."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.charts.patches import Step, Track
from dashboard.parts import tables, wording
from dashboard.parts.plain import shortened
from report.series import MeasuredVersion, Result
from report.series_pages import FATES, Known, lore

LORE = "https://lore.kernel.org/r/"
_WORSE = {"lower": 1, "higher": -1}


def versions(one: Known) -> None:
    """The versions over time with their links, and what was measured of each."""
    rows = one.series.versions
    if not rows:
        return
    tables.show(
        {
            "version": [f"v{row.version}" for row in rows],
            "posted": [row.posted_at for row in rows],
            "patches": [one.patches(row.version) for row in rows],
            "base": [row.base_commit[:12] for row in rows],
            "states measured": [_states(one, row.version) for row in rows],
            "subject": [shortened(row.subject) for row in rows],
            "cover": [lore(row.message_id, LORE) if row.message_id else None for row in rows],
        },
        {
            "cover": st.column_config.LinkColumn(display_text="open the mail"),
            "posted": st.column_config.DateColumn(),
        },
    )


def _states(one: Known, version: int) -> str:
    found = one.measured(version)
    if not found:
        return "none"
    patches = sum(bool(r.patch) for r in found)
    told = ["base"] if any(r.patch == 0 for r in found) else []
    told += [wording.counted(patches, "patch").replace("patchs", "patches")] if patches else []
    told += ["the whole"] if any(r.patch is None for r in found) else []
    return ", ".join(told)


def followed_frame(version: MeasuredVersion) -> pd.DataFrame:
    """What became of each patch of the version before."""
    return pd.DataFrame(
        {
            "old": [str(row.old.k) if row.old else "" for row in version.followed],
            "what became of it": [FATES[row.fate] for row in version.followed],
            "new": [str(row.new.k) if row.new else "" for row in version.followed],
            "subject": [shortened((row.new or row.old or version.patches[0]).subject) for row in version.followed],
        }
    )


def counts(results: Sequence[Result]) -> str:
    """How many metrics a patch is named for."""
    named = sum(bool(one.attribution.culprits) for one in results)
    vague = sum(bool(one.attribution.suspects) and not one.attribution.culprits for one in results)
    return (
        f"{wording.counted(len(results), 'metric')}: {named} with a patch that did it, {vague} with one of several,"
        f" {len(results) - named - vague} with none named."
    )


def named(results: Sequence[Result]) -> int:
    """How many metrics have a culprit or suspects."""
    return sum(bool(one.attribution.culprits or one.attribution.suspects) for one in results)


def track(result: Result, version: MeasuredVersion) -> Track:
    """A result as the figures take it."""
    steps = []
    for one in result.attribution.patches:
        low, high = one.ci or (None, None)
        all_low, all_high = one.cumulative_ci or (None, None)
        subject = version.patches[one.k - 1].subject if one.k <= len(version.patches) else ""
        mark = "*" if one.k in result.attribution.culprits else "?" if one.k in result.attribution.suspects else ""
        told = f"{_percent(one.effect)} {_bounds(one.ci)}, {_sure(one.posterior)}; {subject}".rstrip("; ")
        steps.append(Step(one.k, subject, one.effect, low, high, one.cumulative, all_low, all_high, mark, told))
    return Track(result.series.metric, _WORSE.get(result.series.better, 0), tuple(steps))


def frame(results: Sequence[Result]) -> pd.DataFrame:
    """One line a metric: which patch did it and why that is said."""
    _, own = wording.common_and_own([one.series for one in results])
    return pd.DataFrame(
        {
            "no.": list(range(1, len(results) + 1)),
            "metric": [shortened(one.series.metric, 80) for one in results],
            "done by": [_culprits(one) for one in results],
            "whole series": [_whole(one) for one in results],
            "direction": [wording.direction(one.series.better) for one in results],
            "test case": [shortened(told, 160) for told in own],
            "host": [shortened(one.series.host, 60) for one in results],
            "why": [shortened(one.attribution.why) for one in results],
        }
    )


def steps_frame(result: Result, version: MeasuredVersion) -> pd.DataFrame:
    """One metric, patch by patch."""
    found = result.attribution.patches
    return pd.DataFrame(
        {
            "patch": [one.k for one in found],
            "change": [_percent(one.effect) for one in found],
            "95% CI": [_bounds(one.ci) for one in found],
            "since the base": [_percent(one.cumulative) for one in found],
            "95% CI since": [_bounds(one.cumulative_ci) for one in found],
            "P(it did it)": [_sure(one.posterior) for one in found],
            "same as": [version.same_as.get(one.k, "") for one in found],
            "subject": [shortened(version.patches[one.k - 1].subject) for one in found],
        }
    )


def _culprits(one: Result) -> str:
    found = one.attribution
    if found.culprits:
        return "patch " + ", ".join(str(k) for k in found.culprits)
    return "one of " + ", ".join(str(k) for k in found.suspects) if found.suspects else "none named"


def _whole(one: Result) -> str:
    measured = [step for step in one.attribution.patches if step.cumulative is not None]
    return f"{_percent(measured[-1].cumulative)} {_bounds(measured[-1].cumulative_ci)}" if measured else "-"


def _percent(effect: float | None) -> str:
    return "-" if effect is None else wording.signed(effect)


def _bounds(ci: tuple[float, float] | None) -> str:
    return "-" if ci is None else f"[{100 * ci[0]:+.1f},{100 * ci[1]:+.1f}]"


def _sure(posterior: float | None) -> str:
    return "-" if posterior is None else f"P {posterior:.2f}"
