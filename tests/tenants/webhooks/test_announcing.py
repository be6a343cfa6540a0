"""An account hears what it asked for of what happened in it, and nothing of others."""

import pytest

from idp import facts as hearing
from kernel.pages import PageRequest
from tenants.database import db
from tenants.facts.service import Kind, note
from tenants.webhooks import deliveries
from tenants.webhooks import service as webhooks
from tests.tenants.making import a_person, an_account
from tests.tenants.webhooks.making import ACTOR, an_endpoint

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-16")]


def happened(kind, now, *, account, **details):
    with db.transaction() as session:
        fact = note(session, kind, account=account, person_id=a_person(), now=now, **details)
    hearing.hear(now)
    return fact


def told(account, endpoint):
    with db.reading(tenant=account) as session:
        return deliveries.listed(session, account, endpoint.id, asked=PageRequest()).items


def test_an_endpoint_hears_of_its_account(now):
    account = an_account().id
    endpoint, _ = an_endpoint(account, now)

    fact = happened(Kind.MEMBER_ADDED, now, account=account, membership="m-1")

    [one] = told(account, endpoint)
    assert (one.event_id, one.kind, one.state) == (fact, "member.added", "waiting")
    assert one.payload == {
        "type": "member.added",
        "timestamp": now.isoformat(),
        "data": {"account": account, "membership": "m-1"},
    }


@pytest.mark.security("13.5")
def test_another_accounts_endpoint_hears_nothing(now):
    account, other = an_account().id, an_account().id
    strange, _ = an_endpoint(other, now)

    happened(Kind.MEMBER_ADDED, now, account=account)

    assert told(other, strange) == ()


def test_an_endpoint_hears_only_the_kinds_that_it_asked_for(now):
    account = an_account().id
    endpoint, _ = an_endpoint(account, now, events=["role.changed"])

    happened(Kind.MEMBER_ADDED, now, account=account)
    happened(Kind.ROLE_CHANGED, now, account=account)

    assert [one.kind for one in told(account, endpoint)] == ["role.changed"]


def test_an_endpoint_that_is_switched_off_hears_nothing(now):
    account = an_account().id
    endpoint, _ = an_endpoint(account, now)
    with db.transaction(tenant=account) as session:
        webhooks.disable(session, account, endpoint.id, actor=ACTOR, now=now)

    happened(Kind.MEMBER_ADDED, now, account=account)

    assert told(account, endpoint) == ()


def test_nobody_hears_who_a_person_is_nor_that_an_id_was_blocked(now):
    account = an_account().id
    endpoint, _ = an_endpoint(account, now)

    happened(Kind.PERSON_BLOCKED, now, account=None)
    happened(Kind.MEMBER_BLOCKED, now, account=account)

    [one] = told(account, endpoint)
    assert one.payload["data"] == {"account": account}
