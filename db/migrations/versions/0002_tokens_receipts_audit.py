"""Tokens, receipts of uploads, the parsers that looked at a capture, an audit trail.

Columns are added in place: SQLite would rebuild a table by dropping it, which its foreign keys do not allow.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Document = sa.JSON()


def upgrade() -> None:
    op.add_column("upload", sa.Column("digest", sa.String(length=64), nullable=True))
    op.add_column("upload", sa.Column("token", sa.String(length=16), nullable=False, server_default=""))
    op.add_column("upload", sa.Column("receipt", Document, nullable=True))
    op.create_index("ix_upload_digest", "upload", ["digest"], unique=True)
    op.add_column("capture", sa.Column("parsed_with", sa.String(length=64), nullable=False, server_default=""))
    op.create_table(
        "token",
        sa.Column("id", Key, nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
        sa.UniqueConstraint("prefix", name="uq_token_prefix"),
    )
    op.create_table(
        "token_scope",
        sa.Column("token_id", Key, nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.CheckConstraint("scope IN ('upload', 'read', 'triage')", name="ck_token_scope_scope_known"),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name="fk_token_scope_token_id_token"),
        sa.PrimaryKeyConstraint("token_id", "scope", name="pk_token_scope"),
    )
    op.create_table(
        "audit",
        sa.Column("id", Key, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("detail", Document, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_audit_at", table_name="audit")
    op.drop_table("audit")
    op.drop_table("token_scope")
    op.drop_table("token")
    op.drop_column("capture", "parsed_with")
    op.drop_index("ix_upload_digest", table_name="upload")
    op.drop_column("upload", "receipt")
    op.drop_column("upload", "token")
    op.drop_column("upload", "digest")
