"""Clients over HTTP."""

import pytest

from tests.tenants import making
from tests.tenants.acting import facts


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


@pytest.mark.product("TEN-6")
def test_a_client_is_blocked_unblocked_and_removed(admin, account):
    path = f"/accounts/{account.id}/clients/{making.a_client(account.id)}"

    blocked = admin.post(f"{path}/block", version=1)
    assert (blocked.status_code, blocked.json["state"]) == (200, "blocked")
    assert admin.post(f"{path}/inform").json["code"] == "membership_blocked"
    assert admin.post(f"{path}/unblock", version=1).status_code == 412
    unblocked = admin.post(f"{path}/unblock", version=2)
    assert unblocked.json["state"] == "active"
    assert admin.delete(path, version=2).status_code == 412
    assert admin.delete(path, version=3).status_code == 204

    assert admin.get(path).status_code == 404
    assert [kind for kind, *_ in facts()] == [
        "client.blocked",
        "client.unblocked",
        "client.removed",
    ]
