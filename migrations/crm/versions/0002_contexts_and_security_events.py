"""Contexts and security events

Revision ID: 0002
Revises: 0001
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from kernel.database import types

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("grants", sa.Column("facts", sa.JSON(), nullable=True))
    op.create_table(
        "event_feeds",
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("heard_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("whole_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("issuer", name=op.f("pk_event_feeds")),
    )
    op.add_column("revocations", sa.Column("account", sa.String(length=64), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        # On SQLite every integer is large enough.
        op.alter_column("revocations", "version", type_=sa.BigInteger())
    op.add_column("sign_in_attempts", sa.Column("context", sa.String(length=64), nullable=True))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("revocations", "version", type_=sa.Integer())
    op.drop_column("revocations", "account")
    op.drop_table("event_feeds")
    op.drop_column("sign_in_attempts", "context")
    op.drop_column("grants", "facts")
