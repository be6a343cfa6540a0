import json

import pytest

from kernel.errors import NotFound
from kernel.pages import PageRequest
from tenants import configuration
from tenants.accounts import service as accounts
from tenants.accounts.service import AccountSuspended
from tenants.applications import own
from tenants.applications import service as applications
from tenants.applications.service import ACCOUNTS, Declared
from tenants.audit import account_chain, ledger
from tenants.companies import service as companies
from tenants.configuration import AnotherAccounts, NotAConfiguration
from tenants.database import db
from tenants.lifecycle import service as lifecycle
from tenants.roles import service as roles
from tenants.roles.power import Actor, NotPermitted, Power, Right

READ = Right(ACCOUNTS, "users:read")
CONTACTS = Right("crm", "contacts:read")


@pytest.fixture(autouse=True)
def declared(identity_app, now) -> None:
    declare(now)
    with db.transaction() as session:
        applications.declare(
            session,
            application=ACCOUNTS,
            name="Konta",
            audience="https://id.example/api",
            context="account",
            for_every_account=True,
            permissions=own.PERMISSIONS,
            now=now,
        )


def declare(now, *names: str) -> None:
    with db.transaction() as session:
        applications.declare(
            session,
            application="crm",
            name="CRM",
            audience="https://crm.example",
            context="account",
            for_every_account=False,
            permissions=[Declared(name, name, name) for name in names or ["contacts:read"]],
            now=now,
        )


@pytest.fixture
def account(now) -> str:
    return an_account(now)


def an_account(now) -> str:
    made = lifecycle.create(
        name="Alfa", nip="1234563218", creator=None, actor="operator", now=now, town="Łódź"
    )
    act(made.id, applications.give, application="crm", actor="x:y", by=None, now=now)
    return made.id


def act(account, what, *args, **words):
    with db.transaction(tenant=account) as session:
        return what(session, account, *args, **words)


def an_admin(account) -> Actor:
    return Actor("person:7", Power(account=account, is_admin=True))


def a_role(account, now, name="księgowość", rights=(READ, CONTACTS)):
    return act(account, roles.create, name=name, rights=rights, actor=an_admin(account), now=now)


def a_company(account, now, name="Beta"):
    return act(account, companies.create, {"name": name}, actor="operator", now=now)


def take_out(account, now):
    return act(account, configuration.take_out, actor=an_admin(account), now=now)


def bring_back(account, document, now):
    return act(
        account, configuration.bring_back, json.dumps(document), actor=an_admin(account), now=now
    )


def state(account):
    with db.reading(tenant=account) as session:
        found = accounts.find(session, account)
        details = {field: getattr(found, field) for field in accounts.CHANGEABLE}
        firms = companies.listed(session, account, asked=PageRequest()).items
        held = roles.listed(session, account, actor=an_admin(account))
    return (
        details,
        {one.id: (one.name, one.town) for one in firms},
        {one.name: (one.ticks, one.second_factor) for one in held},
    )


@pytest.mark.product("TEN-5")
def test_a_configuration_carries_the_id_of_its_account(account, now):
    assert take_out(account, now)["account"] == account


@pytest.mark.product("TEN-5")
def test_a_configuration_comes_back_as_it_was(account, now):
    role, firm, gone = (
        a_role(account, now),
        a_company(account, now),
        a_company(account, now, "Gamma"),
    )
    removed = a_role(account, now, "sprzedaż", [CONTACTS])
    before, document = state(account), take_out(account, now)
    admin = an_admin(account)
    act(account, accounts.change, {"name": "Inna", "town": None}, version=None, actor="x", now=now)
    act(account, companies.change, firm.id, {"town": "Sopot"}, version=None, actor="x", now=now)
    act(account, companies.archive, gone.id, version=None, actor="x", now=now)
    act(
        account,
        roles.change,
        role.id,
        name="inna",
        rights=[],
        second_factor="strong",
        actor=admin,
        now=now,
    )
    act(account, roles.remove, removed.id, actor=admin, now=now)

    done = bring_back(account, document, now)

    assert state(account) == before
    assert done.details
    assert set(done.companies) == {firm.id, gone.id}
    assert len(done.roles) == 2
    assert done.missing == ()


