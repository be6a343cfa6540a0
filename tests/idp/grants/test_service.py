from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.grants import service as grants
from idp.grants.models import Grant, RefreshToken, RevokedAccessToken
from idp.grants.service import Reason
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import a_person, an_app
from tests.idp.token.test_refresh_token import _refresh, _tokens

DAY = timedelta(days=1)


def _reasons() -> set[str | None]:
    with db.reading() as session:
        return set(session.scalars(select(Grant.revoked_for)))


def test_a_grant_ends_once(identity_app: Flask):
    _tokens(an_app(first_party=True))

    with db.transaction() as session:
        grant_id = session.scalars(select(Grant.id)).one()
        first = grants.revoke(session, grant_id, reason=Reason.CODE_REPLAYED, now=NOON)
        second = grants.revoke(session, grant_id, reason=Reason.REVOKED_BY_CLIENT, now=NOON)

    assert (first, second) == (True, False)
    assert _reasons() == {"code replayed"}


@pytest.mark.security("7.9")
def test_withdrawing_a_consent_ends_that_application_and_no_other(identity_app: Flask):
    person_id = a_person()
    one, other = an_app(first_party=True), an_app(first_party=True)
    for app in (one, other):
        _tokens(app, person_id=person_id)

    with db.transaction() as session:
        grants.revoke_of_application(session, person_id=person_id, client_id=one.id, now=NOON)

    with db.reading() as session:
        ended = {
            row[0]: row[1] for row in session.execute(select(Grant.client_id, Grant.revoked_for))
        }
    assert ended == {one.id: "consent withdrawn", other.id: None}


def test_revoking_a_token_twice_is_no_fault(identity_app: Flask):
    for _ in range(2):
        with db.transaction() as session:
            grants.revoke_access_token(session, "a jti", expires_at=NOON)


@pytest.mark.security("18.7")
def test_what_nobody_can_use_is_swept(identity_app: Flask):
    app = an_app(first_party=True)
    _tokens(app)
    _tokens(app, scopes=("openid",))
    with db.transaction() as session:
        grants.revoke_access_token(session, "a jti", expires_at=NOON)

    grants.clean(NOON + 2 * DAY)
    with db.reading() as session:
        assert session.scalars(select(RevokedAccessToken)).all() == []
        kept = len(session.scalars(select(Grant)).all())
    grants.clean(NOON + 91 * DAY)
    grants.clean(NOON + 91 * DAY)

    assert kept == 2
    with db.reading() as session:
        assert session.scalars(select(Grant)).all() == []
        assert session.scalars(select(RefreshToken)).all() == []


def test_kept_answers_are_wiped_soon(identity_app: Flask):
    app = an_app(first_party=True)
    _refresh(app, _tokens(app)["refresh_token"])

    grants.clean(NOON + timedelta(minutes=5))

    with db.reading() as session:
        assert set(session.scalars(select(RefreshToken.answer_sealed))) == {None}
        assert len(session.scalars(select(RefreshToken)).all()) == 2
