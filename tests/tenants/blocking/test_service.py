"""Blocking the last admin goes through, and the account shows that nobody can act for it."""

import pytest

from tenants.accounts import service as accounts
from tenants.blocking import service as blocking
from tenants.database import db
from tests.tenants.making import a_member, a_person, an_account, assign

pytestmark = pytest.mark.usefixtures("identity_app")


def block(person_id, now):
    with db.transaction(everywhere=True) as session:
        return blocking.block(session, person_id, actor="operator", now=now)


def unblock(person_id, now):
    with db.transaction(everywhere=True) as session:
        return blocking.unblock(session, person_id, now=now)


def flagged_at(account):
    with db.reading(tenant=account) as session:
        return accounts.find(session, account).flagged_at


@pytest.mark.product("ID-11")
def test_the_last_admin_is_blocked_and_the_account_is_flagged(now):
    account, admin = an_account(), a_person()
    a_member(account.id, admin, roles=[account.admin_role])

    done = block(admin, now)

    assert done.accounts == (account.id,)
    assert flagged_at(account.id) == now


def test_an_account_with_another_admin_is_not_flagged(now):
    account, admin = an_account(), a_person()
    a_member(account.id, admin, roles=[account.admin_role])
    a_member(account.id, roles=[account.admin_role])

    assert block(admin, now).accounts == ()
    assert flagged_at(account.id) is None


@pytest.mark.parametrize(
    "other",
    [
        {"state": "pending"},
        {"state": "blocked"},
        {"expires_at": "soon"},
        {"person": "blocked"},
        {"company": True},
    ],
)
def test_who_can_not_act_for_the_whole_account_does_not_count(other, now):
    account, admin, second = an_account(), a_person(), a_person()
    a_member(account.id, admin, roles=[account.admin_role])
    member = a_member(account.id, second, **{k: v for k, v in other.items() if k == "state"})
    assign(
        account.id,
        member,
        account.admin_role,
        account.main_company if "company" in other else None,
        expires_at=now if "expires_at" in other else None,
    )
    if other.get("person") == "blocked":
        block(second, now)

    assert block(admin, now).accounts == (account.id,)


def test_unblocking_an_admin_takes_the_flag_away(now):
    account, admin = an_account(), a_person()
    a_member(account.id, admin, roles=[account.admin_role])
    block(admin, now)

    assert unblock(admin, now).accounts == (account.id,)
    assert flagged_at(account.id) is None
