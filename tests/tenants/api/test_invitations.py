"""Invitations over HTTP: made, listed, sent again, revoked; the link is never in an answer."""

import pytest

from tests.tenants import making

pytestmark = pytest.mark.product("TEN-6", "TEN-16")


@pytest.fixture
def role(account):
    return making.a_role(account.id, "Sprzedaż", rights=[("accounts", "users:read")])


def invited(admin, account, **changes):
    draft = {"email": "anna@example.com"} | changes
    return admin.post(f"/accounts/{account.id}/invitations", json=draft)


def test_an_invitation_carries_roles_companies_language_and_its_end(admin, account, role):
    company = making.a_company(account.id)
    answer = invited(
        admin,
        account,
        locale="en",
        given_name="Anna",
        expires_in_hours=48,
        assignments=[{"role_id": str(role)}, {"role_id": str(role), "company": company}],
    )

    assert answer.status_code == 201, answer.json
    made = answer.json
    assert (made["state"], made["locale"], made["given_name"]) == ("open", "en", "Anna")
    assert {(each["role_id"], each["company"]) for each in made["assignments"]} == {
        (str(role), None),
        (str(role), company),
    }
    assert made["invited_by"] == f"person:{admin.person_id}"
    assert admin.get(answer.headers["Location"].removeprefix("/api/v1")).json == made


@pytest.mark.security("3.9")
def test_no_answer_holds_the_link(admin, account):
    made = invited(admin, account)
    listed = admin.get(f"/accounts/{account.id}/invitations")

    for answer in (made, listed):
        assert "token" not in answer.text
        assert "/invitation?" not in answer.text


@pytest.mark.security("2.4")
def test_an_address_with_an_id_is_answered_like_one_without(admin, account):
    making.a_person("known@example.com")
    known = invited(admin, account, email="known@example.com")
    unknown = invited(admin, account, email="unknown@example.com")

    assert known.status_code == unknown.status_code == 201
    own = {"id", "email", "created_at", "sent_at", "expires_at"}
    assert {name: known.json[name] for name in known.json.keys() - own} == {
        name: unknown.json[name] for name in unknown.json.keys() - own
    }


def test_they_are_listed_newest_first(admin, account):
    for name in ("a", "b", "c"):
        assert invited(admin, account, email=f"{name}@example.com").status_code == 201

    page = admin.get(f"/accounts/{account.id}/invitations?limit=2").json

    assert [each["email"] for each in page["items"]] == ["c@example.com", "b@example.com"]
    assert page["total"] == 3
    rest = admin.get(f"/accounts/{account.id}/invitations?limit=2&cursor={page['next']}").json
    assert [each["email"] for each in rest["items"]] == ["a@example.com"]


def test_one_that_waits_is_sent_again_and_revoked(admin, account):
    made = invited(admin, account).json
    path = f"/accounts/{account.id}/invitations/{made['id']}"

    again = admin.post(f"{path}/send", json={"expires_in_hours": 1})
    assert again.status_code == 200
    assert again.json["version"] == 2
    assert admin.delete(path).status_code == 428
    assert admin.delete(path, version=2).status_code == 204
    assert admin.get(path).json["state"] == "revoked"
    assert admin.post(f"{path}/send", json={}).status_code == 409
    assert admin.delete(path, version=3).json["code"] == "not_open"


@pytest.mark.security("3.11")
def test_past_the_cap_it_says_when_to_come_again(admin, account):
    made = invited(admin, account).json
    path = f"/accounts/{account.id}/invitations/{made['id']}"
    for _ in range(4):
        assert admin.post(f"{path}/send", json={}).status_code == 200

    refused = admin.post(f"{path}/send", json={}, headers={"Idempotency-Key": "again"})

    assert (refused.status_code, refused.json["code"]) == (429, "too_many_invitations")
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert admin.get(path).json["version"] == 5


def test_the_same_address_is_invited_once(admin, account):
    invited(admin, account)

    again = invited(admin, account, email="ANNA@example.com")

    assert (again.status_code, again.json["code"]) == (409, "already_invited")


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "nobody"},
        {"email": ["a@example.com", "b@example.com"]},
        {"expires_in_hours": 0},
        {"expires_in_hours": 10_000},
        {"role": "admin"},
        {"assignments": [{"role_id": "not-a-role"}]},
        {"assignments": [{"role_id": "0197c2f4-8f7e-7b1a-9d3c-2b8f5e6a7c10"}]},
    ],
)
def test_what_can_not_be_is_refused_and_nothing_is_made(admin, account, changes):
    assert invited(admin, account, **changes).status_code in (400, 422)
    assert admin.get(f"/accounts/{account.id}/invitations").json["items"] == []


@pytest.mark.security("12.1", "12.4")
def test_inviting_takes_the_permission_and_what_is_given(world, account, role):
    plain = world.member(account, "users:read")
    inviter = world.member(account, "invitations:manage")

    assert invited(plain, account).status_code == 403
    assert invited(inviter, account).status_code == 201
    too_much = invited(
        inviter, account, email="b@example.com", assignments=[{"role_id": str(role)}]
    )
    assert (too_much.status_code, too_much.json["code"]) == (403, "may_not_grant")


@pytest.mark.security("13.6")
def test_an_invitation_of_another_account_is_not_there(world, admin, account):
    other = making.an_account("Biuro Lis")
    theirs = invited(world.admin(other), other).json["id"]

    assert admin.get(f"/accounts/{account.id}/invitations/{theirs}").status_code == 404
    assert (
        admin.delete(f"/accounts/{account.id}/invitations/{theirs}", version=1).status_code == 404
    )
