from datetime import timedelta

import pytest

from tests.tenants import making


def path(account) -> str:
    return f"/accounts/{account.id}/configuration"


@pytest.mark.product("TEN-5", "TEN-16")
def test_a_configuration_is_taken_out_and_brought_back(admin, account):
    taken = admin.get(path(account))
    assert taken.status_code == 200, taken.json
    assert taken.json["account"] == account.id
    admin.patch(f"/accounts/{account.id}", json={"name": "Inna nazwa"}, version=1)

    brought = admin.put(path(account), json=taken.json)

    assert brought.status_code == 200, brought.json
    assert brought.json == {"details": True, "companies": [], "roles": [], "missing": []}
    assert admin.get(f"/accounts/{account.id}").json["name"] == taken.json["details"]["name"]


@pytest.mark.product("TEN-5")
def test_the_configuration_of_another_account_is_refused(world, admin, account):
    other = making.an_account("Inny Dom")
    document = world.admin(other).get(path(other)).json

    refused = admin.put(path(account), json=document)

    assert refused.status_code == 409
    assert admin.put(path(account), json={**document, "account": account.id}).status_code == 422
    assert admin.get(f"/accounts/{account.id}").json["name"] == "Zielony Dom"


@pytest.mark.security("12.8")
def test_an_admin_has_to_have_signed_in_just_now(world, account):
    late = world.admin(account, signed_in_ago=timedelta(minutes=11))

    assert late.get(path(account)).status_code == 401
    assert late.put(path(account), json={}).status_code in {401, 422}


@pytest.mark.security("12.1", "12.4")
def test_who_is_no_admin_of_the_account_neither_takes_it_out_nor_brings_it_back(
    world, admin, account
):
    document = admin.get(path(account)).json
    manager = world.member(account, "account:manage", "roles:manage", "roles:read")
    foreign = world.admin(making.an_account("Inny Dom"))

    for speaker, status in ((manager, 403), (foreign, 404), (world.stranger(), 401)):
        assert speaker.get(path(account)).status_code == status
        assert speaker.put(path(account), json=document).status_code == status
