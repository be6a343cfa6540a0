from flask import Flask

from idp.client_requests import refusal
from idp.protocol.errors import InvalidClient, InvalidGrant


def test_a_refusal_says_little_and_is_never_cached(identity_app: Flask):
    with identity_app.test_request_context():
        unproven, invalid = refusal(InvalidClient("wrong secret")), refusal(InvalidGrant("spent"))

    assert (unproven.status_code, invalid.status_code) == (401, 400)
    assert unproven.headers["WWW-Authenticate"].startswith("Basic")
    assert "WWW-Authenticate" not in invalid.headers
    assert invalid.headers["Cache-Control"] == "no-store"
    assert b"spent" not in invalid.data
