"""The walls between accounts stand around every table, and who may look over all of them is listed."""

import ast
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import UniqueConstraint, create_engine, pool, text

from kernel.database import OWN, migrations
from kernel.database.scopes import TENANT_COLUMN, tenant_tables
from kernel.database.tenancy import EVERYWHERE_ROLE
from tests.architecture.packages import modules, tree_of
from tests.conftest import APPLICATION_ROLE, ON_POSTGRESQL

import_module("idp.app")
METADATA = import_module("tenants.database").Base.metadata
GUARDED = sorted(tenant_tables(METADATA), key=lambda table: table.name)

# Who may look over all accounts, and why; nobody else may.
EVERYWHERE: dict[str, str] = {
    "tenants/crowd/service.py": "a crowd of all accounts at once, to measure with",
    "idp/cli/account.py": "the operator lists all accounts",
    "idp/cli/doctor.py": "the operator is told of accounts without an admin",
    "idp/demo/accounts.py": "the set-up asks whether the demo people have accounts",
    "idp/blocking/service.py": "the operator blocks a person in every account at once",
    "kernel/resealing.py": "what an old key sealed is sealed anew, whoever's it is",
    "tenants/webhooks/deliveries.py": "old deliveries are cleaned away, whoever's they are",
    "tenants/facts/service.py": "what happened in one account may be for the ears of others",
    "tenants/api/me.py": "a person's companies in all their accounts, in one statement about that person",
    "tenants/members/arrival.py": "who signs in is seen by every account that added them before",
    "tenants/members/expiry.py": "roles whose time is over are looked for in every account",
}


@pytest.fixture
def identity_url(make_database: Callable[..., str]) -> str:
    return make_database("identity", lambda owner: migrations.upgrade("identity", owner))


def _rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    """What the database's own catalog says; SQLite has no such catalog, and no such walls."""
    if not ON_POSTGRESQL:
        return []
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_there_are_tables_of_tenants():
    assert {"accounts", "companies", "memberships", "assignments", "roles", "api_keys"} <= {
        table.name for table in GUARDED
    }


@pytest.mark.security("13.2")
@pytest.mark.parametrize("table", GUARDED, ids=lambda table: table.name)
def test_the_tenant_is_part_of_every_key(table):
    assert not table.c[TENANT_COLUMN].nullable
    assert TENANT_COLUMN in table.primary_key.columns
    for reference in table.foreign_key_constraints:
        if reference.referred_table in GUARDED:
            assert TENANT_COLUMN in reference.column_keys, reference.name


@pytest.mark.security("13.2")
@pytest.mark.parametrize("table", GUARDED, ids=lambda table: table.name)
def test_what_is_unique_is_unique_within_the_tenant_or_random(table):
    """Else somebody could find out what another tenant has, by trying to have the same."""
    random = {("companies", ("id",)), ("invitations", ("token_hash",))}
    unique = [
        tuple(each.columns.keys())
        for each in table.constraints
        if isinstance(each, UniqueConstraint)
    ] + [tuple(index.columns.keys()) for index in table.indexes if index.unique]

    for columns in unique:
        assert TENANT_COLUMN in columns or (table.name, columns) in random


@pytest.mark.security("13.3")
def test_every_table_with_a_tenant_hides_the_rows_of_others_from_its_owner_too(identity_url):
    walled = _rows(
        identity_url,
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity ORDER BY 1",
    )

    expected = [(table.name,) for table in GUARDED] if ON_POSTGRESQL else []
    assert sorted(walled) == expected


@pytest.mark.security("13.3")
def test_the_policies_are_these_and_no_others(identity_url):
    found = {
        (table, policy, command, bool(using), bool(check))
        for table, policy, command, using, check in _rows(
            identity_url, "SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies"
        )
    }
    expected = {
        *((table.name, "tenant", "ALL", True, True) for table in GUARDED),
        *((table.name, "everywhere", "ALL", True, True) for table in GUARDED),
        *((t.name, "own", "SELECT", True, False) for t in GUARDED if OWN in t.info),
    }

    assert found == (expected if ON_POSTGRESQL else set())


@pytest.mark.security("13.3")
def test_no_role_of_ours_gets_past_the_walls_and_no_function_or_view_leads_around_them(
    identity_url,
):
    powerful = {
        role
        for (role,) in _rows(
            identity_url, "SELECT rolname FROM pg_roles WHERE rolbypassrls OR rolsuper"
        )
    }
    around = _rows(
        identity_url,
        "SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace "
        "WHERE prosecdef AND n.nspname = 'public' "
        "UNION SELECT viewname FROM pg_views WHERE schemaname = 'public'",
    )

    assert powerful.isdisjoint({APPLICATION_ROLE, EVERYWHERE_ROLE})
    assert around == []


@pytest.mark.security("13.5")
def test_who_looks_over_all_accounts_is_listed_with_a_reason():
    found = {
        str(path)
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "everywhere" and not str(path).startswith("kernel/database/")
    }

    assert found == set(EVERYWHERE)
