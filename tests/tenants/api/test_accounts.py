"""Accounts over HTTP: made, read, changed, handed over, closed."""

from datetime import timedelta

import pytest

from tests.tenants import making

NIP = "526-000-12-46"
LONG_AGO = timedelta(hours=1)


@pytest.mark.product("TEN-1", "TEN-3")
def test_a_person_makes_an_account_and_is_its_admin(world):
    person_id = making.a_person()
    person = world.speaker(person_id)

    made = person.post("/accounts", json={"name": "Dom", "nip": NIP})

    assert made.status_code == 201, made.json
    assert (made.json["companies"], made.json["users"]) == (1, 1)
    account = made.json["id"]
    assert made.headers["Location"] == f"/api/v1/accounts/{account}"
    admin = world.speaker(person_id, account)
    (main,) = admin.get(f"/accounts/{account}/companies").json["items"]
    assert (main["name"], main["nip"], main["is_main"]) == ("Dom", "5260001246", True)
    # The token that made it is still without a context.
    assert person.get(f"/accounts/{account}").status_code == 404


@pytest.mark.product("TEN-2")
def test_a_number_that_is_no_nip_is_refused_at_its_place(world):
    answer = world.speaker(making.a_person()).post("/accounts", json={"name": "A", "nip": "1"})

    assert (answer.status_code, answer.json["code"]) == (422, "not_a_nip")
    assert answer.json["errors"][0]["pointer"] == "/nip"


@pytest.mark.security("15.2", "18.1")
def test_nobody_makes_accounts_without_end(world):
    person = world.speaker(making.a_person())

    answers = [person.post("/accounts", json={"name": "A"}) for _ in range(21)]

    assert {answer.status_code for answer in answers[:20]} == {201}
    assert (answers[20].status_code, answers[20].json["code"]) == (429, "too_many_requests")


@pytest.mark.product("TEN-2")
def test_an_account_is_changed_by_who_knows_its_present_version(admin, account):
    path = f"/accounts/{account.id}"

    changed = admin.patch(path, json={"town": "Gdynia"}, version=1)

    assert (changed.json["town"], changed.headers["ETag"]) == ("Gdynia", '"2"')
    late = admin.patch(path, json={"town": "Sopot"}, version=1)
    assert (late.status_code, late.json["code"]) == (412, "version_conflict")
    assert admin.get(path).json["town"] == "Gdynia"


def test_every_member_reads_the_account(world, account):
    assert world.member(account).get(f"/accounts/{account.id}").json["name"] == "Zielony Dom"


@pytest.mark.security("12.8")
def test_closing_and_handing_over_take_a_fresh_sign_in(world, account):
    admin = world.admin(account, signed_in_ago=LONG_AGO)

    for answer in (
        admin.delete(f"/accounts/{account.id}", version=1),
        admin.post(f"/accounts/{account.id}/hand-over", json={"person_id": str(admin.person_id)}),
    ):
        assert (answer.status_code, answer.json["code"]) == (401, "sign_in_too_old")
        assert (
            'error="insufficient_user_authentication", max_age=600'
            in answer.headers["WWW-Authenticate"]
        )


@pytest.mark.security("12.8", "12.4")
def test_only_an_admin_closes_an_account(world, account):
    clerk = world.member(account, "account:manage")

    answer = clerk.delete(f"/accounts/{account.id}", version=1)

    assert (answer.status_code, answer.json["code"]) == (403, "permission_missing")


def test_a_closed_account_lets_nobody_in(admin, account):
    assert admin.delete(f"/accounts/{account.id}", version=2).status_code == 412
    assert admin.delete(f"/accounts/{account.id}", version=1).status_code == 204
    assert admin.get(f"/accounts/{account.id}").status_code == 401


def test_an_account_is_handed_over_to_a_member(world, account, admin):
    heir = making.a_person()
    making.a_member(account.id, heir)
    path = f"/accounts/{account.id}/hand-over"

    done = admin.post(path, json={"person_id": str(heir), "keep_own_role": False})

    assert done.status_code == 200, done.json
    assert admin.get(f"/accounts/{account.id}/companies").status_code == 403
    assert world.speaker(heir, account.id).get(f"/accounts/{account.id}/users").status_code == 200
    stranger = making.a_person()
    again = world.speaker(heir, account.id).post(path, json={"person_id": str(stranger)})
    assert (again.status_code, again.json["code"]) == (409, "no_active_member")
