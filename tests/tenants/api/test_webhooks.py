"""Webhooks over HTTP: made, changed, tried, replayed; the secret is shown once."""

from uuid import UUID

import pytest
from sqlalchemy import update

from tenants.database import db
from tenants.webhooks.models import WebhookDelivery


@pytest.fixture
def webhook(admin, account):
    made = admin.post(
        f"/accounts/{account.id}/webhooks", json={"url": "https://example.com/hooks", "events": []}
    )
    assert made.status_code == 201, made.json
    return made.json


@pytest.mark.product("TEN-16")
def test_the_secret_is_shown_when_it_is_made_or_rotated_and_never_again(admin, account, webhook):
    path = f"/accounts/{account.id}/webhooks/{webhook['id']}"
    rotated = admin.post(f"{path}/rotate", json={"overlap_seconds": 60}).json

    assert webhook["secret"] != rotated["secret"]
    assert rotated["previous_until"] is not None
    for answer in (admin.get(path), admin.get(f"/accounts/{account.id}/webhooks")):
        assert "secret" not in answer.text
    changed = admin.patch(path, json={"description": "Sklep"}, version=rotated["version"])
    assert changed.json["description"] == "Sklep"


def test_an_address_that_is_none_is_refused_at_its_place(admin, account):
    answer = admin.post(f"/accounts/{account.id}/webhooks", json={"url": "http://localhost/"})

    assert (answer.status_code, answer.json["code"]) == (422, "webhook_refused")
    assert answer.json["errors"][0]["pointer"] == "/url"


@pytest.mark.product("TEN-16")
def test_what_was_sent_is_in_the_log_and_can_be_sent_again(admin, account, webhook):
    path = f"/accounts/{account.id}/webhooks/{webhook['id']}"
    delivery = admin.post(f"{path}/test").json["delivery_id"]
    (listed,) = admin.get(f"{path}/deliveries?state=waiting").json["items"]
    assert admin.get(f"{path}/deliveries/{delivery}").json == listed
    with db.transaction(tenant=account.id) as session:
        session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.tenant_id == account.id, WebhookDelivery.id == UUID(delivery))
            .values(state="failed")
        )

    again = admin.post(f"{path}/replay", json={"failed_since": listed["created_at"]})

    assert again.json == {"count": 1}
    assert admin.post(f"{path}/replay", json={"delivery_ids": [delivery]}).json == {"count": 0}
    assert admin.post(f"{path}/replay", json={}).status_code == 422


def test_a_webhook_is_switched_off_on_and_removed(admin, account, webhook):
    path = f"/accounts/{account.id}/webhooks/{webhook['id']}"

    assert admin.post(f"{path}/disable").json["disabled_for"] == "person"
    assert admin.post(f"{path}/enable").json["disabled_at"] is None
    version = admin.get(path).json["version"]
    assert admin.delete(path, version=version).status_code == 204
    for gone in (path, f"{path}/deliveries"):
        assert admin.get(gone).status_code == 404
