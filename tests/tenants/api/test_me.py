"""What a person hears about themselves: accounts, companies, permissions."""

import pytest

from tests.tenants import making


@pytest.fixture
def account(world):
    return making.an_account("Zielony Dom", applications=["crm"])


@pytest.mark.product("TEN-1", "TEN-9")
def test_all_accounts_are_listed_with_what_one_is_there(world, account):
    person_id = making.a_person()
    other, third = making.an_account("Biuro Lis"), making.an_account("Ągar")
    making.a_member(account.id, person_id, roles=[account.admin_role])
    making.a_client(account.id, person_id)
    making.a_client(other.id, person_id)
    making.a_member(third.id, person_id, state="pending")

    told = world.speaker(person_id).get("/me/contexts").json["items"]

    seen = {each["name"]: each for each in told}
    assert set(seen) == {"Zielony Dom", "Biuro Lis", "Ągar"}
    here = seen["Zielony Dom"]
    assert (here["member_state"], here["client_state"]) == ("active", "active")
    assert [each["id"] for each in here["companies"]] == [account.main_company]
    assert {"crm", "portal"} <= set(here["applications"])
    assert (seen["Biuro Lis"]["member_state"], seen["Biuro Lis"]["companies"]) == (None, [])
    assert (seen["Ągar"]["member_state"], seen["Ągar"]["companies"]) == ("pending", [])


@pytest.mark.product("TEN-9", "OP-3")
def test_permissions_are_told_in_words_for_the_context_of_the_token(world, account):
    person_id, company = making.a_person(), making.a_company(account.id)
    role = making.a_role(account.id, rights=[("crm", "contacts:read"), ("accounts", "users:read")])
    making.a_member(account.id, person_id, roles=[(role, company)])
    person = world.speaker(person_id, account.id)

    whole = person.get("/me/permissions").json
    there = person.get(f"/me/permissions?company={company}").json

    assert all(one["permissions"] == [] for one in whole["applications"])
    told = {one["id"]: one["permissions"] for one in there["applications"]}
    assert [each["name"] for each in told["crm"]] == ["contacts:read"]
    assert told["accounts"][0]["labels"] == {"en": "See users", "pl": "Podgląd użytkowników"}


@pytest.mark.security("13.1")
def test_another_account_than_that_of_the_token_is_not_there(world, account):
    person_id, other = making.a_person(), making.an_account("Biuro Lis")
    for each in (account, other):
        making.a_member(each.id, person_id, roles=[each.admin_role])
    person = world.speaker(person_id, account.id)

    assert person.get(f"/me/permissions?account={account.id}").status_code == 200
    assert person.get(f"/me/permissions?account={other.id}").status_code == 404
    assert person.get(f"/me/permissions?company={other.main_company}").status_code == 404


def test_a_place_is_accepted_and_left(world, account):
    person_id = making.a_person()
    making.a_member(account.id, person_id, state="pending", accepted_at=None)
    person, path = world.speaker(person_id), f"/me/contexts/{account.id}"

    assert person.post(f"{path}/accept").status_code == 204
    assert person.get("/me/contexts").json["items"][0]["member_state"] == "active"
    assert person.post(f"{path}/leave").status_code == 204
    assert person.get("/me/contexts").json["items"] == []
    assert person.post(f"{path}/leave").status_code == 404


def test_the_last_admin_does_not_leave(world, account):
    admin = world.admin(account)

    answer = admin.post(f"/me/contexts/{account.id}/leave")

    assert (answer.status_code, answer.json["code"]) == (409, "last_admin")
