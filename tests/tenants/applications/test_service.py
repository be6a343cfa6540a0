from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from kernel.errors import NotFound
from tenants.applications import own
from tenants.applications import service as applications
from tenants.applications.rights import Right
from tenants.applications.service import CannotDeclare, Declared, ForEveryAccount
from tenants.audit import account_chain, ledger
from tenants.database import db
from tenants.facts.models import Fact
from tenants.lifecycle import service as lifecycle
from tenants.roles import service as roles
from tenants.roles.power import Actor, Power
from tests.idp.race import all_at_once

pytestmark = pytest.mark.usefixtures("identity_app")

READ = Declared("contacts:read", "See contacts", "Podgląd kontaktów")
WRITE = Declared("contacts:write", "Edit contacts", "Edycja kontaktów")


def declare(*permissions, now, **changes):
    facts = {
        "application": "crm",
        "name": "CRM",
        "audience": "https://crm.example",
        "context": "account",
        "for_every_account": False,
    }
    with db.transaction() as session:
        return applications.declare(
            session, **{**facts, **changes}, permissions=permissions, now=now
        )


def names() -> list[str]:
    with db.reading() as session:
        return [right.permission for right in applications.declared(session)]


@pytest.mark.product("OP-4")
def test_an_application_declares_what_it_lets_people_do(now):
    assert declare(READ, WRITE, now=now)

    with db.reading() as session:
        found = applications.declared(session)
        application = applications.find(session, "crm")
    assert list(found) == [Right("crm", "contacts:read"), Right("crm", "contacts:write")]
    assert found[Right("crm", "contacts:read")].label_pl == "Podgląd kontaktów"
    assert application is not None
    assert application.context == "account"


@pytest.mark.product("OP-4")
def test_declaring_the_same_again_changes_nothing(now):
    declare(READ, WRITE, now=now)

    assert not declare(READ, WRITE, now=now + timedelta(days=1))


@pytest.mark.product("OP-4")
def test_a_permission_that_is_declared_no_more_is_retired_and_may_return(now):
    declare(READ, WRITE, now=now)

    assert declare(READ, now=now)
    assert names() == ["contacts:read"]

    assert declare(READ, WRITE, now=now)
    assert names() == ["contacts:read", "contacts:write"]


@pytest.mark.product("OP-4")
def test_labels_and_order_follow_the_declaration(now):
    declare(READ, WRITE, now=now)
    other = Declared("contacts:read", "Look at contacts", "Kontakty: podgląd", "account")

    assert declare(WRITE, other, now=now, name="Office CRM")

    with db.reading() as session:
        found = applications.declared(session)
        assert applications.find(session, "crm").name == "Office CRM"
    assert names() == ["contacts:write", "contacts:read"]
    assert found[Right("crm", "contacts:read")].label_en == "Look at contacts"
    assert found[Right("crm", "contacts:read")].level == "account"


@pytest.mark.parametrize(
    ("permissions", "changes"),
    [
        ([Declared("contacts", "See", "Podgląd")], {}),
        ([Declared("Contacts:Read", "See", "Podgląd")], {}),
        ([READ, READ], {}),
        ([Declared("contacts:read", "", "Podgląd")], {}),
        ([Declared("contacts:read", "See", "x" * 201)], {}),
        ([Declared("contacts:read", "See", "Podgląd", "planet")], {}),
        ([READ], {"context": "planet"}),
        ([READ], {"name": ""}),
    ],
)
def test_what_is_no_declaration_is_refused(permissions, changes, now):
    with pytest.raises(CannotDeclare):
        declare(*permissions, now=now, **changes)

    assert names() == []


def test_two_applications_never_have_one_audience(now):
    declare(READ, now=now)
    declare(now=now, application="shop", name="Shop", audience="https://shop.example")

    with pytest.raises(CannotDeclare):
        declare(now=now, application="other", name="Other")
    with pytest.raises(CannotDeclare):
        declare(now=now, application="shop", name="Shop")


@pytest.mark.security("15.2")
def test_of_many_who_declare_at_once_all_are_right(identity_app, now):
    answers = all_at_once(identity_app, 50, lambda: declare(READ, WRITE, now=now))

    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert answers.count(True) == 1
    assert names() == ["contacts:read", "contacts:write"]


