"""A session ends with its tokens, and every application that was entered is told."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from idp import logout
from idp.clients import service as clients
from idp.grants.models import Grant
from idp.sessions.models import BrowserSession
from idp.settings import current_settings
from kernel.outbox.service import unseal
from tenants.database import db
from tenants.outbox import OutboxMessage
from tests.conftest import NOON
from tests.idp.provider import BACKCHANNEL, a_code, a_person, a_signed_in, an_app

HTTPS = {"backchannel_logout_uri": BACKCHANNEL, "first_party": True}


def _announced(app: Flask) -> list[dict[str, Any]]:
    vault = current_settings().vault()
    with db.reading() as session:
        rows = session.scalars(select(OutboxMessage).order_by(OutboxMessage.created_at)).all()
    return [unseal(vault, row.id, row.payload or b"") for row in rows if row.kind == "logout-token"]


def _ended() -> set[Any]:
    with db.reading() as session:
        return set(
            session.scalars(select(BrowserSession.id).where(BrowserSession.ended_at.is_not(None)))
        )


@pytest.mark.product("OP-1")
@pytest.mark.security("5.5")
def test_a_session_ends_with_its_grants_and_its_applications_are_told(identity_app: Flask):
    app, quiet, person_id = an_app(**HTTPS), an_app(first_party=True), a_person()
    a_code(app, now=NOON, person_id=person_id)
    a_code(quiet, now=NOON, person_id=person_id)

    with db.transaction() as session:
        ended = logout.end_sessions(session, person_id=person_id, reason="test", now=NOON)

    with db.reading() as session:
        grants = session.scalars(select(Grant)).all()
        rows = session.scalars(select(BrowserSession)).all()
    assert len(ended) == 2
    assert {grant.revoked_for for grant in grants} == {"session ended"}
    assert {(row.ended_at, row.end_reason) for row in rows} == {(NOON, "test")}
    told = _announced(identity_app)
    assert [(one["client_id"], one["uri"], one["sub"]) for one in told] == [
        (app.id, BACKCHANNEL, str(person_id))
    ]
    assert told[0]["sid"] in {str(grant.sid) for grant in grants}


def test_one_session_may_be_spared(identity_app: Flask):
    person_id = a_person()
    with db.transaction() as session:
        mine = a_signed_in(session, person_id, now=NOON)
        other = a_signed_in(session, person_id, now=NOON)
        logout.end_sessions(
            session,
            person_id=person_id,
            except_session_id=mine.session_id,
            reason="test",
            now=NOON,
        )

    assert _ended() == {other.session_id}


def test_a_session_ends_once_and_is_told_once(identity_app: Flask):
    app, person_id = an_app(**HTTPS), a_person()
    a_code(app, now=NOON, person_id=person_id)

    for minute in range(2):
        with db.transaction() as session:
            logout.end_sessions(
                session, person_id=person_id, reason="test", now=NOON + timedelta(minutes=minute)
            )

    assert len(_announced(identity_app)) == 1


def test_nothing_ends_when_nobody_is_named(identity_app: Flask):
    with db.transaction() as session:
        a_signed_in(session, a_person(), now=NOON)
        assert logout.end_sessions(session, reason="test", now=NOON) == []
        assert logout.end_sessions(session, session_ids=[], reason="test", now=NOON) == []

    assert _ended() == set()


def test_an_application_that_is_switched_off_is_not_told(identity_app: Flask):
    app, person_id = an_app(**HTTPS), a_person()
    a_code(app, now=NOON, person_id=person_id)

    with db.transaction() as session:
        clients.disable(session, app.id, now=NOON)
        logout.end_sessions(session, person_id=person_id, reason="test", now=NOON)

    assert _announced(identity_app) == []
