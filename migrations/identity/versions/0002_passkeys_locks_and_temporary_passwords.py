"""Passkeys locks and temporary passwords

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
    op.create_table(
        "first_accesses",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("how", sa.String(length=24), nullable=False),
        sa.Column("return_to", sa.String(length=2000), nullable=False),
        sa.Column("given_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("until", types.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "how IN ('temporary-password', 'welcome-link')",
            name=op.f("ck_first_accesses_how_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_first_accesses_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_first_accesses")),
    )
    op.create_table(
        "lost_factors_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=512), nullable=False),
        sa.Column("stop_token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("asked_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("approved_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("ready_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=True),
        sa.Column("proof", sa.String(length=1000), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=True),
        sa.Column("ended_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_lost_factors_requests_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lost_factors_requests")),
        sa.UniqueConstraint(
            "stop_token_hash", name=op.f("uq_lost_factors_requests_stop_token_hash")
        ),
    )
    op.create_index(
        op.f("ix_lost_factors_requests_asked_at"),
        "lost_factors_requests",
        ["asked_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_lost_factors_requests_expires_at"),
        "lost_factors_requests",
        ["expires_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_lost_factors_requests_person_id_asked_at"),
        "lost_factors_requests",
        ["person_id", "asked_at"],
        unique=False,
    )
    op.create_index(
        "uq_lost_factors_requests_open",
        "lost_factors_requests",
        ["person_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "not_me_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("notice", sa.String(length=64), nullable=False),
        sa.Column("added_kind", sa.String(length=16), nullable=True),
        sa.Column("added_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("used_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_not_me_links_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_not_me_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_not_me_links_token_hash")),
    )
    op.create_index(
        op.f("ix_not_me_links_expires_at"), "not_me_links", ["expires_at"], unique=False
    )
    op.create_index(op.f("ix_not_me_links_person_id"), "not_me_links", ["person_id"], unique=False)
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(length=1023), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("user_handle", sa.LargeBinary(length=64), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("transports", sa.JSON(), nullable=False),
        sa.Column("is_verifying", sa.Boolean(), nullable=False),
        sa.Column("is_syncable", sa.Boolean(), nullable=False),
        sa.Column("is_synced", sa.Boolean(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_passkeys_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_index(op.f("ix_passkeys_person_id"), "passkeys", ["person_id"], unique=False)
    op.create_table(
        "sign_in_locks",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("locked_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_sign_in_locks_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_sign_in_locks")),
    )
    op.create_table(
        "passkey_challenges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("challenge_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ceremony", sa.String(length=16), nullable=False),
        sa.Column("flow_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("user_handle", sa.LargeBinary(length=64), nullable=True),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("used_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["flow_id"],
            ["flows.id"],
            name=op.f("fk_passkey_challenges_flow_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_passkey_challenges_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey_challenges")),
        sa.UniqueConstraint("challenge_hash", name=op.f("uq_passkey_challenges_challenge_hash")),
    )
    op.create_index(
        op.f("ix_passkey_challenges_expires_at"), "passkey_challenges", ["expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_passkey_challenges_flow_id"), "passkey_challenges", ["flow_id"], unique=False
    )
    op.create_index(
        op.f("ix_passkey_challenges_person_id"), "passkey_challenges", ["person_id"], unique=False
    )
    op.add_column("flows", sa.Column("new_password_of", sa.Uuid(), nullable=True))
    op.add_column(
        "flows", sa.Column("new_password_asked_at", types.UTCDateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "passwords", sa.Column("temporary_until", types.UTCDateTime(timezone=True), nullable=True)
    )
    op.add_column("passwords", sa.Column("imported_milliseconds", sa.Integer(), nullable=True))
    op.create_index(
        "ix_passwords_imported",
        "passwords",
        ["imported_milliseconds"],
        unique=False,
        sqlite_where=sa.text("imported_milliseconds IS NOT NULL"),
        postgresql_where=sa.text("imported_milliseconds IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_passwords_imported",
        table_name="passwords",
        sqlite_where=sa.text("imported_milliseconds IS NOT NULL"),
        postgresql_where=sa.text("imported_milliseconds IS NOT NULL"),
    )
    op.drop_column("passwords", "imported_milliseconds")
    op.drop_column("passwords", "temporary_until")
    op.drop_column("flows", "new_password_asked_at")
    op.drop_column("flows", "new_password_of")
    op.drop_index(op.f("ix_passkey_challenges_person_id"), table_name="passkey_challenges")
    op.drop_index(op.f("ix_passkey_challenges_flow_id"), table_name="passkey_challenges")
    op.drop_index(op.f("ix_passkey_challenges_expires_at"), table_name="passkey_challenges")
    op.drop_table("passkey_challenges")
    op.drop_table("sign_in_locks")
    op.drop_index(op.f("ix_passkeys_person_id"), table_name="passkeys")
    op.drop_table("passkeys")
    op.drop_index(op.f("ix_not_me_links_person_id"), table_name="not_me_links")
    op.drop_index(op.f("ix_not_me_links_expires_at"), table_name="not_me_links")
    op.drop_table("not_me_links")
    op.drop_index(
        "uq_lost_factors_requests_open",
        table_name="lost_factors_requests",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index(
        op.f("ix_lost_factors_requests_person_id_asked_at"), table_name="lost_factors_requests"
    )
    op.drop_index(op.f("ix_lost_factors_requests_expires_at"), table_name="lost_factors_requests")
    op.drop_index(op.f("ix_lost_factors_requests_asked_at"), table_name="lost_factors_requests")
    op.drop_table("lost_factors_requests")
    op.drop_table("first_accesses")
