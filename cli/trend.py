"""`kvmperf trend`: how did a metric move over revisions?"""

from typing import Annotated

import typer

from cli.options import DatabaseOption, database_url


def trend(
    *,
    db: DatabaseOption = "",
    benchmark: Annotated[str, typer.Option(help="Only these benchmarks (glob).")] = "",
    metric: Annotated[str, typer.Option(help="Only these metrics (glob).")] = "",
    host: Annotated[str, typer.Option(help="Only these hosts (glob).")] = "",
    boot: Annotated[str, typer.Option(help="Only these boots (glob).")] = "",
    revision: Annotated[list[str] | None, typer.Option(help="Only revisions with this in their name.")] = None,
    limit: Annotated[int, typer.Option(help="At most this many time series.", min=1)] = 20,
) -> None:
    """Print the level of each revision, in order: the median over boots of their runs' medians, with its interval.

    Example: kvmperf trend --metric 'clear_dirty_log_time*' --revision mmu-lockless
    """
    from db.engine import connect, reading
    from db.queries import Filters
    from report import trend as trends
    from report import trend_text
    from report.known import check_host

    filters = Filters(benchmark=benchmark, metric=metric, host=host, boot=boot)
    with reading(connect(database_url(db))) as connection:
        check_host(connection, host)
        lines = trends.build(connection, filters, revisions=revision or (), limit=limit)
    typer.echo(trend_text.render(lines), nl=False)
