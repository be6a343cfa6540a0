from datetime import timedelta

import pytest

from idp.protocol import acr
from idp.sessions import service as sessions
from idp.sign_in import prover
from idp.sign_in.prover import NothingToProve
from tenants.database import db
from tests.idp.security_key import a_passkey
from tests.idp.sign_in.test_password import a_browser, a_flow, load
from tests.idp.sign_in.test_password import prove as prove_password
from tests.idp.visitor import PASSWORD, a_person, an_authenticator

pytestmark = pytest.mark.usefixtures("identity_app")


def find(flow_id, now, **browser):
    with db.transaction() as session:
        return prover.find(session, load(flow_id, now), a_browser(**browser))


def half_way(now):
    flow_id = a_flow(now)
    prove_password(flow_id, PASSWORD, now)
    return flow_id


@pytest.mark.product("ID-6")
@pytest.mark.parametrize(
    ("factors", "by_mail"),
    [([], True), ([an_authenticator], False), ([a_passkey], False)],
)
def test_the_mailbox_answers_for_who_has_nothing_better(now, factors, by_mail):
    person_id = a_person()
    for add in factors:
        add(person_id, now=now)

    assert find(half_way(now), now).by_mail is by_mail


@pytest.mark.security("4.5")
def test_without_a_password_and_without_a_session_there_is_nothing_to_add_to(now):
    a_person()

    with pytest.raises(NothingToProve):
        find(a_flow(now), now)


@pytest.mark.security("4.9")
def test_a_living_session_is_added_to_at_its_own_age(now):
    with db.transaction() as session:
        secret = sessions.start(
            session,
            person_id=a_person(),
            amr=[acr.PASSWORD],
            acr=acr.SINGLE_FACTOR,
            where=a_browser().where,
            now=now,
        )
        me = sessions.find_by_secret(session, secret, now=now)
    later = now + timedelta(minutes=1)

    found = find(a_flow(later, None), later, signed_in=me)

    assert (found.id, found.auth_time, found.amr) == (me.person_id, now, (acr.PASSWORD,))
