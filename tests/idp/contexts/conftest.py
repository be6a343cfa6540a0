"""The CRM, and an account that has it, in which Anna sells."""

import pytest

from tests.idp.contexts.walking import READ
from tests.idp.provider import API, ISSUER, a_browser, an_app
from tests.tenants.making import a_member, a_person, a_role, an_account, an_application


@pytest.fixture
def crm(identity_app):
    an_application(
        "accounts",
        audience=f"{ISSUER}/api",
        permissions=("users:read", "users:manage"),
        for_every_account=True,
    )
    return an_application("crm", audience=API, permissions=("contacts:read", "contacts:write"))


@pytest.fixture
def app(crm):
    return an_app(name="CRM", first_party=True, application="crm", audiences=(API, f"{ISSUER}/api"))


@pytest.fixture
def anna(identity_app):
    return a_person("anna@example.com")


@pytest.fixture
def account(crm, anna):
    """An account with the application, in which Anna sells."""
    made = an_account("Zielony Dom", applications=["crm"])
    sales = a_role(made.id, "Sprzedaż", rights=[READ])
    a_member(made.id, anna, roles=[sales])
    return made


@pytest.fixture
def browser(identity_app, anna):
    return a_browser(identity_app, person_id=anna)
