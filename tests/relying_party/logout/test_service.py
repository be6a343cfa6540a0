import pytest
from sqlalchemy import select

from kernel import clock
from portal.database import db
from portal.sessions.models import AccessToken, ApplicationSession, Grant, Revocation
from relying_party.errors import LogoutRefused


def test_a_logout_leaves_no_token_and_a_note(party, browser, provider):
    browser.sign_in()

    ended = party.logout.receive(provider.logout_token(), now=clock.now())

    with db.reading() as session:
        assert session.scalars(select(Grant.id)).all() == []
        assert session.scalars(select(AccessToken.id)).all() == []
        revocation = session.scalars(select(Revocation)).one()
    assert ended == 1
    assert (revocation.sid, revocation.subject) == ("sid-1", "person-1")
    assert revocation.event == "backchannel-logout"


def test_a_logout_of_nobody_is_no_mistake(party, provider):
    assert party.logout.receive(provider.logout_token(sid="unknown"), now=clock.now()) == 0


@pytest.mark.security("9.3", "15.2")
def test_a_refused_logout_changes_nothing(party, browser, provider):
    browser.sign_in()
    token = provider.logout_token(sub="person-2")
    party.logout.receive(token, now=clock.now())

    with pytest.raises(LogoutRefused):
        party.logout.receive(token, now=clock.now())

    with db.reading() as session:
        assert len(session.scalars(select(Revocation.id)).all()) == 1
        assert session.scalars(select(ApplicationSession.ended_at)).one() is None
