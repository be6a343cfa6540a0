"""Signatures are those of the Standard Webhooks specification."""

import pytest
import time_machine
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tenants.webhooks.signing import headers, new_secret

BODY = b'{"type":"member.added"}'


@pytest.fixture
def at_noon(now):
    with time_machine.travel(now, tick=False):
        yield now


@pytest.mark.product("TEN-16")
def test_the_specifications_own_library_believes_them(at_noon):
    secret = new_secret()

    signed = headers("msg_1", BODY, with_secrets=[secret], now=at_noon)

    assert Webhook(secret).verify(BODY, signed) == {"type": "member.added"}


@pytest.mark.product("TEN-16")
def test_while_a_secret_is_replaced_both_prove_it(at_noon):
    old, new = new_secret(), new_secret()

    signed = headers("msg_1", BODY, with_secrets=[new, old], now=at_noon)

    for secret in (old, new):
        Webhook(secret).verify(BODY, signed)


@pytest.mark.parametrize("change", [{"webhook-id": "msg_2"}, {"webhook-timestamp": "1780315201"}])
def test_a_changed_header_is_noticed(at_noon, change):
    secret = new_secret()
    signed = headers("msg_1", BODY, with_secrets=[secret], now=at_noon)

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, signed | change)


def test_another_secret_proves_nothing(at_noon):
    signed = headers("msg_1", BODY, with_secrets=[new_secret()], now=at_noon)

    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, signed)


def test_what_is_no_secret_signs_nothing(now):
    with pytest.raises(ValueError, match="not the secret"):
        headers("msg_1", BODY, with_secrets=["whsec_?"], now=now)
