import pytest

from idp import our_applications
from tenants.applications import service as applications
from tenants.applications.rights import Right
from tenants.applications.service import ACCOUNTS
from tenants.database import db
from tests import programs


@pytest.fixture
def declare(identity_app, now):
    """Declare our own applications; may be done again."""

    def do() -> None:
        with db.transaction() as session:
            settings = identity_app.extensions["klucznik.settings"]
            our_applications.declare(session, settings, now=now)

    return do


def known():
    with db.reading() as session:
        return (
            {one.id: one for one in applications.listed(session)},
            dict(applications.declared(session)),
        )


@pytest.mark.product("OP-4")
def test_the_api_the_portal_and_the_crm_are_declared(declare):
    declare()

    found, permissions = known()

    assert set(found) == {ACCOUNTS, "portal", "crm"}
    assert found[ACCOUNTS].audience == f"{programs.ISSUER}/api"
    assert Right(ACCOUNTS, "users:manage") in permissions
    creating = permissions[Right("crm", "client-accounts:create")]
    assert creating.label_pl == "Tworzenie konta klienta w panelu"


@pytest.mark.product("TEN-17")
def test_every_account_has_the_portal_and_not_the_crm(declare):
    declare()

    found, _ = known()

    assert found["portal"].for_every_account
    assert not found["crm"].for_every_account


def test_declaring_them_again_changes_nothing(declare):
    declare()
    before = known()

    declare()

    assert known() == before
