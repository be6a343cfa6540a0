from datetime import timedelta

import pytest
from flask import Flask

from idp.grants import state as grant_states
from kernel.ids import new_id
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import an_app
from tests.idp.token.test_authorization_code import a_grant


@pytest.mark.security("7.3")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"revoked_at": NOON}, "the grant was revoked"),
        ({"person_is_active": False}, "the person may not sign in"),
        ({"session_ended_at": NOON}, "the session was ended"),
        ({"session_expires_at": NOON}, "the session is over"),
        ({"session_expires_at": NOON, "scopes": ("openid", "offline_access")}, None),
        (
            {"session_ended_at": NOON, "scopes": ("openid", "offline_access")},
            "the session was ended",
        ),
        ({"session_expires_at": NOON + timedelta(seconds=1)}, None),
    ],
)
def test_a_grant_has_ended_when(changes, reason):
    assert grant_states.why_ended(a_grant(**changes), NOON) == reason


def test_a_grant_that_is_not_there_is_not_found(identity_app: Flask):
    with db.reading() as session:
        assert grant_states.find_for_token(session, new_id(), "a-token") is None


@pytest.mark.security("7.3", "10.1")
def test_consent_stands_for_what_is_allowed(identity_app: Flask):
    ours, theirs = an_app(first_party=True).registered(), an_app().registered()
    narrow, wide = (
        a_grant(consented=frozenset({"openid", "email"}), scopes=scopes)
        for scopes in (("openid",), ("openid", "profile"))
    )

    assert grant_states.why_not_for(ours, wide) is None
    assert grant_states.why_not_for(theirs, narrow) is None
    assert grant_states.why_not_for(theirs, wide) == "consent was withdrawn"
