"""What a token says of its context, as a table."""

import pytest

from idp.contexts import claims
from kernel.ids import new_id
from tenants.applications.rights import Right
from tenants.standing.service import HeldRole
from tests.tenants.standing.test_scope import a_standing

READ, USERS = Right("crm", "contacts:read"), Right("accounts", "users:read")
ROLES = (
    HeldRole(new_id(), "Sprzedaż", False, False, None, frozenset({READ, USERS})),
    HeldRole(new_id(), "Biuro", False, False, "c" * 16, frozenset({Right("crm", "a:b")})),
)


def _of(**changes):
    facts = {
        "company": None,
        "application": "crm",
        "own_application": "crm",
        "scopes": ("openid",),
    } | changes
    return claims.of(a_standing(roles=ROLES), **facts)


@pytest.mark.product("OP-3")
@pytest.mark.parametrize(
    ("changes", "permissions"),
    [
        ({}, ["contacts:read"]),
        ({"company": "c" * 16}, ["a:b", "contacts:read"]),
        ({"application": "accounts"}, []),
        ({"application": "accounts", "scopes": ("openid", "accounts")}, ["users:read"]),
        ({"application": "accounts", "scopes": ("users:read",)}, ["users:read"]),
        ({"application": "accounts", "scopes": ("users:manage",)}, []),
        ({"application": None}, []),
        ({"application": None, "own_application": None}, []),
    ],
)
def test_permissions_are_the_audiences_narrowed_to_what_the_client_may_request(
    changes, permissions
):
    assert _of(**changes)["permissions"] == permissions


def test_roles_are_those_that_count_there():
    assert _of()["roles"] == ["Sprzedaż"]
    assert _of(company="c" * 16)["roles"] == ["Biuro", "Sprzedaż"]


def test_the_place_is_named_as_far_as_there_is_one():
    assert claims.place(None, None) == {}
    assert claims.place("a" * 12, None) == {"tenant_id": "a" * 12}
    assert claims.place("a" * 12, "c" * 16) == {"tenant_id": "a" * 12, "company_id": "c" * 16}


def test_a_list_of_more_than_four_kilobytes_becomes_the_place_where_it_is():
    told = {"tenant_id": "a" * 12, "roles": ["admin"], "permissions": ["x" * 4_092]}

    fits = claims.for_token(told, issuer="https://id.example")
    told["permissions"] = ["x" * 4_093]
    short = claims.for_token(told, issuer="https://id.example")

    assert fits["permissions"] == ["x" * 4_092]
    assert short == {
        "tenant_id": "a" * 12,
        "roles": ["admin"],
        "permissions_uri": "https://id.example/userinfo/context",
    }


def test_names_are_told_as_far_as_they_are_known():
    assert claims.named(None) == {}
    assert claims.named(a_standing()) == {"tenant_name": "Zielony Dom"}
