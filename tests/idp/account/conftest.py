"""Who acts: Anna, who has just given her password."""

import pytest

from idp.protocol import acr
from idp.sessions import service as sessions
from idp.sessions.service import Whereabouts
from tenants.database import db
from tests.idp.visitor import a_person


@pytest.fixture
def me(identity_app, now):
    person_id = a_person()
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
