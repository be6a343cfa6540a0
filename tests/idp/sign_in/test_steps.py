from urllib.parse import urlsplit

import pytest

from idp.protocol import acr
from idp.protocol.acr import Wanted
from idp.sessions import service as sessions
from idp.sessions.service import Whereabouts
from idp.sign_in import next_step, session_for
from tenants.database import db
from tests.idp.security_key import a_passkey
from tests.idp.sign_in.test_password import a_flow, load
from tests.idp.visitor import a_person, an_authenticator


def page(identity_app, flow_id, now, signed_in=None, **wanted):
    with identity_app.test_request_context(), db.reading() as session:
        url = next_step(session, load(flow_id, now), signed_in, Wanted(**wanted), now)
    return urlsplit(url).path if url else None


def a_session(person_id, now):
    with db.transaction() as session:
        secret = sessions.start(
            session,
            person_id=person_id,
            amr=["pwd"],
            acr=acr.SINGLE_FACTOR,
            where=Whereabouts(),
            now=now,
        )
        return sessions.find_by_secret(session, secret, now=now)


@pytest.mark.parametrize(("email", "path"), [(None, "/sign-in"), ("a@b.pl", "/sign-in/password")])
def test_nobody_signed_in_is_asked_for_what_is_not_known_yet(identity_app, now, email, path):
    assert page(identity_app, a_flow(now, email), now) == path


def test_a_session_that_is_good_enough_needs_no_page(identity_app, now):
    signed_in = a_session(a_person(), now)

    assert page(identity_app, a_flow(now, None), now, signed_in) is None


@pytest.mark.parametrize(
    ("typed", "counts"), [(None, True), ("Anna@EXAMPLE.com", True), ("bert@example.com", False)]
)
def test_a_session_counts_unless_another_address_was_typed(identity_app, now, typed, counts):
    signed_in = a_session(a_person("anna@example.com"), now)

    found = session_for(load(a_flow(now, typed), now), signed_in)

    assert found == (signed_in if counts else None)


@pytest.mark.security("4.9")
@pytest.mark.parametrize(
    ("factor", "path"),
    [
        (an_authenticator, "/sign-in/code"),
        (a_passkey, "/sign-in/code"),
        (None, "/account/authenticator"),
    ],
)
def test_a_session_that_is_too_weak_gets_a_second_factor_or_an_app(identity_app, now, factor, path):
    person_id = a_person()
    signed_in = a_session(person_id, now)
    if factor is not None:
        factor(person_id, now=now)

    assert page(identity_app, a_flow(now, None), now, signed_in, acr=(acr.TWO_FACTOR,)) == path
