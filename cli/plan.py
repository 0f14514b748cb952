"""`kvmperf plan`: how many boots and runs would show a change of a given size?"""

from typing import Annotated

import typer

from cli.options import DatabaseOption, database_url, fraction


def plan(
    base: Annotated[str, typer.Argument(metavar="BASE")],
    head: Annotated[str, typer.Argument(metavar="HEAD")],
    *,
    db: DatabaseOption = "",
    effect: Annotated[str, typer.Option(help="The change to show.")] = "2%",
    power: Annotated[float, typer.Option(help="Probability to show it.", min=0.5, max=0.99)] = 0.8,
    benchmark: Annotated[str, typer.Option(help="Only these benchmarks (glob).")] = "",
    metric: Annotated[str, typer.Option(help="Only these metrics (glob).")] = "",
    host: Annotated[str, typer.Option(help="Only these hosts (glob).")] = "",
    runs: Annotated[int, typer.Option(help="Runs a boot; 0: choose the cheapest.", min=0)] = 0,
    boot_cost: Annotated[float, typer.Option(help="What a boot costs, in runs.", min=0)] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="One object a metric.")] = False,
) -> None:
    """Print the boots a side, and runs in each, that would show a change: from the noise that the host has shown.

    More runs in a boot are cheap and help until the spread between boots rules. Boots are dear.

    Example: kvmperf plan v6.12 mmu-lockless@v2 --effect 2% --power 0.8
    """
    from db.engine import connect, reading
    from db.queries import Filters
    from report import plan as plans
    from report import plan_text
    from report.known import check_host
    from stats.policy import Policy

    wanted = fraction(effect, "--effect")
    if wanted == 0:
        raise typer.BadParameter("no number of boots shows a change of 0 %", param_hint="--effect")
    request = plans.Request(base, head, wanted, power, boot_cost, runs or None)
    filters = Filters(benchmark=benchmark, metric=metric, host=host)
    with reading(connect(database_url(db))) as connection:
        check_host(connection, host)
        report = plans.build(connection, filters, request, Policy(power=power))
    typer.echo(plan_text.to_json(report) if as_json else plan_text.render(report), nl=False)
