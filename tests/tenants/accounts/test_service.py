from datetime import timedelta

import pytest
from sqlalchemy import select

from kernel.errors import NotFound, VersionConflict
from kernel.pages import CursorUnusable, PageRequest
from tenants.accounts import service as accounts
from tenants.accounts.service import AccountSuspended, IdTaken, NotValid, Status
from tenants.audit import account_chain, ledger
from tenants.database import db
from tenants.facts.models import Fact
from tenants.lifecycle import service as lifecycle
from tests.idp.race import all_at_once

pytestmark = pytest.mark.usefixtures("identity_app")

NIP = "5260001246"


def an_account(now, name="Dom i Ogród", **details):
    return lifecycle.create(name=name, creator=None, actor="operator", now=now, **details)


def act(account, what, *args, **words):
    with db.transaction(tenant=account.id) as session:
        return what(session, account.id, *args, **words)


def change(account, now, version=None, actor="person:7", **values):
    return act(account, accounts.change, values, version=version, actor=actor, now=now)


def operators_list(**words):
    with db.reading(everywhere=True) as session:
        return accounts.listed(session, asked=words.pop("asked", PageRequest()), **words)


@pytest.mark.product("TEN-2")
def test_an_account_has_its_details(now):
    details = {
        "nip": NIP,
        "is_accounting_office": True,
        "street": "Polna 7",
        "postcode": "00-950",
        "town": "Warszawa",
        "country": "PL",
    }
    account = an_account(now, **details)

    with db.reading(tenant=account.id) as session:
        found = accounts.find(session, account.id)

    assert found == account
    assert {field: getattr(found, field) for field in details} == details
    assert found.is_active


@pytest.mark.product("TEN-2")
def test_every_detail_of_an_account_can_be_changed(now):
    account = an_account(now)
    values = {
        "name": "Biuro Żak",
        "nip": "526-000-12-46",
        "is_accounting_office": True,
        "street": "Polna 7",
        "postcode": "00-950",
        "town": "Warszawa",
        "country": "DE",
        "second_factor": "strong",
        "sign_in_hours": 12,
    }

    changed = change(account, now + timedelta(hours=1), **values)

    assert {field: getattr(changed, field) for field in values} == {**values, "nip": NIP}
    assert (changed.version, changed.updated_at) == (2, now + timedelta(hours=1))


@pytest.mark.product("TEN-2")
def test_the_account_id_is_no_detail_that_changes(now):
    with pytest.raises(NotValid):
        change(an_account(now), now, id="0123456789ab")


@pytest.mark.product("TEN-13")
@pytest.mark.security("17.1")
def test_a_change_says_in_the_history_who_changed_what_from_what(now):
    account = an_account(now)
    change(account, now, name="Biuro Żak", actor="person:7")

    with db.reading() as session:
        row = ledger.history(session, chain=account_chain(account.id))[0]
        fact = session.scalars(select(Fact).order_by(Fact.number.desc()).limit(1)).one()

    assert (row.event, row.actor, row.account) == ("account:changed", "person:7", account.id)
    assert row.details == {"fields": ["name"]}
    assert row.personal == {"name": ["Dom i Ogród", "Biuro Żak"]}
    assert (fact.kind, fact.account, fact.details) == (
        "account.changed",
        account.id,
        {"fields": ["name"]},
    )


def test_a_change_to_what_is_there_already_changes_nothing(now):
    account = an_account(now)

    assert change(account, now, name=" Dom i  Ogród") == account


@pytest.mark.parametrize(
    "values",
    [
        {"second_factor": "mail"},
        {"sign_in_hours": 0},
        {"sign_in_hours": True},
        {"sign_in_hours": 24 * 90 + 1},
        {"is_accounting_office": "yes"},
        {"status": "closed"},
        {"flagged_at": None},
    ],
)
@pytest.mark.security("15.1", "12.3")
def test_what_is_no_detail_is_refused(values, now):
    with pytest.raises(NotValid) as refused:
        change(an_account(now), now, **values)

    assert refused.value.field in values


