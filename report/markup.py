"""A comparison as rows for programs and pages: JSON lines, CSV, markdown, HTML. Full precision, nothing lost."""

import csv
import html
import io
import json
from collections.abc import Mapping

from report.comparison import Report, Row
from report.text import MARKS, case_line, change, described, interval, judged, notes, verdict_counts
from report.words import counted
from stats.units import scaled

_SEVERAL = 2
_PAIR = 3  # columns before the one that names the pair
_EMPHASIS = ' class="verdict"'
_COLUMNS = ("test case", "host", "metric", "base", "head", "change", "95% CI", "n base", "n head", "verdict", "why")


def json_row(row: Row) -> dict[str, object]:
    """One row under the field names that other programs rely on."""
    result, series = row.result, row.series
    return {
        "benchmark": series.benchmark,
        "params": dict(series.params),
        "host": series.host,
        "head": row.head,
        "base": row.base,
        "metric": series.metric,
        "unit": series.unit,
        "better": series.better,
        "verdict": result.verdict.value,
        "effect": result.effect,
        "ci": list(result.ci) if result.ci else None,
        "p": result.p,
        "q": result.q,
        "base_value": result.base,
        "head_value": result.head,
        "n": {
            side: {"boots": n.boots, "runs": n.runs, "values": n.values}
            for side, n in zip(("base", "head"), result.n, strict=True)
        },
        "design": result.design,
        "interval_scope": result.interval_scope,
        "boots_more": result.boots_more,
        "why": result.why,
        "warnings": list(result.warnings),
        "host_differences": [
            {"field": one.field, "base": one.left, "head": one.right, "severity": one.severity.value}
            for one in row.comparability.differences
        ],
    }


def to_json(report: Report) -> str:
    """One JSON object a line and row."""
    return "".join(json.dumps(json_row(row), allow_nan=False) + "\n" for row in report.rows)


def to_csv(report: Report) -> str:
    """The JSON rows as a table: nested fields are joined by points, parameters and lists are JSON texts."""
    rows = [_flat(json_row(row)) for row in report.rows]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _columns(report: Report) -> tuple[str, ...]:
    """The names of the columns; with several pairs, which one a row is about stands behind the metric."""
    return _COLUMNS if len(report.pairs) < _SEVERAL else (*_COLUMNS[:_PAIR], "compared", *_COLUMNS[_PAIR:])


def to_markdown(report: Report) -> str:
    """Summary and table for a web forge or a wiki."""
    heads = ", ".join(f"**{_cell(described(head))}**" for head in report.heads)
    lines = [f"{heads} against {_cell(described(report.base))}", ""]
    lines += [verdict_counts(report), ""]
    columns = _columns(report)
    lines += ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(cell) for cell in _cells(row, report)) + " |" for row in report.rows]
    lines += ["", _cell(judged(report)), *(_cell(note) for note in (*report.told, *notes(report)))]
    return "\n".join(lines) + "\n"


def to_html(report: Report) -> str:
    """A page of its own, without scripts; every text is escaped."""
    columns = _columns(report)
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = "\n".join(
        f'<tr class="{html.escape(row.result.verdict.value.replace(" ", "-"))}">'
        + "".join(
            f"<td{_EMPHASIS if name == 'verdict' else ''}>{html.escape(cell)}</td>"
            for name, cell in zip(columns, _cells(row, report), strict=True)
        )
        + "</tr>"
        for row in report.rows
    )
    title = html.escape(f"{', '.join(h.name for h in report.heads)} against {report.base.name}")
    told = "".join(
        f"<p>{html.escape(text)}</p>" for text in (verdict_counts(report), judged(report), *report.told, *notes(report))
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{title}</h1>{told}\n<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></body></html>\n"
    )


_STYLE = (
    ":root{color-scheme:light dark}body{font:14px/1.4 system-ui,sans-serif;margin:1.5rem}"
    "table{border-collapse:collapse}td,th{padding:.2rem .6rem;text-align:left;border-bottom:1px solid #8884}"
    ".regression .verdict{font-weight:bold}.improvement .verdict{font-style:italic}"
)


def _cells(row: Row, report: Report) -> list[str]:
    result, series = row.result, row.series
    levels = [v for v in (result.base, result.head) if v is not None]
    texts, unit = scaled(levels, series.unit)
    shown = iter(texts)
    base, head = (f"{next(shown)} {unit}" if v is not None else "-" for v in (result.base, result.head))
    counts = [f"{counted(n.boots, 'boot')}, {counted(n.runs, 'run')}, {counted(n.values, 'value')}" for n in result.n]
    return [
        case_line(series.benchmark, sorted(series.params.items())),
        series.host,
        series.metric,
        *([row.pair or row.head] if len(report.pairs) >= _SEVERAL else []),
        base,
        head,
        change(result),
        interval(result),
        *counts,
        f"{MARKS[result.verdict]} {result.verdict.value}",
        result.why,
    ]


def _cell(text: str) -> str:
    """Text that markdown shows as it is."""
    escaped = html.escape(" ".join(text.split()), quote=False)
    return "".join(f"\\{c}" if c in "\\`*_[]|~#" else c for c in escaped)


def _flat(row: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, dict) and name != "params":
            flat |= _flat(value, f"{prefix}{name}.")
        elif isinstance(value, dict | list):
            flat[prefix + name] = json.dumps(value)
        else:
            flat[prefix + name] = value
    return flat
