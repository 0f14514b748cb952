"""`kvmperf detect`: where did a series change?"""

from pathlib import Path
from typing import Annotated

import typer


def detect(
    *,
    csv: Annotated[
        Path | None, typer.Option(help="Series in a file: columns series,x,value and rep.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object a series.")] = False,
) -> None:
    """Find the changes of series: steps that last, told from bursts, modes and drift.

    Several rows of one x are repetitions, of which the median counts. Nothing needs to be tuned.

    Example: kvmperf detect --csv nightly.csv
    """
    if csv is None:
        raise typer.BadParameter("name a file: kvmperf detect --csv FILE", param_hint="--csv")
    import json

    from report.series_csv import as_json as fields
    from report.series_csv import as_text, detect_csv

    answers = detect_csv(csv)
    if as_json:
        typer.echo("".join(json.dumps(fields(*one), allow_nan=False) + "\n" for one in answers), nl=False)
    else:
        typer.echo(as_text(answers), nl=False)
