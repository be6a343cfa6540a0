"""Roles and the grid of permissions over HTTP."""

import pytest

from tests.tenants import making

READ = {"application": "accounts", "permission": "companies:read"}
CRM = {"application": "crm", "permission": "contacts:read"}


@pytest.fixture
def account(world):
    return making.an_account("Zielony Dom", applications=["crm"])


@pytest.mark.product("TEN-8", "TEN-16")
def test_a_role_is_made_changed_and_removed(admin, account):
    roles = f"/accounts/{account.id}/roles"
    made = admin.post(roles, json={"name": "Sprzedaż", "permissions": [READ, CRM]})
    assert made.status_code == 201, made.json
    assert made.json["permissions"] == [READ, CRM]

    path = f"{roles}/{made.json['id']}"
    changed = admin.patch(path, json={"permissions": [CRM]}, version=1)
    assert (changed.json["name"], changed.json["permissions"]) == ("Sprzedaż", [CRM])
    assert admin.patch(path, json={"name": "Biuro"}, version=2).json["permissions"] == [CRM]
    assert admin.delete(path, version=3).status_code == 204
    assert admin.get(path).status_code == 404


@pytest.mark.product("TEN-8")
def test_the_grid_lists_permissions_in_words_and_roles_are_ticked_together(admin, account):
    grid = admin.get(f"/accounts/{account.id}/permissions").json["applications"]
    own = next(one for one in grid if one["id"] == "accounts")
    assert own["permissions"][0]["labels"]["pl"] == "Edycja konta"
    one, other = making.a_role(account.id, "A"), making.a_role(account.id, "B")

    ticked = admin.put(
        f"/accounts/{account.id}/permissions",
        json={
            "roles": [
                {"role_id": str(one), "permissions": [READ]},
                {"role_id": str(other), "permissions": [CRM]},
            ]
        },
    )

    assert {each["id"]: each["permissions"] for each in ticked.json["items"]} == {
        str(one): [READ],
        str(other): [CRM],
    }


@pytest.mark.product("TEN-8")
def test_the_admin_role_stays_as_it_is(admin, account):
    path = f"/accounts/{account.id}/roles/{account.admin_role}"

    for answer in (
        admin.patch(path, json={"name": "x"}, version=1),
        admin.delete(path, version=1),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "admin_role")


def test_a_role_that_somebody_holds_stays(admin, account):
    role = making.a_role(account.id)
    making.a_member(account.id, roles=[role])

    answer = admin.delete(f"/accounts/{account.id}/roles/{role}", version=1)

    assert (answer.status_code, answer.json["code"]) == (409, "role_in_use")
    assert admin.get(f"/accounts/{account.id}/roles/{role}").json["users"] == 1


@pytest.mark.security("12.4")
def test_nobody_ticks_what_they_do_not_hold(world, account):
    clerk = world.member(account, "roles:manage")

    answer = clerk.post(
        f"/accounts/{account.id}/roles", json={"name": "Sprzedaż", "permissions": [READ]}
    )

    assert (answer.status_code, answer.json["code"]) == (403, "may_not_grant")


def test_what_the_account_does_not_have_can_not_be_ticked(world):
    other = making.an_account("Biuro Lis")
    answer = world.admin(other).post(
        f"/accounts/{other.id}/roles", json={"name": "Sprzedaż", "permissions": [CRM]}
    )

    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/permissions")


@pytest.mark.product("TEN-17")
def test_the_applications_of_the_account_are_listed(world, account):
    listed = world.member(account).get(f"/accounts/{account.id}/applications").json["items"]

    assert {"accounts", "crm", "portal"} == {each["id"] for each in listed}
