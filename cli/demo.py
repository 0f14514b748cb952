"""`kvmperf demo`: real outputs into a database, a comparison and a trend out of it, and the dashboard."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import database_url
from db.address import shown
from db.errors import DatabaseError, UserError

if TYPE_CHECKING:
    from sqlalchemy import Engine

# Without KVMPERF_DB: what that names is somebody's own, and the demo is for looking around.
DemoOption = Annotated[
    str,
    typer.Option(
        "--db", metavar="URL", help="Database of the demo. Default: kvmperf-demo.db in the current directory."
    ),
]

_SERIES = "kvm-mmu-demo"
_NAMES = {_SERIES, "split-on", "split-on-again", "split-off"}  # all that the demo stores outputs under
_PATCHES = 6
_VIEW = "compare?base=split-on&head=split-off&vary=kvm.eager_page_split&host=lab-icount"
# The lab's virtual machines by the beginning of their boots' names: a virtual instruction clock, the same with long
# scheduler slices, and two CPUs in real time on a busy machine.
_HOSTS = {"ic": "lab-icount", "icg": "lab-icount-slices", "mt": "lab-smp"}
_COMPARISONS: tuple[tuple[str, str, str, dict[str, object]], ...] = (
    (
        "Eager page splitting: off against on",
        "split-on",
        "split-off",
        {"host": "lab-icount", "vary": ["kvm.eager_page_split"]},
    ),
    ("A/A: the same configuration twice, on a noisy host", "split-on", "split-on-again", {"host": "lab-smp"}),
)


def demo(
    *,
    db: DemoOption = "",
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the dashboard at the end.")] = True,
    port: Annotated[int, typer.Option(help="Port of the dashboard.", min=1, max=65535)] = 8501,
) -> None:
    """Fill a database with real outputs, compare them, and serve the dashboard.

    The outputs were captured from unmodified KVM selftests on an emulated machine; they come with kvmperf. The
    database is kvmperf-demo.db in the current directory unless --db names another; KVMPERF_DB does not count here. One
    that holds anything else than the demo is refused.

    Example: kvmperf demo --no-serve
    """
    url = _database(db)
    stored = load(url)
    typer.echo(f"{stored} outputs of KVM selftests are in {shown(url).removeprefix('sqlite:///')}")
    for comparison in _COMPARISONS:
        show_comparison(url, *comparison)
    show_trend(url)
    if serve:
        from cli.serve import serve_dashboard

        serve_dashboard(url, port=port, address="127.0.0.1", view=_VIEW)


def load(url: str) -> int:
    """Store the demo outputs; how many there are. Loading them again stores nothing new."""
    from cli.upload import store
    from db.engine import connect
    from ingest.context import Given

    _refuse_others(connect(url, create=True), url)
    outputs = _outputs()
    total = 0
    for folder in sorted(outputs.glob("eager-split/*/*")):
        given = Given(
            label=folder.parent.name, boot_id=folder.name, host=_host(folder.name), host_facts=folder / "host.json"
        )
        total += len(store([folder], given, url))
    for folder in sorted(outputs.glob("series/*/patch-*")):
        given = Given(
            series=_SERIES,
            version=1,
            patch=f"{folder.name.removeprefix('patch-')}/{_PATCHES}",
            boot_id=folder.parent.name,
            host=_host(folder.parent.name),
            host_facts=folder.parent / "host.json",
        )
        total += len(store([folder], given, url))
    return total


def show_comparison(url: str, title: str, base: str, head: str, options: dict[str, object]) -> None:
    """Print the command that a user would type, and its answer."""
    from cli.compare import compare

    words = [f"--{name} '{value}'" for name, values in options.items() for value in _listed(values)]
    _say(title, f"kvmperf compare {base} {head} {' '.join(words)} --db {shown(url)}")
    compare([base, head], db=url, **options)  # type: ignore[arg-type]  # options are named as the command names them


def show_trend(url: str) -> None:
    """Print the trend of two metrics over the states of the measured series."""
    from cli.trend import trend

    for metric, host in (
        ("clear_dirty_log_time.round1", "lab-icount-slices"),
        ("total_guest_execution_time", "lab-icount"),
    ):
        _say(
            f"A patch series, patch by patch: {metric}",
            f"kvmperf trend --metric {metric} --revision {_SERIES} --host {host} --db {shown(url)}",
        )
        trend(db=url, metric=metric, host=host, revision=[_SERIES])


def _refuse_others(engine: "Engine", url: str) -> None:
    """Refuse a database in which somebody has more than the demo."""
    from db.engine import reading
    from db.queries import revisions, stored_names
    from db.series import known_series
    from db.tokens import listed

    with reading(engine) as connection:
        names = {one.series or one.label for one in revisions(connection)}
        names |= {one.name for one in known_series(connection)}
        hosts = set(stored_names(connection)["host"])
        is_its_own = names <= _NAMES and hosts <= set(_HOSTS.values()) and not listed(connection)
    engine.dispose()
    if not is_its_own:
        where = shown(url).removeprefix("sqlite:///")
        raise DatabaseError(f"{where}: holds more than the demo; nothing was stored", "--db names a new file")


def _host(boot: str) -> str:
    return _HOSTS[boot.split("-", maxsplit=1)[0]]


def _say(title: str, command: str) -> None:
    typer.echo(f"\n== {title}\n$ {command}\n")


def _listed(values: object) -> list[object]:
    return values if isinstance(values, list) else [values]


def _database(given: str) -> str:
    return database_url(given) if given else f"sqlite:///{Path.cwd() / 'kvmperf-demo.db'}"


def _outputs() -> Path:
    """The demo outputs: packed beside this file in an installed kvmperf, in fixtures/ in a checkout."""
    here = Path(__file__).resolve().parent
    for folder in (here / "demo_outputs", here.parent / "fixtures" / "demo"):
        if (folder / "eager-split").is_dir():
            return folder
    raise UserError(f"{here}: the demo outputs are not part of this installation", "install kvmperf from its wheel")
