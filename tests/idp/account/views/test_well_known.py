import pytest


@pytest.mark.product("ID-8")
def test_password_managers_find_where_the_password_is_changed(identity_client):
    response = identity_client.get("/.well-known/change-password")

    assert (response.status_code, response.location) == (303, "/account/password")


@pytest.mark.product("ID-6")
def test_password_managers_find_where_passkeys_are_added_and_listed(identity_client):
    response = identity_client.get("/.well-known/passkey-endpoints")

    assert response.content_type == "application/json"
    assert response.json == {
        "enroll": "http://localhost:9000/account/passkeys/add",
        "manage": "http://localhost:9000/account/passkeys",
    }
