"""On PostgreSQL, what measurements refer to is checked once a statement, and no longer once a row.

Two foreign keys took four fifths of what the server needed to store a row. The triggers ask and lock the same: a
statement that adds measurements locks the time series and runs that it names as a foreign key does, and fails where one
is not there; one that deletes runs or time series waits for such locks, and fails where measurements are left.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PARENTS = ("time_series", "run")
# Index scans only: the plan is kept for the session, and made when a table was small it would read all of a large one.
FUNCTION = "RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for parent in PARENTS:
        op.drop_constraint(_key(parent), "measurement", type_="foreignkey")
        op.execute(_left(parent))
        op.execute(
            f"CREATE TRIGGER {parent}_is_not_measured AFTER DELETE ON {parent} REFERENCING OLD TABLE AS gone"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {parent}_is_not_measured()"
        )
    checks = "\n".join(_named(parent) for parent in PARENTS)
    op.execute(
        f"CREATE FUNCTION measurement_belongs() {FUNCTION} AS $$\n"
        f"DECLARE named bigint; there bigint;\nBEGIN\n{checks}\nRETURN NULL;\nEND $$"
    )
    for word in ("insert", "update"):
        op.execute(
            f"CREATE TRIGGER measurement_belongs_{word} AFTER {word} ON measurement REFERENCING NEW TABLE AS fresh"
            " FOR EACH STATEMENT EXECUTE FUNCTION measurement_belongs()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for word in ("insert", "update"):
        op.execute(f"DROP TRIGGER measurement_belongs_{word} ON measurement")
    op.execute("DROP FUNCTION measurement_belongs()")
    for parent in PARENTS:
        op.execute(f"DROP TRIGGER {parent}_is_not_measured ON {parent}")
        op.execute(f"DROP FUNCTION {parent}_is_not_measured()")
        op.create_foreign_key(_key(parent), "measurement", parent, [f"{parent}_id"], ["id"])


def _key(parent: str) -> str:
    return f"fk_measurement_{parent}_id_{parent}"


def _named(parent: str) -> str:
    """The part of the check that finds and locks the rows of one table, as many as are named."""
    return f"""
SELECT count(DISTINCT {parent}_id) FROM fresh INTO named;
SELECT count(*) FROM (
  SELECT FROM {parent} p WHERE p.id = ANY (ARRAY(SELECT DISTINCT {parent}_id FROM fresh)) ORDER BY p.id FOR KEY SHARE
) found INTO there;
IF there <> named THEN
  RAISE foreign_key_violation USING MESSAGE = 'measurements name a {parent} that is not there',
    TABLE = 'measurement', CONSTRAINT = '{_key(parent)}';
END IF;"""  # noqa: S608 (names of ours)


def _left(parent: str) -> str:
    """The check that no measurements are left of rows that were deleted."""
    return f"""
CREATE FUNCTION {parent}_is_not_measured() {FUNCTION} AS $$
BEGIN
IF EXISTS (SELECT FROM measurement m WHERE m.{parent}_id = ANY (ARRAY(SELECT id FROM gone))) THEN
  RAISE foreign_key_violation USING MESSAGE = 'measurements are left of a {parent} that was deleted',
    TABLE = 'measurement', CONSTRAINT = '{_key(parent)}';
END IF;
RETURN NULL;
END $$"""  # noqa: S608 (names of ours)
