"""The grid shows what there is, and is left as somebody ticks it, all of it or nothing."""

import pytest

from tenants.applications.rights import Right
from tenants.database import db
from tenants.roles import grid
from tenants.roles import service as roles
from tenants.roles.power import MayNotGrant
from tests.tenants import making
from tests.tenants.acting import BOSS, EDIT, ROLES, SEE, an_office

pytestmark = pytest.mark.usefixtures("identity_app")

SEE_RIGHT, EDIT_RIGHT = Right(*SEE), Right(*EDIT)


@pytest.fixture
def office():
    return an_office()


@pytest.mark.product("TEN-8")
def test_the_grid_has_permissions_down_and_roles_across(office, now):
    with db.reading(tenant=office.id) as session:
        shown = grid.read(session, office.id, actor=office.admin().actor)

    lines = {
        one.id: [line.right.permission for line in one.permissions] for one in shown.applications
    }
    assert lines["crm"] == ["contacts:read", "contacts:write"]
    assert "users:manage" in lines["accounts"]
    assert [role.name for role in shown.roles] == ["admin", "Edycja", "Podgląd", "Sprzedaż"]


@pytest.mark.product("TEN-8")
def test_admin_has_every_cell_of_the_grid(office):
    with db.reading(tenant=office.id) as session:
        shown = grid.read(session, office.id, actor=BOSS)
    cells = [line.right for one in shown.applications for line in one.permissions]

    admin, editing, watching, _ = shown.roles
    assert all(admin.has(right) for right in cells)
    assert (editing.has(EDIT_RIGHT), watching.has(EDIT_RIGHT)) == (True, False)


@pytest.mark.product("TEN-8")
def test_the_grid_is_left_as_somebody_ticks_it(office, now):
    cells = {office.watching: [SEE_RIGHT, EDIT_RIGHT], office.editing: []}

    with db.transaction(tenant=office.id) as session:
        grid.leave(session, office.id, cells, actor=BOSS, now=now)

    with db.reading(tenant=office.id) as session:
        left = roles.known(session, office.id, cells)
    assert left[office.watching].ticks == {SEE_RIGHT, EDIT_RIGHT}
    assert left[office.editing].ticks == frozenset()


@pytest.mark.security("12.4")
def test_a_grid_with_one_tick_too_many_changes_nothing(office, now):
    """Whichever line it stands in: all of it, or nothing."""
    manager = office.someone(making.a_role(office.id, "Uprawnienia", rights=(*ROLES, SEE)))
    empty = making.a_role(office.id, "Pusta")
    for cells in (
        {empty: [SEE_RIGHT], office.watching: [SEE_RIGHT, EDIT_RIGHT]},
        {empty: [SEE_RIGHT, EDIT_RIGHT], office.watching: [SEE_RIGHT]},
        {empty: [SEE_RIGHT], office.editing: []},
    ):
        with pytest.raises(MayNotGrant), db.transaction(tenant=office.id) as session:
            grid.leave(session, office.id, cells, actor=manager.actor, now=now)

    with db.reading(tenant=office.id) as session:
        left = roles.known(session, office.id)
    assert left[empty].ticks == frozenset()
    assert left[office.watching].ticks == {SEE_RIGHT}
    assert left[office.editing].ticks == {SEE_RIGHT, EDIT_RIGHT}
