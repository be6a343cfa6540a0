"""Secrets and signatures of webhooks, as the Standard Webhooks specification has them."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

_PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """A secret as it is shown, once.

    >>> new_secret().startswith("whsec_")
    True
    """
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def headers(
    message_id: str, body: bytes, *, with_secrets: Sequence[str], now: datetime
) -> dict[str, str]:
    """What says who sent this and when; one signature a secret, so that one can be replaced."""
    moment = str(int(now.timestamp()))
    signed = b".".join((message_id.encode(), moment.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(f"v1,{_signature(each, signed)}" for each in with_secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = _key(secret)
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as malformed:
        raise ValueError("not the secret of a webhook") from malformed
