"""Rows of roles are one account's, and what is ticked in them is theirs alone."""

import pytest

from kernel.errors import NotFound
from tenants.applications.rights import Right
from tenants.database import db
from tenants.roles import rows
from tenants.roles.power import ALL
from tests.tenants import making
from tests.tenants.acting import EDIT, SEE, an_office

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-8")]

SEE_RIGHT, EDIT_RIGHT = Right(*SEE), Right(*EDIT)


@pytest.fixture
def office():
    return an_office()


def test_the_admin_role_comes_first_and_the_others_by_their_names(office):
    making.a_role(office.id, "archiwum")

    with db.reading(tenant=office.id) as session:
        names = [role.name for role in rows.all_of(session, office.id)]

    assert names == ["admin", "archiwum", "Edycja", "Podgląd", "Sprzedaż"]


def test_the_admin_role_has_everything_and_lists_nothing(office):
    with db.reading(tenant=office.id) as session:
        admin = rows.sure(session, office.id, office.account.admin_role)

    assert (admin.rights, admin.ticks) == (ALL, frozenset())


@pytest.mark.security("13.6")
def test_a_role_of_another_account_is_not_there(office):
    other = an_office("Inny")

    with db.reading(tenant=office.id) as session:
        assert rows.all_of(session, office.id, [other.watching]) == []
        with pytest.raises(NotFound):
            rows.sure(session, office.id, other.watching)


def test_what_is_ticked_and_unticked_in_one_role_stays_as_it_was_in_the_others(office):
    with db.transaction(tenant=office.id) as session:
        rows.tick(session, office.id, office.watching, {EDIT_RIGHT})
        rows.untick(session, office.id, office.watching, {SEE_RIGHT})

    with db.reading(tenant=office.id) as session:
        watching, editing = (
            rows.sure(session, office.id, role) for role in (office.watching, office.editing)
        )
    assert watching.ticks == {EDIT_RIGHT}
    assert editing.ticks == {SEE_RIGHT, EDIT_RIGHT}


def test_permissions_stand_under_their_applications():
    rights = [Right("crm", "b:read"), Right("accounts", "users:read"), Right("crm", "a:read")]

    assert rows.by_application(rights) == {"accounts": ["users:read"], "crm": ["a:read", "b:read"]}
