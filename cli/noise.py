"""`kvmperf noise`: how much do measurements on this host vary by themselves?"""

from typing import Annotated

import typer

from cli.options import DatabaseOption, database_url, fraction


def noise(
    host: Annotated[str, typer.Argument(metavar="HOST", help="Host name (glob).")],
    *,
    db: DatabaseOption = "",
    benchmark: Annotated[str, typer.Option(help="Only these benchmarks (glob).")] = "",
    metric: Annotated[str, typer.Option(help="Only these metrics (glob).")] = "",
    boot: Annotated[str, typer.Option(help="Only these boots (glob).")] = "",
    boots: Annotated[int, typer.Option(help="Boots a side of the comparison to think of.", min=2)] = 4,
    runs: Annotated[int, typer.Option(help="Runs a boot.", min=1)] = 3,
    effect: Annotated[str, typer.Option(help="The change to tell from noise.")] = "2%",
    power: Annotated[float, typer.Option(help="Probability to show it.", min=0.5, max=0.99)] = 0.8,
    as_json: Annotated[bool, typer.Option("--json", help="One object a metric.")] = False,
) -> None:
    """Print the spread inside runs, between runs and between boots, and the smallest change that would show.

    Taken from the repetitions of every stored revision; no revision is compared with another.

    Example: kvmperf noise bm3 --benchmark 'dirty_log*' --boots 4 --runs 3
    """
    from db.engine import connect, reading
    from db.queries import Filters
    from report import noise as noises
    from report import noise_text
    from report.known import check_host
    from stats.policy import Policy

    policy = Policy(margin=fraction(effect, "--effect"), power=power)
    filters = Filters(benchmark=benchmark, metric=metric, host=host, boot=boot)
    with reading(connect(database_url(db))) as connection:
        check_host(connection, host)
        report = noises.build(connection, filters, boots=boots, runs=runs, policy=policy)
    typer.echo(noise_text.to_json(report) if as_json else noise_text.render(report), nl=False)
