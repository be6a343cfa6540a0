"""Users and clients over HTTP."""

from datetime import timedelta

import pytest

from kernel import clock
from tests.tenants import making
from tests.tenants.acting import facts


@pytest.fixture
def account(world):
    return making.an_account("Zielony Dom")


@pytest.fixture
def admin(world, account):
    return world.admin(account)


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
@pytest.mark.security("2.4")
def test_whether_the_address_had_an_id_is_told_to_nobody(admin, account):
    making.a_person("known@example.com")
    answers = [add(admin, account, email=f"{who}@example.com") for who in ("known", "unknown")]

    bodies = [dict(answer.json) for answer in answers]
    for body in bodies:
        for anew in ("id", "email", "created_at", "updated_at"):
            del body[anew]
    assert bodies[0] == bodies[1]
    assert bodies[0]["person_id"] is None


@pytest.mark.product("TEN-6")
def test_the_same_address_is_once_in_an_account(admin, account):
    add(admin, account)

    again = add(admin, account, email=" ANNA@example.com")

    assert (again.status_code, again.json["code"]) == (409, "already_member")
    as_client = admin.post(f"/accounts/{account.id}/clients", json={"email": "anna@example.com"})
    assert as_client.status_code == 201


def test_what_is_no_address_is_refused_at_its_place(admin, account):
    answer = add(admin, account, email="anna")

    assert answer.json["errors"][0]["pointer"] == "/email"


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


def test_who_manages_without_reading_sees_what_became_of_it(world, account):
    clerk = world.member(account, "users:manage")

    made = add(clerk, account)

    assert (made.status_code, made.json["email"]) == (201, "anna@example.com")
    assert clerk.get(f"/accounts/{account.id}/users/{made.json['id']}").status_code == 403


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


@pytest.mark.product("TEN-6")
def test_a_client_is_no_user(admin, account):
    client = making.a_client(account.id)

    assert admin.get(f"/accounts/{account.id}/users/{client}").status_code == 404
    listed = admin.get(f"/accounts/{account.id}/clients").json
    assert [each["id"] for each in listed["items"]] == [str(client)]
    assert "assignments" not in listed["items"][0]
    changed = admin.patch(
        f"/accounts/{account.id}/clients/{client}", json={"given_name": "Ewa"}, version=1
    )
    assert changed.json["given_name"] == "Ewa"


@pytest.mark.product("TEN-7")
def test_who_was_added_without_a_mail_is_told_later(admin, account):
    made = admin.post(f"/accounts/{account.id}/users", json={"email": "later@example.com"}).json

    told = admin.post(f"/accounts/{account.id}/users/{made['id']}/inform")

    assert told.status_code == 200, told.json
    assert told.json["id"] == made["id"]
    assert "member.informed" in [kind for kind, *_ in facts()]


@pytest.mark.product("TEN-7")
def test_a_client_is_told_later_too(admin, account):
    made = admin.post(f"/accounts/{account.id}/clients", json={"email": "later@example.com"}).json

    assert admin.post(f"/accounts/{account.id}/clients/{made['id']}/inform").status_code == 200
    assert "client.informed" in [kind for kind, *_ in facts()]
