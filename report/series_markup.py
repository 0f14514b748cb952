"""A patch series as rows for programs: full precision, nothing lost."""

import json

from report.series import MeasuredVersion, Result, SeriesReport


def to_json(report: SeriesReport) -> str:
    """One JSON object a line: one a version, test case, host and metric."""
    return "".join(
        json.dumps(json_row(report, version, result), allow_nan=False) + "\n"
        for version in report.versions
        for result in version.results
    )


def json_row(report: SeriesReport, version: MeasuredVersion, result: Result) -> dict[str, object]:
    """One metric under the field names that other programs rely on.

    The effect of a patch is against the state before it (`since`), the cumulative one against the base; null where
    not measured. `same_as` is where a patch that was carried over first stood, as `v1/3`.
    """
    series, found = result.series, result.attribution
    return {
        "series": report.series.name,
        "version": version.version.version,
        "benchmark": series.benchmark,
        "params": dict(series.params),
        "host": series.host,
        "metric": series.metric,
        "unit": series.unit,
        "better": series.better,
        "patches": [
            {
                "k": one.k,
                "subject": version.patches[one.k - 1].subject,
                "effect": one.effect,
                "ci": _bounds(one.ci),
                "cumulative": one.cumulative,
                "cumulative_ci": _bounds(one.cumulative_ci),
                "posterior": one.posterior,
                "same_as": version.same_as.get(one.k),
                "since": one.since,
            }
            for one in found.patches
        ],
        "culprits": list(found.culprits),
        "suspects": list(found.suspects),
        "none": found.none,
        "why": found.why,
        "warnings": list(result.warnings),
    }


def _bounds(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else list(interval)
