"""What a patch is followed by across versions: its author and its diff; what stood in the subject's brackets."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("patch", sa.Column("author", sa.String(), nullable=False, server_default=""))
    op.add_column("patch", sa.Column("diff", sa.Text(), nullable=False, server_default=""))
    op.add_column("series_version", sa.Column("prefix", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("series_version", "prefix")
    op.drop_column("patch", "diff")
    op.drop_column("patch", "author")
