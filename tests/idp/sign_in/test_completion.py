import pytest

from idp.events import IdpEvent
from idp.mails.service import Recipient
from idp.not_me import locks
from idp.not_me.locks import Locked, Reason
from idp.protocol import acr
from idp.sessions import devices
from idp.sessions import service as sessions
from idp.sign_in.completion import complete
from tenants.audit import ledger, person_chain
from tenants.database import db
from tests.idp.sign_in.test_password import a_browser
from tests.idp.visitor import a_person

pytestmark = pytest.mark.usefixtures("identity_app")


def enter(person_id, now, *, email="anna@example.com", is_first=False, remember=False, **browser):
    with db.transaction() as session:
        return complete(
            session,
            person_id=person_id,
            recipient=Recipient(email, "en"),
            amr=[acr.PASSWORD],
            acr=acr.SINGLE_FACTOR,
            browser=a_browser(**browser),
            is_first=is_first,
            remember=remember,
            now=now,
        )


def find(cookies, now):
    with db.reading() as session:
        return sessions.find_by_secret(session, cookies.session, now=now)


@pytest.mark.product("ID-7")
@pytest.mark.security("17.1")
def test_a_sign_in_is_a_row_in_the_persons_history(now):
    person_id = a_person()

    enter(person_id, now)

    with db.reading() as session:
        (row,) = ledger.history(session, chain=person_chain(person_id))
    assert (row.event, row.result, row.at) == (IdpEvent.SIGN_IN_SUCCEEDED, "success", now)
    assert row.details["new_device"] is True
    assert row.personal == {"address": "192.0.2.7", "user_agent": "Firefox"}


@pytest.mark.product("ID-7")
@pytest.mark.security("2.8")
def test_a_mail_tells_of_a_second_device_and_not_of_the_first(now, mailroom):
    person_id = a_person()

    first = enter(person_id, now)
    assert mailroom.deliver() == []
    enter(person_id, now, device_secret=first.device)
    assert mailroom.deliver() == []
    enter(person_id, now)

    mail = mailroom.to("anna@example.com")
    assert mail.subject == "A sign-in from a new device"
    assert "192.0.2.7" in mail.text


@pytest.mark.security("5.3")
def test_who_signs_in_where_somebody_else_is_signed_in_ends_that_session(now):
    anna, bert = a_person(), a_person("bert@example.com")
    of_anna = enter(anna, now)

    of_bert = enter(bert, now, email="bert@example.com", signed_in=find(of_anna, now))

    assert find(of_anna, now) is None
    assert find(of_bert, now).person_id == bert


def test_signing_in_again_carries_the_session_on(now):
    person_id = a_person()
    first = enter(person_id, now)
    before = find(first, now)

    second = enter(person_id, now, signed_in=before, device_secret=first.device)

    assert find(second, now).session_id == before.session_id
    assert second.device == first.device
    assert second.session != first.session


@pytest.mark.security("17.1")
def test_whose_session_was_replaced_reads_it_in_the_history(now):
    anna, bert = a_person(), a_person("bert@example.com")
    signed_in = find(enter(anna, now), now)

    enter(bert, now, email="bert@example.com", signed_in=signed_in)

    with db.reading() as session:
        rows = ledger.history(session, chain=person_chain(anna))
    assert [row.event for row in rows if row.event == IdpEvent.SESSIONS_ENDED]


@pytest.mark.product("ID-7")
@pytest.mark.security("2.5")
def test_nobody_is_signed_in_with_a_locked_id(now):
    person_id = a_person()
    with db.transaction() as session:
        locks.lock(session, person_id=person_id, reason=Reason.NOT_ME, now=now)

    with pytest.raises(Locked):
        enter(person_id, now, remember=True)

    with db.reading() as session:
        assert sessions.open_sessions(session, person_id=person_id, now=now) == []
        assert devices.remembered(session, person_id=person_id, now=now) == []


@pytest.mark.product("ID-7")
def test_the_history_says_for_which_application_it_was(now):
    person_id = a_person()
    with db.transaction() as session:
        complete(
            session,
            person_id=person_id,
            recipient=Recipient("anna@example.com", "en"),
            amr=[acr.PASSWORD],
            acr=acr.SINGLE_FACTOR,
            application="portal",
            browser=a_browser(),
            now=now,
        )

    with db.reading() as session:
        (row,) = ledger.history(session, chain=person_chain(person_id))
    assert row.details["application"] == "portal"