@pytest.mark.product("TEN-5")
def test_bringing_back_what_is_there_changes_nothing(account, now):
    a_role(account, now)
    a_company(account, now)

    done = bring_back(account, take_out(account, now), now)

    assert (done.details, done.companies, done.roles) == (False, (), ())


def test_what_was_archived_then_is_archived_again(account, now):
    firm = a_company(account, now)
    act(account, companies.archive, firm.id, version=None, actor="x", now=now)
    document = take_out(account, now)
    act(account, companies.restore, firm.id, version=None, actor="x", now=now)

    assert bring_back(account, document, now).companies == (firm.id,)
    assert firm.id not in state(account)[1]


def test_what_came_since_stays(account, now):
    document = take_out(account, now)
    firm, role = a_company(account, now), a_role(account, now)

    bring_back(account, document, now)

    assert firm.id in state(account)[1]
    assert role.name in state(account)[2]


@pytest.mark.product("TEN-5")
def test_a_configuration_is_refused_by_another_account(account, now):
    other = an_account(now)
    before = state(other)

    with pytest.raises(AnotherAccounts):
        bring_back(other, take_out(account, now), now)

    assert state(other) == before


@pytest.mark.product("TEN-5")
def test_writing_another_id_into_it_does_not_help(account, now):
    other = an_account(now)

    with pytest.raises(NotAConfiguration):
        bring_back(other, {**take_out(account, now), "account": other}, now)


@pytest.mark.security("15.1")
def test_a_document_that_was_changed_or_is_none_is_refused(account, now):
    document = take_out(account, now)

    refused: tuple[object, ...] = (
        {**document, "details": {"name": "Inna"}},
        {**document, "more": 1},
        {name: value for name, value in document.items() if name != "signature"},
        {**document, "signature": 7},
        {**document, "signature": "ż"},
        [],
        7,
        None,
    )
    for wrong in refused:
        with pytest.raises(NotAConfiguration):
            bring_back(account, wrong, now)
    for text in ("", "{", "[" * 100_000, b"\xff", " " * (configuration.LARGEST + 1)):
        with pytest.raises(NotAConfiguration):
            act(account, configuration.bring_back, text, actor=an_admin(account), now=now)


def test_a_permission_that_is_there_no_more_is_left_out_and_named(account, now):
    role = a_role(account, now)
    document = take_out(account, now)
    declare(now, "contacts:write")

    done = bring_back(account, document, now)

    assert done.missing == (CONTACTS,)
    assert role.name in state(account)[2]


@pytest.mark.security("12.4", "12.1")
def test_only_an_admin_takes_a_configuration_out_or_brings_it_back(account, now):
    document = take_out(account, now)
    manage = frozenset({Right(ACCOUNTS, "account:manage")})
    manager = Actor("person:8", Power(account=account, on_account=manage))
    stranger = Actor("person:9", Power(account=an_account(now), is_admin=True))

    for actor, refusal in ((manager, NotPermitted), (stranger, NotFound)):
        with pytest.raises(refusal):
            act(account, configuration.take_out, actor=actor, now=now)
        with pytest.raises(refusal):
            act(account, configuration.bring_back, json.dumps(document), actor=actor, now=now)


def test_a_suspended_account_keeps_its_configuration(account, now):
    document = take_out(account, now)
    act(account, lifecycle.suspend, reason=None, actor="operator", now=now)

    with pytest.raises(AccountSuspended):
        bring_back(account, document, now)


@pytest.mark.product("TEN-13")
def test_both_are_in_the_audit_trail(account, now):
    bring_back(account, take_out(account, now), now)

    with db.reading() as session:
        rows = ledger.history(session, chain=account_chain(account), limit=2)
    assert [row.event for row in rows] == [
        "account:configuration:imported",
        "account:configuration:exported",
    ]
    assert {row.actor for row in rows} == {"person:7"}