def test_every_permission_of_the_api_itself_can_be_declared(now):
    declare(
        *own.PERMISSIONS,
        now=now,
        application=applications.ACCOUNTS,
        name="Accounts",
        audience="https://id.example/api",
        for_every_account=True,
    )

    assert names() == [one.name for one in own.PERMISSIONS]


@pytest.fixture
def account(now) -> str:
    declare(READ, now=now)
    return an_account(now)


def an_account(now) -> str:
    return lifecycle.create(
        name="Alfa", nip="1234563218", creator=None, actor="operator", now=now
    ).id


def give(account, now, application="crm"):
    with db.transaction(tenant=account) as session:
        return applications.give(
            session, account, application=application, actor="operator", by=None, now=now
        )


def take_away(account, now, application="crm"):
    with db.transaction(tenant=account) as session:
        return applications.take_away(
            session, account, application=application, actor="operator", now=now
        )


def having(account) -> list[str]:
    with db.reading(tenant=account) as session:
        return [one.id for one in applications.given_to(session, account)]


@pytest.mark.product("TEN-17")
def test_an_account_has_the_applications_that_it_was_given(account, now):
    assert having(account) == []

    assert give(account, now)
    assert not give(account, now)
    assert having(account) == ["crm"]

    assert take_away(account, now)
    assert not take_away(account, now)
    assert having(account) == []


@pytest.mark.product("TEN-17")
def test_an_application_of_one_account_is_not_that_of_another_with_its_nip(account, now):
    other = an_account(now)

    give(account, now)

    assert having(other) == []


@pytest.mark.product("TEN-17")
def test_what_every_account_has_is_neither_given_nor_taken(account, now):
    declare(now=now, application="portal", audience="https://p.example", for_every_account=True)

    assert having(account) == ["portal"]
    for what in (give, take_away):
        with pytest.raises(ForEveryAccount):
            what(account, now, "portal")
        with pytest.raises(NotFound):
            what(account, now, "unknown")


@pytest.mark.product("TEN-13")
@pytest.mark.security("17.1")
def test_giving_and_taking_are_in_the_history_of_the_account_and_told(account, now):
    give(account, now)
    take_away(account, now)

    with db.reading() as session:
        rows = ledger.history(session, chain=account_chain(account), limit=2)
        told = session.scalars(select(Fact).order_by(Fact.number.desc()).limit(2)).all()
    assert [row.event for row in rows] == ["application:taken", "application:given"]
    assert {row.subject for row in rows} == {"application:crm"}
    assert [fact.kind for fact in told] == [
        "account.application.taken",
        "account.application.given",
    ]
    assert told[0].details == {"application": "crm"}


@pytest.mark.security("15.2")
def test_of_fifty_who_give_or_take_at_once_one_does(identity_app, account, now):
    for what in (give, take_away):
        answers = all_at_once(identity_app, 50, partial(what, account, now))

        assert answers.count(True) == 1
        assert answers.count(False) == 49


@pytest.mark.product("OP-4")
def test_a_role_keeps_its_ticks_while_a_permission_is_retired(account, now):
    give(account, now)
    admin = Actor("person:7", Power(account=account, is_admin=True))
    right = Right("crm", "contacts:read")
    with db.transaction(tenant=account) as session:
        role = roles.create(session, account, name="biuro", rights=[right], actor=admin, now=now)

    def ticks():
        with db.reading(tenant=account) as session:
            return roles.find(session, account, role.id, actor=admin).ticks

    declare(now=now)
    assert ticks() == frozenset()
    declare(READ, now=now)
    assert ticks() == {right}


@pytest.mark.product("OP-4")
def test_a_new_permission_starts_with_the_admins_alone(account, now):
    give(account, now)
    admin = Actor("person:7", Power(account=account, is_admin=True))
    with db.transaction(tenant=account) as session:
        roles.create(session, account, name="biuro", rights=[], actor=admin, now=now)

    declare(READ, WRITE, now=now)

    with db.reading(tenant=account) as session:
        found = roles.listed(session, account, actor=admin)
    assert {role.name for role in found if role.has(Right("crm", "contacts:write"))} == {"admin"}
