"""What is the same for users and for clients over HTTP."""

import pytest

from tests.tenants import making
from tests.tenants.acting import facts

BOTH = pytest.mark.parametrize("kind", ["user", "client"])


def add(who, account, kind, **draft):
    return who.post(f"/accounts/{account.id}/{kind}s", json={"email": "anna@example.com", **draft})


@BOTH
@pytest.mark.product("TEN-6")
@pytest.mark.security("2.4")
def test_whether_the_address_had_an_id_is_told_to_nobody(admin, account, kind):
    making.a_person("known@example.com")
    known, unknown = (
        dict(add(admin, account, kind, email=f"{who}@example.com").json)
        for who in ("known", "unknown")
    )

    for body in (known, unknown):
        for anew in ("id", "email", "person_id", "created_at", "updated_at"):
            del body[anew]
    assert known == unknown


@pytest.mark.product("TEN-6")
def test_the_same_address_is_once_a_user_and_once_a_client(admin, account):
    made = [add(admin, account, kind).status_code for kind in ("user", "client")]
    again = [add(admin, account, kind, email=" ANNA@example.com") for kind in ("user", "client")]

    assert made == [201, 201]
    assert [(one.status_code, one.json["code"]) for one in again] == [(409, "already_member")] * 2


@BOTH
def test_what_is_no_address_is_refused_at_its_place(admin, account, kind):
    answer = add(admin, account, kind, email="anna")

    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (400, "/email")


@BOTH
def test_who_manages_without_reading_sees_what_became_of_it(world, account, kind):
    clerk = world.member(account, f"{kind}s:manage")

    made = add(clerk, account, kind)

    path = f"/accounts/{account.id}/{kind}s/{made.json['id']}"
    assert (made.status_code, made.json["email"]) == (201, "anna@example.com")
    assert clerk.get(path).status_code == 403
    assert clerk.patch(path, json={"phone": "+48 601"}, version=1).json["phone"] == "+48 601"


@BOTH
@pytest.mark.product("TEN-7")
def test_who_was_added_without_a_mail_is_told_later(admin, account, kind):
    made = add(admin, account, kind).json

    told = admin.post(f"/accounts/{account.id}/{kind}s/{made['id']}/inform")

    assert (told.status_code, told.json["id"]) == (200, made["id"])
    informed = "member.informed" if kind == "user" else "client.informed"
    assert [each for each, *_ in facts()].count(informed) == 1


@BOTH
def test_a_list_is_narrowed_to_a_state_and_turned_around(admin, account, kind):
    ids = {
        email: add(admin, account, kind, email=f"{email}@example.com").json["id"]
        for email in ("x1", "x2", "x3")
    }
    admin.post(f"/accounts/{account.id}/{kind}s/{ids['x2']}/block", version=1)

    def shown(asked):
        listed = admin.get(f"/accounts/{account.id}/{kind}s?{asked}").json["items"]
        return [each["email"][:2] for each in listed if each["id"] in ids.values()]

    assert shown("state=blocked") == ["x2"]
    assert shown("order=email") == ["x1", "x2", "x3"]
    assert shown("order=-email") == ["x3", "x2", "x1"]
