"""The audit trail over HTTP."""

import pytest

from tests.tenants import making


@pytest.mark.product("TEN-13", "TEN-16")
@pytest.mark.security("17.1")
def test_who_did_what_to_what_when_and_from_where(world):
    account = making.an_account("Zielony Dom")
    admin = world.admin(account)
    made = admin.post(
        f"/accounts/{account.id}/companies",
        json={"name": "Budowa"},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    )
    admin.post(f"/accounts/{account.id}/users", json={"email": "anna@example.com"})

    (entry,) = admin.get(f"/accounts/{account.id}/audit?event=company").json["items"]

    assert entry["event"] == "company:created"
    assert entry["actor"] == f"person:{admin.person_id}"
    assert entry["actor_name"]
    assert entry["subject"] == f"company:{made.json['id']}"
    assert entry["address"] == "192.0.2.7"
    assert entry["request"] == made.headers["X-Request-ID"]


@pytest.mark.product("TEN-13")
def test_the_newest_comes_first_and_the_rest_page_by_page(world):
    account = making.an_account("Zielony Dom")
    admin = world.admin(account)
    for name in "abc":
        admin.post(f"/accounts/{account.id}/companies", json={"name": name})
    path = f"/accounts/{account.id}/audit?limit=2"

    first = admin.get(path).json
    rest = admin.get(f"{path}&cursor={first['next']}").json

    assert len(first["items"]) == 2
    assert len(rest["items"]) == 1
    moments = [entry["at"] for entry in [*first["items"], *rest["items"]]]
    assert moments == sorted(moments, reverse=True)
    assert admin.get(f"{path}&since={moments[0]}").json["items"][0]["at"] == moments[0]
    assert admin.get(f"{path}&before={moments[2]}").json["items"] == []


@pytest.mark.product("TEN-7", "TEN-13")
@pytest.mark.security("2.4", "13.6")
def test_the_trail_does_not_tell_how_old_an_id_is(world):
    account = making.an_account("Zielony Dom")
    admin = world.admin(account)
    known = making.a_person("known@example.com")
    for email in ("known@example.com", "new@example.com"):
        for kind in ("users", "clients"):
            added = admin.post(f"/accounts/{account.id}/{kind}", json={"email": email}).json
            assert added["person_id"] is None

    entries = admin.get(f"/accounts/{account.id}/audit").json["items"]
    added = [entry for entry in entries if entry["event"].endswith(":added")]

    assert len(added) == 4
    assert all("person" not in entry["details"] for entry in added)
    assert str(known) not in str(added)
