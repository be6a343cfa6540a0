import pytest

from idp.protocol import acr
from idp.sessions import applications
from idp.sessions import service as sessions
from idp.sessions.service import Whereabouts
from tenants.database import db
from tenants.people import service as people
from tests.idp.provider import an_app
from tests.idp.race import all_at_once

pytestmark = pytest.mark.usefixtures("identity_app")


@pytest.fixture
def session_id(identity_app, now):
    with db.transaction() as session:
        secret = sessions.start(
            session,
            person_id=a_person_in(session, now),
            amr=["pwd"],
            acr=acr.SINGLE_FACTOR,
            where=Whereabouts(),
            now=now,
        )
        return sessions.find_by_secret(session, secret, now=now).session_id


def a_person_in(session, now):
    return people.create(session, email="anna@example.com", now=now).id


def sid(session_id, client_id, now):
    with db.transaction() as session:
        applications.enter(session, session_id, client_id, now=now)
        entered = applications.entered_in(session, [session_id])
    return next(each.sid for each in entered if each.client_id == client_id)


def test_an_application_keeps_its_name_for_a_session(session_id, now):
    app = an_app()

    assert sid(session_id, app.id, now) == sid(session_id, app.id, now)


def test_two_applications_cannot_compare_notes(session_id, now):
    one, other = an_app(), an_app()

    assert sid(session_id, one.id, now) != sid(session_id, other.id, now)


def test_two_tabs_at_once_get_the_same_name(identity_app, session_id, now):
    app = an_app()

    answers = all_at_once(identity_app, 10, lambda: sid(session_id, app.id, now))

    assert len(set(answers)) == 1


def test_the_applications_of_a_session_are_listed(session_id, now):
    app = an_app()
    name = sid(session_id, app.id, now)

    with db.reading() as session:
        entered = applications.entered_in(session, [session_id])

    assert [(each.sid, each.client_id) for each in entered] == [(name, app.id)]
