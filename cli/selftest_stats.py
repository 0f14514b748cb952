"""`kvmperf selftest-stats`: what would be found on the user's own data?"""

from typing import Annotated

import typer

from cli.options import DatabaseOption, database_url, fraction


def selftest_stats(
    *,
    db: DatabaseOption = "",
    host: Annotated[str, typer.Option(help="Only these hosts (glob).")] = "",
    benchmark: Annotated[str, typer.Option(help="Only these benchmarks (glob).")] = "",
    metric: Annotated[str, typer.Option(help="Only these metrics (glob).")] = "",
    boot: Annotated[str, typer.Option(help="Only these boots (glob).")] = "",
    size: Annotated[list[str] | None, typer.Option(help="Regressions to put in (repeatable).")] = None,
    splits: Annotated[int, typer.Option(help="Random splits into two sides.", min=1, max=1000)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One object a host.")] = False,
) -> None:
    """Put known regressions into repeated measurements of one revision and report what would be found.

    The repetitions of a revision are split at random into two sides that do not differ; a tenth of the metrics is
    made worse by a known size; `kvmperf compare` judges. Nothing is stored.

    Example: kvmperf selftest-stats --host bm3 --size 2% --size 5% --size 10%
    """
    from db.engine import connect, reading
    from db.queries import Filters
    from report import selfcheck, selfcheck_text
    from report.known import check_host
    from stats.policy import Policy

    sizes = [fraction(text, "--size") for text in size or ("2%", "5%", "10%", "20%", "50%")]
    filters = Filters(benchmark=benchmark, metric=metric, host=host, boot=boot)
    with reading(connect(database_url(db))) as connection:
        check_host(connection, host)
        checks = selfcheck.build(connection, filters, sizes=sizes, splits=splits, policy=Policy())
    typer.echo(selfcheck_text.to_json(checks) if as_json else selfcheck_text.render(checks), nl=False)
