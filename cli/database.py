"""`kvmperf db`: care of the database."""

import typer

from cli.options import DatabaseOption, database_url

app = typer.Typer(no_args_is_help=True, help="Care of the database: upgrade its schema, see what it holds.")


@app.command()
def upgrade(db: DatabaseOption = "") -> None:
    """Bring the database to this version's schema; makes it where there is none.

    Example: kvmperf db upgrade --db sqlite:///results.db
    """
    from db.engine import HEAD, open_any, schema_version
    from db.engine import upgrade as migrate

    engine = open_any(database_url(db), create=True)
    before = schema_version(engine)
    migrate(engine)
    done = "already there" if before == HEAD else f"upgraded from {before or 'an empty database'}"
    typer.echo(f"schema {HEAD}: {done}")


@app.command()
def stats(db: DatabaseOption = "") -> None:
    """Count what is stored, and list what is quarantined.

    Example: kvmperf db stats
    """
    from db.engine import connect, reading
    from db.queries import counts, quarantine

    with reading(connect(database_url(db))) as connection:
        for name, count in counts(connection).items():
            typer.echo(f"{count:>12,} {name}")
        held = quarantine(connection)
    typer.echo(f"{len(held):>12,} quarantined")
    for one in held:
        typer.echo(f"  {one.source} (host {one.host}, {one.size} bytes): {one.reason}")
