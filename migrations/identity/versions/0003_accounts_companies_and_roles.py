"""Accounts companies and roles

Revision ID: 0003
Revises: 0002
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from kernel.database import types
from kernel.database.tenancy import (
    enable_row_level_security,
    let_people_read,
    let_people_read_no_more,
)

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


_TENANT_TABLES = (
    "accounts",
    "account_applications",
    "api_keys",
    "companies",
    "departures",
    "invitations",
    "memberships",
    "roles",
    "webhook_endpoints",
    "api_key_secrets",
    "assignments",
    "external_ids",
    "invited_roles",
    "role_permissions",
    "webhook_deliveries",
)


def upgrade() -> None:
    op.create_table(
        "applications",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("audience", sa.String(length=500), nullable=False),
        sa.Column("context", sa.String(length=16), nullable=False),
        sa.Column("for_every_account", sa.Boolean(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "context IN ('none', 'account', 'company')",
            name=op.f("ck_applications_context_is_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("audience", name=op.f("uq_applications_audience")),
    )
    op.create_table(
        "facts",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("handled_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_facts")),
        sa.UniqueConstraint("id", name=op.f("uq_facts_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_facts_handled_at"), "facts", ["handled_at"], unique=False)
    op.create_index(
        "ix_facts_waiting",
        "facts",
        ["number"],
        unique=False,
        sqlite_where=sa.text("handled_at IS NULL"),
        postgresql_where=sa.text("handled_at IS NULL"),
    )
    op.create_table(
        "idempotent_requests",
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("claim", sa.LargeBinary(length=16), nullable=False),
        sa.Column("claimed_until", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_idempotent_requests")),
    )
    op.create_index(
        op.f("ix_idempotent_requests_expires_at"),
        "idempotent_requests",
        ["expires_at"],
        unique=False,
    )
    op.create_table(
        "accounts",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "sort_name",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("nip", sa.String(length=10), nullable=True),
        sa.Column("is_accounting_office", sa.Boolean(), nullable=False),
        sa.Column("street", sa.String(length=200), nullable=True),
        sa.Column("postcode", sa.String(length=16), nullable=True),
        sa.Column("town", sa.String(length=100), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("second_factor", sa.String(length=16), nullable=False),
        sa.Column("sign_in_hours", sa.Integer(), nullable=True),
        sa.Column("flagged_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "second_factor IN ('default', 'strong')",
            name=op.f("ck_accounts_second_factor_is_known"),
        ),
        sa.CheckConstraint(
            "status IN ('active', 'suspended', 'closed')", name=op.f("ck_accounts_status_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["people.id"], name=op.f("fk_accounts_created_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_accounts")),
        info={"klucznik.own": "tenant"},
    )
    op.create_index(op.f("ix_accounts_nip"), "accounts", ["nip"], unique=False)
    op.create_index(
        op.f("ix_accounts_sort_name_tenant_id"),
        "accounts",
        ["sort_name", "tenant_id"],
        unique=False,
    )
    op.create_table(
        "permissions",
        sa.Column("application_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("label_en", sa.String(length=200), nullable=False),
        sa.Column("label_pl", sa.String(length=200), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "level IN ('account', 'company')", name=op.f("ck_permissions_level_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_permissions_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("application_id", "name", name=op.f("pk_permissions")),
    )
    op.create_table(
        "security_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("refused_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_security_events_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_events")),
        sa.UniqueConstraint(
            "client_id", "event_id", name=op.f("uq_security_events_client_id_event_id")
        ),
    )
    op.create_index(
        op.f("ix_security_events_client_id_created_at"),
        "security_events",
        ["client_id", "created_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_security_events_created_at"), "security_events", ["created_at"], unique=False
    )
    op.create_index(
        "ix_security_events_open",
        "security_events",
        ["client_id"],
        unique=False,
        sqlite_where=sa.text("accepted_at IS NULL AND refused_at IS NULL"),
        postgresql_where=sa.text("accepted_at IS NULL AND refused_at IS NULL"),
    )
    op.create_table(
        "security_feeds",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("beaten_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("failing_since", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_security_feeds_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_security_feeds")),
    )
    op.create_table(
        "account_applications",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("application_id", sa.String(length=64), nullable=False),
        sa.Column("given_by", sa.Uuid(), nullable=True),
        sa.Column("given_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_account_applications_application_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["accounts.tenant_id"],
            name=op.f("fk_account_applications_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "application_id", name=op.f("pk_account_applications")
        ),
        info={"klucznik.own": "tenant"},
    )
    op.create_index(
        op.f("ix_account_applications_application_id"),
        "account_applications",
        ["application_id"],
        unique=False,
    )
    op.create_table(
        "api_keys",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("expires_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_api_keys_owner_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["accounts.tenant_id"],
            name=op.f("fk_api_keys_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_keys")),
    )
    op.create_index(op.f("ix_api_keys_owner_id"), "api_keys", ["owner_id"], unique=False)
    op.create_index(
        op.f("ix_api_keys_tenant_id_created_at_id"),
        "api_keys",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "companies",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "sort_name",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("nip", sa.String(length=10), nullable=True),
        sa.Column("street", sa.String(length=200), nullable=True),
        sa.Column("postcode", sa.String(length=16), nullable=True),
        sa.Column("town", sa.String(length=100), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.Column("archived_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["accounts.tenant_id"],
            name=op.f("fk_companies_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_companies")),
    )
    op.create_index(op.f("ix_companies_id"), "companies", ["id"], unique=True)
    op.create_index(
        op.f("ix_companies_tenant_id_sort_name_id"),
        "companies",
        ["tenant_id", "sort_name", "id"],
        unique=False,
    )
    op.create_index(
        "uq_companies_main",
        "companies",
        ["tenant_id"],
        unique=True,
        sqlite_where=sa.text("is_main"),
        postgresql_where=sa.text("is_main"),
    )
    op.create_table(
        "departures",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("left_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_departures_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["accounts.tenant_id"],
            name=op.f("fk_departures_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", "kind", name=op.f("pk_departures")),
    )
    op.create_index(op.f("ix_departures_person_id"), "departures", ["person_id"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("given_name", sa.String(length=100), nullable=True),
        sa.Column("family_name", sa.String(length=100), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=True),
        sa.Column("invited_by", sa.String(length=120), nullable=False),
        sa.Column("sent_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("accepted_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("declined_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["accepted_by"],
            ["people.id"],
            name=op.f("fk_invitations_accepted_by"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["accounts.tenant_id"],
            name=op.f("fk_invitations_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    op.create_index(
        op.f("ix_invitations_tenant_id_created_at_id"),
        "invitations",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_invitations_open",
        "invitations",
        ["tenant_id", "email_key"],
        unique=True,
        sqlite_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
        postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
    )
    op.create_table(
        "memberships",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("given_name", sa.String(length=100), nullable=True),
        sa.Column("family_name", sa.String(length=100), nullable=True),
        sa.Column(
            "sort_name",
            sa.String(length=210).with_variant(sa.String(length=210, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=True),
        sa.Column("accepted_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("signed_out_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("blocked_by", sa.String(length=120), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('member', 'client')", name=op.f("ck_memberships_kind_is_known")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'active', 'blocked')", name=op.f("ck_memberships_state_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_memberships_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["accounts.tenant_id"],
            name=op.f("fk_memberships_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_memberships")),
        sa.UniqueConstraint(
            "tenant_id", "person_id", "kind", name=op.f("uq_memberships_tenant_id_person_id_kind")
        ),
        info={"klucznik.own": "person"},
    )
    op.create_index(op.f("ix_memberships_person_id"), "memberships", ["person_id"], unique=False)
    op.create_index(
        op.f("ix_memberships_tenant_id_kind_email_key_id"),
        "memberships",
        ["tenant_id", "kind", "email_key", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_memberships_tenant_id_kind_sort_name_id"),
        "memberships",
        ["tenant_id", "kind", "sort_name", "id"],
        unique=False,
    )
    op.create_table(
        "roles",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sa.String(length=100), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("second_factor", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "second_factor IN ('default', 'strong')", name=op.f("ck_roles_second_factor_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["accounts.tenant_id"],
            name=op.f("fk_roles_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_roles")),
        sa.UniqueConstraint("tenant_id", "name_key", name=op.f("uq_roles_tenant_id_name_key")),
    )
    op.create_index(
        "uq_roles_admin",
        "roles",
        ["tenant_id"],
        unique=True,
        sqlite_where=sa.text("is_admin"),
        postgresql_where=sa.text("is_admin"),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("previous_secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("failing_since", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("disabled_for", sa.String(length=16), nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["accounts.tenant_id"],
            name=op.f("fk_webhook_endpoints_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_index(
        op.f("ix_webhook_endpoints_tenant_id_created_at_id"),
        "webhook_endpoints",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "api_key_secrets",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False),
        sa.Column("expires_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"],
            ["api_keys.tenant_id", "api_keys.id"],
            name=op.f("fk_api_key_secrets_tenant_id_key_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "secret_hash", name=op.f("pk_api_key_secrets")),
    )
    op.create_index(
        op.f("ix_api_key_secrets_tenant_id_key_id"),
        "api_key_secrets",
        ["tenant_id", "key_id"],
        unique=False,
    )
    op.create_table(
        "assignments",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("company_id", sa.String(length=16), nullable=True),
        sa.Column("expires_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=True),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_assignments_tenant_id_company_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "membership_id"],
            ["memberships.tenant_id", "memberships.id"],
            name=op.f("fk_assignments_tenant_id_membership_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "role_id"],
            ["roles.tenant_id", "roles.id"],
            name=op.f("fk_assignments_tenant_id_role_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assignments")),
    )
    op.create_index(
        "ix_assignments_expiring",
        "assignments",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_assignments_tenant_id_company_id"),
        "assignments",
        ["tenant_id", "company_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_assignments_tenant_id_membership_id"),
        "assignments",
        ["tenant_id", "membership_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_assignments_tenant_id_role_id"),
        "assignments",
        ["tenant_id", "role_id"],
        unique=False,
    )
    op.create_index(
        "uq_assignments_on_account",
        "assignments",
        ["tenant_id", "membership_id", "role_id"],
        unique=True,
        sqlite_where=sa.text("company_id IS NULL"),
        postgresql_where=sa.text("company_id IS NULL"),
    )
    op.create_index(
        "uq_assignments_on_company",
        "assignments",
        ["tenant_id", "membership_id", "role_id", "company_id"],
        unique=True,
        sqlite_where=sa.text("company_id IS NOT NULL"),
        postgresql_where=sa.text("company_id IS NOT NULL"),
    )
    op.create_table(
        "external_ids",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "membership_id"],
            ["memberships.tenant_id", "memberships.id"],
            name=op.f("fk_external_ids_tenant_id_membership_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "membership_id", "client_id", name=op.f("pk_external_ids")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "client_id",
            "external_id",
            name=op.f("uq_external_ids_tenant_id_client_id_external_id"),
        ),
    )
    op.create_table(
        "invited_roles",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("company_id", sa.String(length=16), nullable=True),
        sa.Column("expires_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_invited_roles_tenant_id_company_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invitation_id"],
            ["invitations.tenant_id", "invitations.id"],
            name=op.f("fk_invited_roles_tenant_id_invitation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "role_id"],
            ["roles.tenant_id", "roles.id"],
            name=op.f("fk_invited_roles_tenant_id_role_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invited_roles")),
    )
    op.create_index(
        op.f("ix_invited_roles_tenant_id_invitation_id"),
        "invited_roles",
        ["tenant_id", "invitation_id"],
        unique=False,
    )
    op.create_table(
        "role_permissions",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.String(length=64), nullable=False),
        sa.Column("permission", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id", "permission"],
            ["permissions.application_id", "permissions.name"],
            name=op.f("fk_role_permissions_application_id_permission"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "role_id"],
            ["roles.tenant_id", "roles.id"],
            name=op.f("fk_role_permissions_tenant_id_role_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "role_id", "application_id", "permission", name=op.f("pk_role_permissions")
        ),
    )
    op.create_index(
        op.f("ix_role_permissions_application_id_permission"),
        "role_permissions",
        ["application_id", "permission"],
        unique=False,
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("tenant_id", sa.String(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.Column("last_tried_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", types.UTCDateTime(timezone=True), nullable=True),
        sa.Column("created_at", types.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'failed')",
            name=op.f("ck_webhook_deliveries_state_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "endpoint_id"],
            ["webhook_endpoints.tenant_id", "webhook_endpoints.id"],
            name=op.f("fk_webhook_deliveries_tenant_id_endpoint_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint(
            "tenant_id",
            "endpoint_id",
            "event_id",
            name=op.f("uq_webhook_deliveries_tenant_id_endpoint_id_event_id"),
        ),
    )
    op.create_index(
        op.f("ix_webhook_deliveries_created_at"), "webhook_deliveries", ["created_at"], unique=False
    )
    op.create_index(
        op.f("ix_webhook_deliveries_tenant_id_endpoint_id_created_at_id"),
        "webhook_deliveries",
        ["tenant_id", "endpoint_id", "created_at", "id"],
        unique=False,
    )
    op.add_column(
        "clients", sa.Column("security_events_uri", sa.String(length=2000), nullable=True)
    )
    op.add_column("clients", sa.Column("application", sa.String(length=64), nullable=True))
    op.add_column("grants", sa.Column("account", sa.String(length=12), nullable=True))
    op.add_column("grants", sa.Column("company", sa.String(length=16), nullable=True))
    op.create_index(
        "ix_grants_in_account",
        "grants",
        ["account", "client_id"],
        unique=False,
        sqlite_where=sa.text("account IS NOT NULL"),
        postgresql_where=sa.text("account IS NOT NULL"),
    )
    op.add_column(
        "oauth_consents",
        sa.Column("account", sa.String(length=12), server_default="", nullable=False),
    )
    for table in _TENANT_TABLES:
        enable_row_level_security(op, table)
    let_people_read(op, "memberships")
    let_people_read(op, "accounts", through="memberships")
    let_people_read(op, "account_applications", through="memberships")


def downgrade() -> None:
    let_people_read_no_more(op, "accounts")
    let_people_read_no_more(op, "account_applications")
    op.drop_column("oauth_consents", "account")
    op.drop_index(
        "ix_grants_in_account",
        table_name="grants",
        sqlite_where=sa.text("account IS NOT NULL"),
        postgresql_where=sa.text("account IS NOT NULL"),
    )
    op.drop_column("grants", "company")
    op.drop_column("grants", "account")
    op.drop_column("clients", "application")
    op.drop_column("clients", "security_events_uri")
    op.drop_index(
        op.f("ix_webhook_deliveries_tenant_id_endpoint_id_created_at_id"),
        table_name="webhook_deliveries",
    )
    op.drop_index(op.f("ix_webhook_deliveries_created_at"), table_name="webhook_deliveries")
    op.drop_table("webhook_deliveries")
    op.drop_index(
        op.f("ix_role_permissions_application_id_permission"), table_name="role_permissions"
    )
    op.drop_table("role_permissions")
    op.drop_index(op.f("ix_invited_roles_tenant_id_invitation_id"), table_name="invited_roles")
    op.drop_table("invited_roles")
    op.drop_table("external_ids")
    op.drop_index(
        "uq_assignments_on_company",
        table_name="assignments",
        sqlite_where=sa.text("company_id IS NOT NULL"),
        postgresql_where=sa.text("company_id IS NOT NULL"),
    )
    op.drop_index(
        "uq_assignments_on_account",
        table_name="assignments",
        sqlite_where=sa.text("company_id IS NULL"),
        postgresql_where=sa.text("company_id IS NULL"),
    )
    op.drop_index(op.f("ix_assignments_tenant_id_role_id"), table_name="assignments")
    op.drop_index(op.f("ix_assignments_tenant_id_membership_id"), table_name="assignments")
    op.drop_index(op.f("ix_assignments_tenant_id_company_id"), table_name="assignments")
    op.drop_index(
        "ix_assignments_expiring",
        table_name="assignments",
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.drop_table("assignments")
    op.drop_index(op.f("ix_api_key_secrets_tenant_id_key_id"), table_name="api_key_secrets")
    op.drop_table("api_key_secrets")
    op.drop_index(
        op.f("ix_webhook_endpoints_tenant_id_created_at_id"), table_name="webhook_endpoints"
    )
    op.drop_table("webhook_endpoints")
    op.drop_index(
        "uq_roles_admin",
        table_name="roles",
        sqlite_where=sa.text("is_admin"),
        postgresql_where=sa.text("is_admin"),
    )
    op.drop_table("roles")
    op.drop_index(op.f("ix_memberships_tenant_id_kind_sort_name_id"), table_name="memberships")
    op.drop_index(op.f("ix_memberships_tenant_id_kind_email_key_id"), table_name="memberships")
    op.drop_index(op.f("ix_memberships_person_id"), table_name="memberships")
    op.drop_table("memberships")
    op.drop_index(
        "uq_invitations_open",
        table_name="invitations",
        sqlite_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
        postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
    )
    op.drop_index(op.f("ix_invitations_tenant_id_created_at_id"), table_name="invitations")
    op.drop_table("invitations")
    op.drop_index(op.f("ix_departures_person_id"), table_name="departures")
    op.drop_table("departures")
    op.drop_index(
        "uq_companies_main",
        table_name="companies",
        sqlite_where=sa.text("is_main"),
        postgresql_where=sa.text("is_main"),
    )
    op.drop_index(op.f("ix_companies_tenant_id_sort_name_id"), table_name="companies")
    op.drop_index(op.f("ix_companies_id"), table_name="companies")
    op.drop_table("companies")
    op.drop_index(op.f("ix_api_keys_tenant_id_created_at_id"), table_name="api_keys")
    op.drop_index(op.f("ix_api_keys_owner_id"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_index(op.f("ix_account_applications_application_id"), table_name="account_applications")
    op.drop_table("account_applications")
    op.drop_table("security_feeds")
    op.drop_index(
        "ix_security_events_open",
        table_name="security_events",
        sqlite_where=sa.text("accepted_at IS NULL AND refused_at IS NULL"),
        postgresql_where=sa.text("accepted_at IS NULL AND refused_at IS NULL"),
    )
    op.drop_index(op.f("ix_security_events_created_at"), table_name="security_events")
    op.drop_index(op.f("ix_security_events_client_id_created_at"), table_name="security_events")
    op.drop_table("security_events")
    op.drop_table("permissions")
    op.drop_index(op.f("ix_accounts_sort_name_tenant_id"), table_name="accounts")
    op.drop_index(op.f("ix_accounts_nip"), table_name="accounts")
    op.drop_table("accounts")
    op.drop_index(op.f("ix_idempotent_requests_expires_at"), table_name="idempotent_requests")
    op.drop_table("idempotent_requests")
    op.drop_index(
        "ix_facts_waiting",
        table_name="facts",
        sqlite_where=sa.text("handled_at IS NULL"),
        postgresql_where=sa.text("handled_at IS NULL"),
    )
    op.drop_index(op.f("ix_facts_handled_at"), table_name="facts")
    op.drop_table("facts")
    op.drop_table("applications")
