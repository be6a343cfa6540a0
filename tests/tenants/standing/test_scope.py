"""What of a standing counts where, as tables."""

from datetime import timedelta
from typing import Any

import pytest

from kernel.ids import new_id
from tenants.applications.rights import Right
from tenants.standing import scope
from tenants.standing.service import HeldRole, Standing
from tests.conftest import NOON

ACCOUNT, COMPANY, OTHER = "a" * 12, "c" * 16, "d" * 16
READ, WRITE, SETTINGS = (Right("crm", name) for name in ("x:read", "x:write", "x:settings"))


def a_standing(**changes):
    """An active member of an active account that has the CRM, without any role."""
    facts: dict[str, Any] = {
        "account": ACCOUNT,
        "account_name": "Zielony Dom",
        "account_status": "active",
        "person_id": new_id(),
        "person_is_active": True,
        "member_id": new_id(),
        "member_state": "active",
        "client_id": None,
        "client_state": None,
        "signed_out_at": None,
        "sign_in_hours": None,
        "wants_strong": False,
        "applications": frozenset({"crm"}),
        "roles": (),
        "all_rights": frozenset({READ, WRITE, SETTINGS}),
        "all_company_rights": frozenset({READ, WRITE}),
    } | changes
    return Standing(**facts)


def held(*rights, company=None, **changes):
    facts: dict[str, Any] = {"is_admin": False, "wants_strong": False} | changes
    return HeldRole(new_id(), "A role", company=company, rights=frozenset(rights), **facts)


@pytest.mark.security("12.2", "13.1")
@pytest.mark.parametrize(
    ("roles", "on_account", "on_company"),
    [
        ((), set(), set()),
        ((held(READ),), {READ}, {READ}),
        ((held(READ, company=COMPANY),), set(), {READ}),
        ((held(READ, company=OTHER),), set(), set()),
        ((held(READ), held(WRITE, company=COMPANY)), {READ}, {READ, WRITE}),
        ((held(is_admin=True),), {READ, WRITE, SETTINGS}, {READ, WRITE, SETTINGS}),
        ((held(is_admin=True, company=COMPANY),), set(), {READ, WRITE}),
        ((held(is_admin=True, company=OTHER),), set(), set()),
    ],
)
def test_rights_count_where_the_role_is_held(roles, on_account, on_company):
    standing = a_standing(roles=roles)

    assert scope.rights_in(standing, None) == on_account
    assert scope.rights_in(standing, COMPANY) == on_company
    assert scope.reaches(standing, COMPANY) == any(role.company != OTHER for role in roles)


@pytest.mark.parametrize(
    ("changes", "why_not"),
    [
        ({}, None),
        ({"account_status": "suspended"}, "the account is not active"),
        ({"account_status": "closed"}, "the account is not active"),
        ({"person_is_active": False}, "the person may not sign in"),
        ({"member_state": "pending"}, "the person is no active member"),
        ({"member_state": "blocked"}, "the person is no active member"),
        ({"member_state": None, "client_state": "active"}, "the person is no active member"),
        ({"applications": frozenset()}, "the account does not have the application"),
    ],
)
def test_there_is_no_context_where(changes, why_not):
    standing = a_standing(**changes)

    assert scope.why_not_there(standing, application="crm", company=None) == why_not


@pytest.mark.parametrize(
    ("changes", "why_not"),
    [
        ({"company": COMPANY, "roles": (held(),)}, None),
        ({"company": COMPANY, "roles": (held(company=COMPANY),)}, None),
        ({"roles": (held(),)}, "no such company, or it is archived"),
        ({"company": COMPANY}, "the person has nothing to do with the company"),
        (
            {"company": COMPANY, "roles": (held(company=OTHER),)},
            "the person has nothing to do with the company",
        ),
    ],
)
def test_a_company_is_a_context_where(changes, why_not):
    assert scope.why_not_there(a_standing(**changes), application="crm", company=COMPANY) == why_not


def test_there_is_no_context_without_a_standing():
    assert scope.why_not_there(None, application=None, company=None) is not None


@pytest.mark.product("ID-6")
@pytest.mark.parametrize(
    ("changes", "on_account", "on_company"),
    [
        ({}, False, False),
        ({"wants_strong": True}, True, True),
        ({"roles": (held(wants_strong=True),)}, True, True),
        ({"roles": (held(wants_strong=True, company=COMPANY),)}, False, True),
        ({"roles": (held(wants_strong=True, company=OTHER),)}, False, False),
    ],
)
def test_a_strong_sign_in_is_asked_for_where(changes, on_account, on_company):
    standing = a_standing(**changes)

    assert scope.asks_for_strong(standing, None) == on_account
    assert scope.asks_for_strong(standing, COMPANY) == on_company


@pytest.mark.security("5.4")
@pytest.mark.parametrize(
    ("changes", "is_good"),
    [
        ({}, True),
        ({"signed_out_at": NOON - timedelta(hours=1, seconds=1)}, True),
        ({"signed_out_at": NOON - timedelta(hours=1)}, False),
        ({"sign_in_hours": 1}, True),
        ({"sign_in_hours": 0}, False),
    ],
)
def test_a_sign_in_of_an_hour_ago_counts_where(changes, is_good):
    why_not = scope.why_too_old(
        a_standing(**changes), auth_time=NOON - timedelta(hours=1), now=NOON
    )

    assert (why_not is None) == is_good
