"""Users over HTTP."""

from datetime import timedelta

import pytest

from kernel import clock
from tests.tenants import making


@pytest.fixture
def role(account):
    return making.a_role(account.id, "Sprzedaż", rights=[("accounts", "companies:read")])


def add(admin, account, **draft):
    return admin.post(f"/accounts/{account.id}/users", json={"email": "anna@example.com", **draft})


@pytest.mark.product("TEN-6", "TEN-16")
def test_a_user_is_added_with_roles_and_listed(admin, account, role):
    end = (clock.now() + timedelta(days=1)).isoformat()
    company = making.a_company(account.id)
    made = add(
        admin, account, given_name="Anna", family_name="Żak",
        assignments=[
            {"role_id": str(role)},
            {"role_id": str(role), "company": company, "expires_at": end},
        ],
    )  # fmt: skip

    assert made.status_code == 201, made.json
    assert made.json["state"] == "pending"
    assert {(each["role_name"], each["company"]) for each in made.json["assignments"]} == {
        ("Sprzedaż", None),
        ("Sprzedaż", company),
    }
    listed = admin.get(f"/accounts/{account.id}/users?q=żak&role={role}&order=-email")
    assert (listed.json["total"], listed.json["items"]) == (1, [made.json])


@pytest.mark.product("TEN-6")
def test_a_user_is_blocked_unblocked_signed_out_and_removed(world, admin, account, role):
    person_id = making.a_person()
    member = making.a_member(account.id, person_id, roles=[role])
    path, user = f"/accounts/{account.id}/users/{member}", world.speaker(person_id, account.id)
    assert user.get(f"/accounts/{account.id}/companies").status_code == 200

    blocked = admin.post(f"{path}/block", version=1)
    assert blocked.json["state"] == "blocked"
    assert user.get(f"/accounts/{account.id}/companies").status_code == 401
    assert admin.post(f"{path}/unblock", version=1).status_code == 412
    assert admin.post(f"{path}/unblock", version=blocked.json["version"]).status_code == 200
    assert user.get(f"/accounts/{account.id}/companies").status_code == 401
    user = world.speaker(person_id, account.id)
    assert user.get(f"/accounts/{account.id}/companies").status_code == 200

    signed_out = admin.post(f"{path}/end-sessions")
    assert signed_out.json["signed_out_at"] is not None
    assert user.get(f"/accounts/{account.id}/companies").status_code == 401
    assert admin.delete(path, version=signed_out.json["version"]).status_code == 204
    assert admin.get(path).status_code == 404


@pytest.mark.security("12.5")
def test_the_last_admin_stays(admin, account):
    (one,) = admin.get(f"/accounts/{account.id}/users").json["items"]
    path = f"/accounts/{account.id}/users/{one['id']}"

    for answer in (
        admin.delete(path, version=1),
        admin.post(f"{path}/block", version=1),
        admin.put(f"{path}/assignments", json={"assignments": []}, version=1),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "last_admin")


@pytest.mark.security("12.4")
def test_nobody_gives_what_they_do_not_hold(world, account, role):
    clerk = world.member(account, "users:manage")

    answer = add(clerk, account, assignments=[{"role_id": str(role)}])

    assert (answer.status_code, answer.json["code"]) == (403, "may_not_grant")


@pytest.mark.security("12.2")
def test_who_manages_one_company_sees_and_touches_who_works_there(world, account, role):
    company = making.a_company(account.id)
    here = making.a_member(account.id, roles=[(role, company)])
    there = making.a_member(account.id, roles=[role])
    clerk = world.member(account, "users:read", "users:manage", "companies:read", company=company)

    seen = clerk.get(f"/accounts/{account.id}/users").json["items"]

    assert str(here) in {each["id"] for each in seen}
    assert str(there) not in {each["id"] for each in seen}
    assert clerk.get(f"/accounts/{account.id}/users/{there}").status_code == 404
    assert clerk.delete(f"/accounts/{account.id}/users/{there}", version=1).status_code == 404
    assert clerk.delete(f"/accounts/{account.id}/users/{here}", version=1).status_code == 204
