"""An event that comes while tokens are renewed is not lost."""

import threading

import pytest
from sqlalchemy import delete, select

from kernel import clock
from portal.database import db
from portal.sessions.models import AccessToken, ApplicationSession
from tests.relying_party.security_events.events import changed, claims_of


@pytest.mark.product("OP-5")
@pytest.mark.security("15.2")
def test_what_the_provider_said_before_the_event_is_not_kept(app, browser, party, provider):
    """The answer to a renewal is under way when the event comes: it may tell of what was before."""
    browser.sign_in()
    session_id = _only_session()
    _drop_tokens()
    token = provider.sign(claims_of(provider, changed(provider)), typ="secevent+jwt")
    asked, go_on = threading.Event(), threading.Event()

    def wait(_told):
        if not asked.is_set():
            asked.set()
            go_on.wait(10)

    provider.change_userinfo = wait

    def renew():
        with app.app_context():
            party.grants.confirm(session_id)

    renewing = threading.Thread(target=renew)
    renewing.start()
    assert asked.wait(10)
    party.security_events.receive(token, now=clock.now())
    go_on.set()
    renewing.join(10)

    with db.reading() as session:
        assert session.scalars(select(AccessToken.id)).all() == []
    # The renewed refresh token was kept, so that the next request gets through.
    assert browser.is_signed_in()


def _only_session():
    with db.reading() as session:
        return session.scalars(select(ApplicationSession.id)).one()


def _drop_tokens():
    with db.transaction() as session:
        session.execute(delete(AccessToken))
