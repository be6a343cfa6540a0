"""Keys over HTTP: who makes them, and what a program can do with one."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from tenants.database import db
from tenants.members.models import Membership
from tests.tenants import making
from tests.tenants.api.speaking import Speaker

pytestmark = pytest.mark.product("TEN-10", "TEN-16")


def made(admin, account, *permissions, **more):
    draft = {"name": "Sklep", "permissions": list(permissions or ("companies:read",))} | more
    answer = admin.post(f"/accounts/{account.id}/api-keys", json=draft)
    assert answer.status_code == 201, answer.json
    return answer


def program(world, key):
    """A program of the account that has this key."""
    return Speaker(world.app.test_client(), key)


def test_a_key_is_shown_when_it_is_made_and_never_again(admin, account):
    answer = made(admin, account)

    assert answer.json["key"].startswith(f"kl_{account.id}_")
    assert answer.headers["Cache-Control"] == "no-store"
    again = admin.get(f"/accounts/{account.id}/api-keys/{answer.json['id']}")
    listed = admin.get(f"/accounts/{account.id}/api-keys").json["items"]
    assert "key" not in again.json
    assert [each["hint"] for each in listed] == [answer.json["key"][-4:]]
    assert answer.json["key"] not in again.text + str(listed)


@pytest.mark.security("12.7")
def test_a_program_does_what_its_key_is_for_and_nothing_else(world, admin, account):
    shop = program(world, made(admin, account, "companies:read").json["key"])

    assert shop.get(f"/accounts/{account.id}/companies").status_code == 200
    assert shop.post(f"/accounts/{account.id}/companies", json={"name": "X"}).status_code == 403
    assert shop.get(f"/accounts/{account.id}/users").status_code == 403


@pytest.mark.security("13.1")
def test_a_key_of_one_account_finds_nothing_in_another(world, admin, account):
    other = making.an_account("Biuro Lis")
    shop = program(world, made(admin, account, "companies:read").json["key"])

    foreign = shop.get(f"/accounts/{other.id}/companies")
    missing = shop.get("/accounts/000000000000/companies")

    assert (foreign.status_code, foreign.json["code"]) == (404, "not_found")
    assert {**foreign.json, "instance": ""} == {**missing.json, "instance": ""}


@pytest.mark.security("12.4", "12.7")
def test_a_program_gives_roles_with_the_permissions_of_its_key_and_no_others(world, admin, account):
    making.give(account.id, "crm")
    seeing = making.a_role(account.id, "Podgląd", rights=[("crm", "contacts:read")])
    editing = making.a_role(account.id, "Edycja", rights=[("crm", "contacts:write")])
    able = program(world, made(admin, account, "users:manage", "crm/contacts:read").json["key"])
    unable = program(world, made(admin, account, "users:manage").json["key"])

    def adds(shop, role, email):
        draft = {"email": email, "assignments": [{"role_id": str(role)}]}
        return shop.post(f"/accounts/{account.id}/users", json=draft)

    assert adds(able, seeing, "a@example.com").status_code == 201
    assert adds(able, editing, "b@example.com").json["code"] == "may_not_grant"
    assert adds(able, account.admin_role, "b@example.com").json["code"] == "may_not_grant"
    assert adds(unable, seeing, "b@example.com").json["code"] == "may_not_grant"


@pytest.mark.security("12.4")
def test_what_its_owner_loses_a_key_can_give_no_more(world, account):
    making.give(account.id, "crm")
    rights = [("accounts", each) for each in ("api-keys:manage", "users:manage")]
    managing = making.a_role(account.id, "Zarząd", rights=rights)
    seeing = making.a_role(account.id, "Podgląd", rights=[("crm", "contacts:read")])
    owner = making.a_person()
    member = making.a_member(account.id, owner, roles=[managing, seeing])
    key = made(world.speaker(owner, account.id), account, "users:manage", "crm/contacts:read")
    making.unassign(account.id, member)
    making.assign(account.id, member, managing)

    draft = {"email": "a@example.com", "assignments": [{"role_id": str(seeing)}]}
    answer = program(world, key.json["key"]).post(f"/accounts/{account.id}/users", json=draft)

    assert (answer.status_code, answer.json["code"]) == (403, "may_not_grant")


@pytest.mark.security("12.7")
def test_no_key_manages_keys(world, admin, account):
    key = made(admin, account, "users:manage").json
    shop = program(world, key["key"])

    for answer in (
        shop.get(f"/accounts/{account.id}/api-keys"),
        shop.post(
            f"/accounts/{account.id}/api-keys", json={"name": "Y", "permissions": ["users:read"]}
        ),
        shop.delete(f"/accounts/{account.id}/api-keys/{key['id']}"),
    ):
        assert answer.status_code == 403


@pytest.mark.security("12.7", "7.3")
def test_a_key_ends_with_the_power_of_its_owner(world, admin, account):
    shop = program(world, made(admin, account, "companies:read").json["key"])
    assert shop.get(f"/accounts/{account.id}/companies").status_code == 200

    with db.transaction(tenant=account.id) as session:
        session.execute(
            update(Membership).where(Membership.tenant_id == account.id).values(state="blocked")
        )

    assert shop.get(f"/accounts/{account.id}/companies").status_code == 401


def test_a_revoked_key_opens_nothing_at_once(world, admin, account):
    key = made(admin, account).json
    shop = program(world, key["key"])

    assert admin.delete(f"/accounts/{account.id}/api-keys/{key['id']}").status_code == 204

    refused = shop.get(f"/accounts/{account.id}/companies")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_rotated_key_has_two_secrets_for_a_while(world, admin, account):
    key = made(admin, account)
    turned = admin.post(
        f"/accounts/{account.id}/api-keys/{key.json['id']}/rotate",
        json={"overlap_seconds": 3600},
        version=1,
    )

    assert turned.status_code == 200, turned.json
    for secret in (key.json["key"], turned.json["key"]):
        assert program(world, secret).get(f"/accounts/{account.id}/companies").status_code == 200


def test_a_rotation_names_the_version_that_it_is_about(admin, account):
    key = made(admin, account).json
    path = f"/accounts/{account.id}/api-keys/{key['id']}/rotate"

    assert admin.post(path, json={}).status_code == 428
    assert admin.post(path, json={}, version=7).status_code == 412


@pytest.mark.security("12.8")
def test_making_a_key_asks_for_a_fresh_sign_in(world, account):
    tired = world.admin(account, signed_in_ago=timedelta(hours=2))

    answer = tired.post(
        f"/accounts/{account.id}/api-keys", json={"name": "X", "permissions": ["users:read"]}
    )

    assert answer.status_code in (401, 403)
    assert tired.get(f"/accounts/{account.id}/api-keys").json["items"] == []


def test_what_can_not_be_is_said_at_the_field(admin, account):
    for draft in (
        {"name": "X", "permissions": ["users:fly"]},
        {"name": "X", "permissions": []},
        {"name": "X", "permissions": ["users:read"], "expires_at": "2001-01-01T00:00:00Z"},
        {"name": "X", "permissions": ["users:read"], "secret": "mine"},
    ):
        answer = admin.post(f"/accounts/{account.id}/api-keys", json=draft)
        assert answer.status_code == 422, answer.json


def test_a_key_is_called_something_else(admin, account):
    key = made(admin, account).json
    path = f"/accounts/{account.id}/api-keys/{key['id']}"

    assert admin.patch(path, json={"name": "Sklep 2"}, version=1).json["name"] == "Sklep 2"
    assert admin.patch(path, json={}, version=2).json["name"] == "Sklep 2"


def test_its_last_use_is_shown(world, admin, account):
    key = made(admin, account).json
    program(world, key["key"]).get(f"/accounts/{account.id}/companies")

    found = admin.get(f"/accounts/{account.id}/api-keys/{key['id']}").json

    assert found["last_used_at"] is not None
    assert found["owner"] == str(admin.person_id)
