from datetime import timedelta

import pytest

from tenants.applications import own
from tenants.applications import service as applications
from tenants.applications.rights import Right
from tenants.applications.service import CannotDeclare, Declared
from tenants.database import db
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
        assert applications.for_audience(session, "https://crm.example") == application
        assert applications.for_audience(session, "https://other.example") is None
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
