from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.database import db
from portal.sessions.models import Revocation, SeenToken
from relying_party.revocations.service import Replayed, RevocationEvent

ISSUER = "https://id.example"


@pytest.fixture
def revocations(party):
    return party.revocations


def revoke(revocations, now, *, subject=None, sid=None):
    with db.transaction() as session:
        revocations.add(
            session,
            event=RevocationEvent.BACKCHANNEL_LOGOUT,
            issuer=ISSUER,
            subject=subject,
            sid=sid,
            revoked_at=now,
            now=now,
        )


def covers(revocations, issued_at, *, issuer=ISSUER, subject="p-1", sid="s-1"):
    with db.reading() as session:
        return revocations.covers(
            session, issuer=issuer, subject=subject, sid=sid, issued_at=issued_at
        )


@pytest.mark.security("9.3")
def test_a_revoked_sign_in_stays_revoked(revocations, now):
    revoke(revocations, now, sid="s-1")

    assert covers(revocations, now + timedelta(minutes=1))
    assert not covers(revocations, now, sid="s-2")
    assert not covers(revocations, now, sid=None)
    assert not covers(revocations, now, issuer="https://other.example")


@pytest.mark.security("9.3")
def test_a_revoked_person_may_sign_in_again(revocations, now):
    revoke(revocations, now, subject="p-1")

    assert covers(revocations, now - timedelta(seconds=1))
    assert covers(revocations, now, sid=None)
    assert not covers(revocations, now + timedelta(seconds=1))
    assert not covers(revocations, now - timedelta(seconds=1), subject="p-2")


@pytest.mark.security("9.3")
def test_a_sign_in_of_somebody_else_is_not_a_whole_person(revocations, now):
    revoke(revocations, now, subject="p-1", sid="s-1")

    assert not covers(revocations, now - timedelta(minutes=1), sid="s-2")


@pytest.mark.security("9.3")
def test_a_token_is_new_once(revocations, now):
    def see(issuer):
        with db.transaction() as session:
            revocations.see(session, issuer=issuer, jti="j-1", expires_at=now)

    see(ISSUER)
    see("https://other.example")

    with pytest.raises(Replayed):
        see(ISSUER)


@pytest.mark.security("18.7")
def test_what_no_longer_matters_is_cleared_away(revocations, now):
    revoke(revocations, now - timedelta(hours=2), sid="s-1")
    revoke(revocations, now, sid="s-2")
    with db.transaction() as session:
        revocations.see(session, issuer=ISSUER, jti="old", expires_at=now - timedelta(minutes=6))
        revocations.see(session, issuer=ISSUER, jti="new", expires_at=now)

    with db.transaction() as session:
        revocations.sweep(session, now=now)

    with db.reading() as session:
        assert session.scalars(select(Revocation.sid)).all() == ["s-2"]
        assert session.scalar(select(func.count()).select_from(SeenToken)) == 1
