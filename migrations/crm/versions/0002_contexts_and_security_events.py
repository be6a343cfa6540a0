"""Contexts and security events

Revision ID: 0002
Revises: 0001
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("grants", sa.Column("facts", sa.JSON(), nullable=True))
    op.add_column("sign_in_attempts", sa.Column("context", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("sign_in_attempts", "context")
    op.drop_column("grants", "facts")