def test_an_account_that_was_changed_meanwhile_is_not_changed_blindly(now):
    account = an_account(now)
    change(account, now, version=1, town="Łódź")

    with pytest.raises(VersionConflict):
        change(account, now, version=1, town="Gdynia")

    assert change(account, now, version=2, town="Gdynia").town == "Gdynia"


@pytest.mark.security("15.2")
def test_of_fifty_changes_under_one_version_one_wins(identity_app, now):
    account = an_account(now)
    towns = iter(f"Miasto {number}" for number in range(50))

    answers = all_at_once(identity_app, 50, lambda: change(account, now, 1, town=next(towns)))

    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert all(isinstance(a, VersionConflict) for a in answers if isinstance(a, Exception))
    with db.reading(tenant=account.id) as session:
        assert accounts.find(session, account.id).version == 2


def test_a_suspended_account_is_not_changed_and_a_closed_one_not_found(now):
    account = an_account(now)
    act(account, lifecycle.suspend, reason=None, actor="operator", now=now)
    with pytest.raises(AccountSuspended):
        change(account, now, town="Łódź")

    act(account, lifecycle.close, actor="operator", now=now)
    with pytest.raises(NotFound):
        change(account, now, town="Łódź")


@pytest.mark.security("13.6")
def test_another_account_is_not_there(now):
    first, second = an_account(now), an_account(now)

    with db.transaction(tenant="0" * 12) as session, pytest.raises(NotFound):
        accounts.hold(session, "0" * 12)
    with pytest.raises(IdTaken), db.transaction(tenant=second.id) as session:
        accounts.insert(session, second.id, {"name": "Dom"}, created_by=None, now=now)
    assert first.id != second.id


def test_an_account_is_flagged_once_and_a_closed_one_never(now):
    account = an_account(now)

    assert act(account, accounts.flag, actor="operator", now=now)
    assert not act(account, accounts.flag, actor="operator", now=now)
    assert act(account, accounts.unflag)
    assert not act(account, accounts.unflag)

    act(account, lifecycle.close, actor="operator", now=now)
    assert not act(account, accounts.flag, actor="operator", now=now)


def test_the_operator_reads_all_accounts_by_name_a_page_at_a_time(now):
    for name in ("Żabka", "alfa", "Beta", "Ćma", "gamma"):
        an_account(now, name)

    first = operators_list(asked=PageRequest(limit=2))
    second = operators_list(asked=PageRequest(limit=2, cursor=first.next))

    assert [one.name for one in (*first.items, *second.items)] == ["alfa", "Beta", "Ćma", "gamma"]
    assert first.total == 5
    with pytest.raises(CursorUnusable):
        operators_list(asked=PageRequest(cursor=first.next), status="active")


def test_the_operator_finds_an_account_by_part_of_its_name_by_nip_and_by_id(now):
    account = an_account(now, "Ćma 100% Sp. z o.o.", nip=NIP)
    other = an_account(now, "Beta")

    for text in ("ĆMA", "100%", NIP, account.id):
        assert [one.id for one in operators_list(text=text).items] == [account.id]
    assert operators_list(text="1%0").items == ()
    assert [one.id for one in operators_list(text=other.id).items] == [other.id]


def test_the_operator_finds_accounts_by_their_state_and_those_that_wait(now):
    suspended, flagged, _ = an_account(now, "A"), an_account(now, "B"), an_account(now, "C")
    act(suspended, lifecycle.suspend, reason=None, actor="operator", now=now)
    act(flagged, accounts.flag, actor="operator", now=now)

    assert [one.id for one in operators_list(status=Status.SUSPENDED).items] == [suspended.id]
    assert [one.id for one in operators_list(flagged=True).items] == [flagged.id]


@pytest.mark.product("TEN-17")
def test_accounts_with_one_nip_share_nothing(now):
    first, second = an_account(now, nip=NIP), an_account(now, nip=NIP)

    change(first, now, name="Inna nazwa", town="Łódź")
    act(first, lifecycle.suspend, reason=None, actor="operator", now=now)

    with db.reading(tenant=second.id) as session:
        assert accounts.find(session, second.id) == second
