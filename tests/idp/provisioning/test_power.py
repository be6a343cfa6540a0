import pytest

from idp.provisioning.power import acting
from kernel.errors import NotFound
from tenants.accounts.service import AccountSuspended
from tenants.database import db
from tenants.members.authority import MANAGE
from tenants.members.service import MemberKind
from tenants.roles.power import ALL, Right, may, why_not_grant
from tests.idp.provider import an_app
from tests.idp.provisioning.conftest import a_program
from tests.tenants import making
from tests.tenants.acting import EDIT, SEE

pytestmark = [pytest.mark.product("TEN-15"), pytest.mark.security("12.4", "13.1")]


def power(account: str, client_id: str):
    with db.reading(tenant=account) as session:
        actor = acting(session, account, client_id=client_id)
    assert actor.id == f"client:{client_id}"
    return actor.power_in(account)


@pytest.mark.parametrize("kind", MemberKind)
def test_it_manages_people_and_makes_no_managers(program, office, kind):
    found = power(office.id, program.app.id)

    assert may(found, MANAGE[kind])
    assert why_not_grant(found, {MANAGE[kind]}, company=None)
    assert why_not_grant(found, {MANAGE[kind]}, company=office.main)


def test_it_gives_its_own_permissions_and_no_others(program, office):
    found = power(office.id, program.app.id)
    own = {Right(*SEE), Right(*EDIT)}

    assert why_not_grant(found, own, company=None) is None
    assert why_not_grant(found, own, company=office.second) is None
    assert why_not_grant(found, own | {Right("shop", "orders:read")}, company=None)
    assert why_not_grant(found, ALL, company=None)
    assert why_not_grant(found, ALL, company=office.second)


@pytest.mark.parametrize("application", [None, "accounts", "shop"])
def test_a_client_without_an_application_that_the_account_has_is_at_home_nowhere(
    office, application
):
    making.an_application("shop", permissions=["orders:read"])
    stranger = an_app(application=application)

    with pytest.raises(NotFound):
        power(office.id, stranger.id)


def test_it_is_over_at_once_when_the_account_loses_the_application(program, office):
    power(office.id, program.app.id)

    making.take(office.id, "crm")

    with pytest.raises(NotFound):
        power(office.id, program.app.id)


def test_an_account_that_is_stopped_is_no_place(identity_app, office):
    program = a_program(identity_app, office.id)
    making.change_account(office.id, status="suspended")
    with pytest.raises(AccountSuspended):
        power(office.id, program.app.id)

    making.change_account(office.id, status="closed")
    with pytest.raises(NotFound):
        power(office.id, program.app.id)


def test_no_account_is_no_place_for_an_application_of_all_accounts(identity_app):
    making.an_application("portal", for_every_account=True, context="none")
    program = an_app(application="portal")

    with pytest.raises(NotFound):
        power("0123456789ab", program.id)
